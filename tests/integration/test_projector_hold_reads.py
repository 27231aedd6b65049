"""Questions about holds, and about what is due: what they answer, how far they are behind."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from projections.balances.holds import HOLDS
from projections.balances.read_model import FROM_NEWEST, DueWallet, list_due, list_parts, read_part
from schemas.identifiers import StreamKey
from tests.specs.event_factory import EPOCH, TENANT_ID
from tests.specs.read_models import Models, read_models

OTHER_TENANT = "6b1f7c52-0c5e-4a6c-8a59-6d0a3f2f6d11"
SOON = EPOCH + timedelta(minutes=1)
LATER = EPOCH + timedelta(minutes=2)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
async def models(database: str) -> AsyncIterator[Models]:
    async with read_models(database) as models:
        yield models


def _key(wallet: str, tenant_id: str = TENANT_ID) -> StreamKey:
    return StreamKey(tenant_id, wallet)


def _rich(models: Models, *, tenant_id: str = TENANT_ID) -> str:
    wallet = models.factory.open(tenant_id=tenant_id)
    models.factory.credit(wallet, 1000)
    return wallet


async def test_a_hold_is_read_with_how_far_the_log_is(models: Models) -> None:
    wallet = _rich(models)
    placed = models.factory.hold(wallet, 100, expires_at=SOON)
    await models.happened()
    name = f"hol_{placed.event_id}"
    reading = await read_part(models.connection, HOLDS, _key(wallet), name)
    assert reading is not None
    assert reading.view is not None
    assert (reading.view.id, reading.view.held_amount, reading.behind) == (name, 100, 0)
    models.factory.capture(placed, 40)
    await models.happened(folded=False)
    reading = await read_part(models.connection, HOLDS, _key(wallet), name)
    assert reading is not None
    assert reading.view is not None
    assert (reading.view.held_amount, reading.newest_version, reading.behind) == (100, 4, 1)


async def test_a_hold_of_another_wallet_or_tenant_is_none(models: Models) -> None:
    wallet, other = _rich(models), _rich(models)
    placed = models.factory.hold(wallet, 100)
    await models.happened()
    name = f"hol_{placed.event_id}"
    of_other = await read_part(models.connection, HOLDS, _key(other), name)
    assert of_other is not None
    assert (of_other.view, of_other.behind) == (None, 0)
    assert await read_part(models.connection, HOLDS, _key(wallet, OTHER_TENANT), name) is None


async def test_a_hold_of_a_wallet_without_any_row_is_behind(models: Models) -> None:
    wallet = _rich(models)
    placed = models.factory.hold(wallet, 100)
    await models.happened(folded=False)
    reading = await read_part(models.connection, HOLDS, _key(wallet), f"hol_{placed.event_id}")
    assert reading is not None
    assert (reading.view, reading.complete_to_version, reading.behind) == (None, 0, 3)


async def test_holds_come_newest_first_in_pages_that_changes_do_not_disturb(
    models: Models,
) -> None:
    wallet = _rich(models)
    placed = [models.factory.hold(wallet, 10) for _ in range(7)]
    models.factory.hold(_rich(models), 10)
    await models.happened()
    found: list[str] = []
    before = FROM_NEWEST
    while True:
        page = await list_parts(
            models.connection, HOLDS, _key(wallet), limit=3, before_version=before
        )
        assert page is not None
        if not page.parts:
            break
        found += [each.view.id for each in page.parts]
        before = page.parts[-1].opened_version
        models.factory.hold(wallet, 10)
        models.factory.void(placed[len(found) - 1])
        await models.happened()
    assert found == [f"hol_{event.event_id}" for event in reversed(placed)]


async def test_holds_by_status(models: Models) -> None:
    wallet = _rich(models)
    factory = models.factory
    names = {
        "open": factory.hold(wallet, 10),
        "captured": factory.capture(factory.hold(wallet, 10)),
        "voided": factory.void(factory.hold(wallet, 10)),
    }
    await models.happened()
    for status in ("open", "captured", "voided", "expired"):
        page = await list_parts(models.connection, HOLDS, _key(wallet), status=status, limit=10)
        assert page is not None
        assert [each.view.status for each in page.parts] == [status] * (status in names)
    assert await list_parts(models.connection, HOLDS, _key(wallet, OTHER_TENANT), limit=10) is None


async def test_what_is_due_of_all_tenants_soonest_first(models: Models) -> None:
    lot, hold, both = _rich(models), _rich(models, tenant_id=OTHER_TENANT), _rich(models)
    models.factory.credit(lot, 10, expires_at=LATER)
    models.factory.credit(lot, 10, expires_at=LATER + MICROSECOND)
    placed = models.factory.hold(hold, 10, expires_at=SOON)
    models.factory.hold(hold, 10, expires_at=LATER)
    models.factory.credit(both, 10, expires_at=LATER)
    models.factory.hold(both, 5, expires_at=LATER - MICROSECOND)
    await models.happened()
    first = DueWallet(_key(hold, OTHER_TENANT), SOON)
    others = [DueWallet(_key(both), LATER - MICROSECOND), DueWallet(_key(lot), LATER)]
    assert await list_due(models.connection, SOON - MICROSECOND, 10) == []
    assert await list_due(models.connection, SOON, 10) == [first]
    assert await list_due(models.connection, LATER, 10) == [first, *others]
    assert await list_due(models.connection, LATER, 2) == [first, others[0]]
    models.factory.void(placed)
    models.factory.passed = LATER - EPOCH
    models.factory.expire_due(lot)
    await models.happened()
    found = await list_due(models.connection, LATER + timedelta(hours=1), 10)
    assert [each.wallet for each in found] == [others[0].wallet, first.wallet]


async def test_a_wallet_in_which_much_is_due_stands_for_one(models: Models) -> None:
    """Whoever asks for so many wallets gets them, though one has as many holds that are due."""
    busy, quiet = _rich(models), _rich(models)
    for number in range(30):
        models.factory.hold(busy, 10, expires_at=SOON + (number % 10) * MICROSECOND)
    models.factory.hold(quiet, 10, expires_at=LATER)
    await models.happened()
    found = await list_due(models.connection, LATER, 2)
    assert found == [DueWallet(_key(busy), SOON), DueWallet(_key(quiet), LATER)]
