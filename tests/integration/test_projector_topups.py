"""What becomes of a top-up is written with the balances, and can be asked for."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from projections.balances.read_model import (
    FROM_NEWEST,
    DueWallet,
    list_due,
    list_parts,
    read_part,
)
from projections.balances.topups import TOPUPS
from projections.interface import ProjectionMismatchError
from schemas.identifiers import StreamKey
from tests.specs.balances import Balances, balances
from tests.specs.event_factory import EPOCH, TENANT_ID

OTHER_TENANT = "6b1f7c52-0c5e-4a6c-8a59-6d0a3f2f6d11"
SOON = EPOCH + timedelta(minutes=1)
LATER = EPOCH + timedelta(minutes=2)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
async def model(database: str) -> AsyncIterator[Balances]:
    async with balances(database) as model:
        yield model


def _key(wallet: str, tenant_id: str = TENANT_ID) -> StreamKey:
    return StreamKey(tenant_id, wallet)


async def test_a_topup_lives_through_several_batches(model: Balances) -> None:
    wallet = model.factory.open()
    created = model.factory.topup(wallet, 100, expires_at=SOON)
    await model.happened()
    name = f"top_{created.event_id}"
    assert (await model.parts(TOPUPS))[name].status == "pending"
    model.factory.cancel_topup(created)
    cancelled = await model.happened()
    await model.apply(cancelled)
    assert (await model.parts(TOPUPS))[name].status == "cancelled"
    model.factory.pay(created, 100, "pay_1")
    (paid,) = await model.happened()
    found = (await model.parts(TOPUPS))[name]
    assert (found.status, found.payment_id) == ("completed", "pay_1")
    assert found.transaction_id == f"txn_{paid.event_id}"
    assert (found.version, found.updated_at) == (paid.version, paid.recorded_at)
    model.factory.pay(created, 100, "pay_2")
    await model.happened()
    assert (await model.parts(TOPUPS))[name] == found, "a second payment changes nothing of it"


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


async def test_a_topup_is_read_with_how_far_the_log_is(model: Balances) -> None:
    wallet, other = model.factory.open(), model.factory.open()
    created = model.factory.topup(wallet, 100)
    name = f"top_{created.event_id}"
    await model.happened()
    reading = await read_part(model.connection, TOPUPS, _key(wallet), name)
    assert reading is not None
    assert reading.view is not None
    assert (reading.view.id, reading.view.status, reading.behind) == (name, "pending", 0)
    of_other = await read_part(model.connection, TOPUPS, _key(other), name)
    assert of_other is not None
    assert (of_other.view, of_other.behind) == (None, 0)
    assert await read_part(model.connection, TOPUPS, _key(wallet, OTHER_TENANT), name) is None
    model.factory.pay(created, 100)
    await model.happened(folded=False)
    reading = await read_part(model.connection, TOPUPS, _key(wallet), name)
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
        page = await list_parts(
            model.connection, TOPUPS, _key(wallet), limit=3, before_version=before
        )
        assert page is not None
        if not page.parts:
            break
        found += [each.view.id for each in page.parts]
        before = page.parts[-1].opened_version
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
        page = await list_parts(model.connection, TOPUPS, _key(wallet), status=status, limit=10)
        assert page is not None
        assert [each.view.status for each in page.parts] == [status] * (status != "expired")
    assert await list_parts(model.connection, TOPUPS, _key(wallet, OTHER_TENANT), limit=10) is None


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
