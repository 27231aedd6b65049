"""What becomes of a hold is written with the balances, and a debit costs no more than its row."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from projections.balances.holds import HOLDS
from projections.interface import ProjectionMismatchError
from tests.specs.balances import Balances, balances
from tests.specs.event_factory import EPOCH


@pytest.fixture
async def model(database: str) -> AsyncIterator[Balances]:
    async with balances(database) as model:
        yield model


async def test_a_hold_lives_through_several_batches(model: Balances) -> None:
    wallet = model.factory.open()
    model.factory.credit(wallet, 1000)
    placed = model.factory.hold(wallet, 100, expires_at=EPOCH + timedelta(hours=1))
    await model.happened()
    name = f"hol_{placed.event_id}"
    assert (await model.parts(HOLDS))[name].held_amount == 100
    model.factory.capture(placed, 30)
    captured = await model.happened()
    await model.apply(captured)
    found = (await model.parts(HOLDS))[name]
    assert (found.status, found.captured_amount, found.held_amount) == ("open", 30, 70)
    model.factory.void(placed)
    (voided,) = await model.happened()
    found = (await model.parts(HOLDS))[name]
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
