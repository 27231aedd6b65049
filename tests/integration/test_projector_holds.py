"""Holds are written with the balances, in batches of any cut, and cost nothing without them."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from projections.balances.evolve import evolve_hold, hold_event
from projections.balances.rows import hold_view
from projections.checkpoint import Checkpoint, Move, begin_checkpoints
from projections.interface import ProjectedEvent, ProjectionMismatchError
from projections.log import prepare_session
from projections.registry import PROJECTIONS
from projections.runner import Runner
from schemas.results import HoldView
from tests.specs.event_factory import EPOCH, EventFactory, projected, write_log

START = Checkpoint(partition=0, topic_id="topic", next_offset=0, position=0, hash=None)


class Balances:
    """The read model, and a checkpoint that follows what is applied to it."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection
        self.factory = EventFactory(seed=9)
        self._at = START

    async def happened(self) -> list[ProjectedEvent]:
        """Write what the factory made into the log, and fold it in one batch."""
        events = [projected(event) for event in await write_log(self.connection, self.factory)]
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

    async def holds(self) -> dict[str, HoldView]:
        """Every hold, by its id."""
        rows = await self.connection.fetch("TABLE holds")
        views = [hold_view(f"wal_{row['wallet_id'].hex}", row) for row in rows]
        return {view.id: view for view in views}


@pytest.fixture
async def model(database: str) -> AsyncIterator[Balances]:
    connection = await asyncpg.connect(database)
    await prepare_session(connection)
    await begin_checkpoints(connection, "balances", [START])
    yield Balances(connection)
    connection.terminate()


def _folded(events: Sequence[ProjectedEvent]) -> dict[str, HoldView]:
    views: dict[str, HoldView] = {}
    for recorded in events:
        event = hold_event(recorded)
        if event is not None:
            views[event.hold_id] = evolve_hold(views.get(event.hold_id), recorded, event)
    return views


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_rows_are_the_fold_of_the_log_however_it_is_cut(model: Balances, size: int) -> None:
    model.factory.history(5, 400)
    events = [projected(event) for event in await write_log(model.connection, model.factory)]
    for start in range(0, len(events), size):
        # Each batch begins with some of the one before, as after a relay's restart.
        await model.apply(events[max(0, start - 5) : start + size])
    expected = _folded(events)
    assert {view.status for view in expected.values()} == {"open", "captured", "voided", "expired"}
    assert msgspec.json.encode(await model.holds(), order="sorted") == msgspec.json.encode(
        expected, order="sorted"
    )


async def test_a_hold_lives_through_several_batches(model: Balances) -> None:
    wallet = model.factory.open()
    model.factory.credit(wallet, 1000)
    placed = model.factory.hold(wallet, 100, expires_at=EPOCH + timedelta(hours=1))
    await model.happened()
    name = f"hol_{placed.event_id}"
    assert (await model.holds())[name].held_amount == 100
    model.factory.capture(placed, 30)
    captured = await model.happened()
    await model.apply(captured)
    found = (await model.holds())[name]
    assert (found.status, found.captured_amount, found.held_amount) == ("open", 30, 70)
    model.factory.void(placed)
    (voided,) = await model.happened()
    found = (await model.holds())[name]
    assert (found.status, found.captured_amount, found.held_amount) == ("voided", 30, 0)
    assert (found.version, found.updated_at) == (voided.version, voided.recorded_at)
    assert found.created_at == placed.recorded_at


async def test_a_hold_that_contradicts_its_row_stops_loudly(model: Balances) -> None:
    wallet = model.factory.open()
    model.factory.credit(wallet, 1000)
    placed = model.factory.hold(wallet, 100)
    await model.happened()
    await model.connection.execute("UPDATE holds SET held_amount = held_amount - 1")
    model.factory.capture(placed)
    with pytest.raises(ProjectionMismatchError) as raised:
        await model.happened()
    assert raised.value.code == "projection_mismatch"
    balance = await model.connection.fetchval("SELECT balance FROM balances")
    assert balance == 1000, "nothing of the batch was written"


async def test_a_batch_without_holds_says_nothing_to_their_table(model: Balances) -> None:
    wallet = model.factory.open()
    model.factory.credit(wallet, 1000)
    model.factory.hold(wallet, 100)
    await model.happened()
    model.factory.debit(wallet, 1)
    said: list[str] = []
    with model.connection.query_logger(lambda record: said.append(record.query)):
        await model.happened()
    assert any("balances" in query for query in said)
    assert not any("holds" in query for query in said)


async def test_a_debit_changes_its_row_in_place(model: Balances) -> None:
    """So no index is written for it, even where some of the money lapses some day."""
    wallets = [model.factory.open() for _ in range(50)]
    for place, wallet in enumerate(wallets):
        lapses = EPOCH + timedelta(hours=1) if place % 2 else None
        model.factory.credit(wallet, 1000, expires_at=lapses)
    await model.happened()
    # A few of each page, which has room for them.
    spending = wallets[::7]
    for wallet in spending:
        model.factory.debit(wallet, 1)
    await model.happened()
    await model.connection.execute("SELECT pg_stat_force_next_flush()")
    row = await model.connection.fetchrow(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'balances'"
    )
    assert row is not None
    assert row["n_tup_upd"] == row["n_tup_hot_upd"] == len(spending)
