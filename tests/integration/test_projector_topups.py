"""Top-ups are written with the balances, in batches of any cut, and cost nothing without them."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from projections.balances.evolve import evolve_topup, topup_event
from projections.balances.read_model import (
    FROM_NEWEST,
    DueWallet,
    list_due,
    list_topups,
    read_topup,
)
from projections.balances.rows import topup_view
from projections.checkpoint import Checkpoint, Move, begin_checkpoints
from projections.interface import ProjectedEvent, ProjectionMismatchError, WalletKey
from projections.log import prepare_session
from projections.registry import PROJECTIONS
from projections.runner import Runner
from schemas.results import TopupView
from tests.specs.event_factory import EPOCH, TENANT_ID, EventFactory, projected, write_log

OTHER_TENANT = "6b1f7c52-0c5e-4a6c-8a59-6d0a3f2f6d11"
SOON = EPOCH + timedelta(minutes=1)
LATER = EPOCH + timedelta(minutes=2)
MICROSECOND = timedelta(microseconds=1)
START = Checkpoint(partition=0, topic_id="topic", next_offset=0, position=0, hash=None)


class Balances:
    """The read model, and a checkpoint that follows what is applied to it."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection
        self.factory = EventFactory(seed=9)
        self._at = START

    async def happened(self, *, folded: bool = True) -> list[ProjectedEvent]:
        """Write what the factory made into the log, and fold it in one batch."""
        events = [projected(event) for event in await write_log(self.connection, self.factory)]
        if folded:
            await self.apply(events)
        return events

    async def apply(self, events: Sequence[ProjectedEvent]) -> None:
        """Fold a batch."""
        after = replace(
            self._at, next_offset=self._at.next_offset + 1, position=events[-1].position
        )
        runner = Runner(PROJECTIONS["balances"], self.connection)
        await runner.apply(events, [Move(self._at, after)])
        self._at = after

    async def topups(self) -> dict[str, TopupView]:
        """Every top-up, by its id."""
        rows = await self.connection.fetch("TABLE topups")
        views = [topup_view(f"wal_{row['wallet_id'].hex}", row) for row in rows]
        return {view.id: view for view in views}


@pytest.fixture
async def model(database: str) -> AsyncIterator[Balances]:
    connection = await asyncpg.connect(database)
    await prepare_session(connection)
    await begin_checkpoints(connection, "balances", [START])
    yield Balances(connection)
    connection.terminate()


def _key(wallet: str, tenant_id: str = TENANT_ID) -> WalletKey:
    return WalletKey(tenant_id, wallet)


def _folded(events: Sequence[ProjectedEvent]) -> dict[str, TopupView]:
    views: dict[str, TopupView] = {}
    for recorded in events:
        event = topup_event(recorded)
        if event is not None:
            views[event.topup_id] = evolve_topup(views.get(event.topup_id), recorded, event)
    return views


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_rows_are_the_fold_of_the_log_however_it_is_cut(model: Balances, size: int) -> None:
    model.factory.history(5, 600)
    events = [projected(event) for event in await write_log(model.connection, model.factory)]
    for start in range(0, len(events), size):
        # Each batch begins with some of the one before, as after a relay's restart.
        await model.apply(events[max(0, start - 5) : start + size])
    expected = _folded(events)
    assert {view.status for view in expected.values()} == {
        *("pending", "completed", "cancelled", "expired", "unapplied"),
    }
    assert msgspec.json.encode(await model.topups(), order="sorted") == msgspec.json.encode(
        expected, order="sorted"
    )


async def test_a_topup_lives_through_several_batches(model: Balances) -> None:
    wallet = model.factory.open()
    created = model.factory.topup(wallet, 100, expires_at=SOON)
    await model.happened()
    name = f"top_{created.event_id}"
    assert (await model.topups())[name].status == "pending"
    model.factory.cancel_topup(created)
    cancelled = await model.happened()
    await model.apply(cancelled)
    assert (await model.topups())[name].status == "cancelled"
    model.factory.pay(created, 100, "pay_1")
    (paid,) = await model.happened()
    found = (await model.topups())[name]
    assert (found.status, found.payment_id) == ("completed", "pay_1")
    assert found.transaction_id == f"txn_{paid.event_id}"
    assert (found.version, found.updated_at) == (paid.version, paid.recorded_at)
    model.factory.pay(created, 100, "pay_2")
    await model.happened()
    assert (await model.topups())[name] == found, "a second payment changes nothing of it"


async def test_a_topup_that_contradicts_its_row_stops_loudly(model: Balances) -> None:
    wallet = model.factory.open()
    created = model.factory.topup(wallet, 100)
    await model.happened()
    await model.connection.execute("UPDATE topups SET amount = amount - 1")
    model.factory.pay(created, 100)
    with pytest.raises(ProjectionMismatchError):
        await model.happened()
    balance = await model.connection.fetchval("SELECT balance FROM balances")
    assert balance == 0, "nothing of the batch was written"


async def test_a_batch_without_topups_says_nothing_to_their_table(model: Balances) -> None:
    wallet = model.factory.open()
    model.factory.credit(wallet, 1000)
    model.factory.topup(wallet, 100)
    await model.happened()
    model.factory.debit(wallet, 1)
    said: list[str] = []
    with model.connection.query_logger(lambda record: said.append(record.query)):
        await model.happened()
    assert any("balances" in query for query in said)
    assert not any("topups" in query for query in said)


async def test_a_topup_is_read_with_how_far_the_log_is(model: Balances) -> None:
    wallet, other = model.factory.open(), model.factory.open()
    created = model.factory.topup(wallet, 100)
    name = f"top_{created.event_id}"
    await model.happened()
    reading = await read_topup(model.connection, _key(wallet), name)
    assert reading is not None
    assert reading.view is not None
    assert (reading.view.id, reading.view.status, reading.behind) == (name, "pending", 0)
    of_other = await read_topup(model.connection, _key(other), name)
    assert of_other is not None
    assert (of_other.view, of_other.behind) == (None, 0)
    assert await read_topup(model.connection, _key(wallet, OTHER_TENANT), name) is None
    model.factory.pay(created, 100)
    await model.happened(folded=False)
    reading = await read_topup(model.connection, _key(wallet), name)
    assert reading is not None
    assert reading.view is not None
    assert (reading.view.status, reading.newest_version, reading.behind) == ("pending", 3, 1)


async def test_topups_come_newest_first_in_pages_that_changes_do_not_disturb(
    model: Balances,
) -> None:
    wallet = model.factory.open()
    created = [model.factory.topup(wallet, 10) for _ in range(7)]
    model.factory.topup(model.factory.open(), 10)
    await model.happened()
    found: list[str] = []
    before = FROM_NEWEST
    while True:
        page = await list_topups(model.connection, _key(wallet), limit=3, before_version=before)
        assert page is not None
        if not page.topups:
            break
        found += [each.view.id for each in page.topups]
        before = page.topups[-1].opened_version
        model.factory.topup(wallet, 10)
        model.factory.cancel_topup(created[len(found) - 1])
        await model.happened()
    assert found == [f"top_{event.event_id}" for event in reversed(created)]


async def test_topups_by_status(model: Balances) -> None:
    wallet = model.factory.open()
    factory = model.factory
    factory.topup(wallet, 10)
    factory.cancel_topup(factory.topup(wallet, 10))
    factory.pay(factory.topup(wallet, 10), 10, "pay_1")
    factory.pay(factory.topup(wallet, 10), 11, "pay_2")
    await model.happened()
    for status in ("pending", "completed", "cancelled", "unapplied", "expired"):
        page = await list_topups(model.connection, _key(wallet), status=status, limit=10)
        assert page is not None
        assert [each.view.status for each in page.topups] == [status] * (status != "expired")
    assert await list_topups(model.connection, _key(wallet, OTHER_TENANT), limit=10) is None


async def test_what_is_due_of_all_tenants_soonest_first(model: Balances) -> None:
    factory = model.factory
    topup, hold = factory.open(tenant_id=OTHER_TENANT), factory.open()
    created = factory.topup(topup, 10, expires_at=SOON)
    factory.topup(topup, 10, expires_at=LATER)
    factory.credit(hold, 10)
    factory.hold(hold, 5, expires_at=LATER - MICROSECOND)
    factory.topup(hold, 5, expires_at=LATER)
    await model.happened()
    first = DueWallet(_key(topup, OTHER_TENANT), SOON)
    second = DueWallet(_key(hold), LATER - MICROSECOND)
    assert await list_due(model.connection, SOON - MICROSECOND, 10) == []
    assert await list_due(model.connection, SOON, 10) == [first]
    assert await list_due(model.connection, LATER, 10) == [first, second]
    assert await list_due(model.connection, LATER, 1) == [first]
    factory.pay(created, 10)
    await model.happened()
    assert await list_due(model.connection, SOON, 10) == [], "what is paid is not due"
    factory.passed = LATER - EPOCH
    factory.expire_due(topup)
    factory.expire_due(hold)
    await model.happened()
    assert await list_due(model.connection, LATER, 10) == []
