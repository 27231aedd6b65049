"""What a process remembers never decides: caches and snapshots only save time."""

import asyncio

from ledger.command_handling.snapshots import SNAPSHOT_EVERY_EVENTS
from schemas.commands import FreezeWallet
from schemas.rejections import InsufficientFunds, WalletFrozen
from tests.conformance.backends import Backend
from tests.specs.invariants import all_events, check
from tests.specs.world import Writer, snapshots_are_saved


async def _busy_wallet(writer: Writer) -> str:
    wallet = await writer.open_wallet()
    for number in range(SNAPSHOT_EVERY_EVENTS + 20):
        await writer.credit(wallet, 1, f"{wallet} {number}")
    return wallet


async def _next_writer_sees(backend: Backend, wallet: str, balance: int) -> None:
    writer = await Writer(await backend.log(), seed=balance).start()
    settled = await writer.debit(wallet, balance + 1, f"too much of {balance}")
    assert settled.result.rejection == InsufficientFunds(amount=balance + 1, available=balance)
    await writer.stop()


async def test_a_snapshot_a_lying_one_and_none_give_the_same_wallet(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await _busy_wallet(writer)
    await snapshots_are_saved()
    await writer.credit(wallet, 5, "after the snapshot")
    balance = SNAPSHOT_EVERY_EVENTS + 25
    await _next_writer_sees(backend, wallet, balance)
    await backend.spoil_snapshots()
    await _next_writer_sees(backend, wallet, balance)
    await backend.drop_snapshots()
    await _next_writer_sees(backend, wallet, balance)
    check(await all_events(writer.log))
    await writer.stop()


async def test_a_writer_sees_what_another_did_to_a_wallet_that_it_knows(
    backend: Backend,
) -> None:
    one = await Writer(await backend.log(), 1).start()
    two = await Writer(await backend.log(), 2).start()
    wallet = await one.open_wallet()
    await one.credit(wallet, 10, "one")
    await two.debit(wallet, 10, "two")
    assert (await one.debit(wallet, 1, "three")).result.rejection == InsufficientFunds(
        amount=1, available=0
    )
    await two.send(FreezeWallet(wallet_id=wallet))
    assert (await one.debit(wallet, 1, "four")).result.rejection == WalletFrozen()
    await one.stop()
    await two.stop()


async def test_a_wallet_that_is_known_and_one_that_is_not_are_decided_in_one_batch(
    backend: Backend,
) -> None:
    """A writer that is alone decides without a look-up, but never for want of knowing."""
    one = await Writer(await backend.log(), 1).start()
    cold = await one.open_wallet("cold")
    await one.credit(cold, 10, "before")
    await one.stop()
    two = await Writer(await backend.log(), 2).start()
    warm = await two.open_wallet("warm")
    for number in range(3):
        await two.credit(warm, 1, f"alone {number}")
    head = await two.log.head()
    both = await asyncio.gather(two.credit(warm, 1, "warm"), two.debit(cold, 10, "cold"))
    assert [each.result.status for each in both] == ["accepted", "accepted"]
    assert (await two.log.head()).number == head.number + 1
    await two.stop()


async def test_time_goes_on_from_append_to_append(backend: Backend) -> None:
    """Also where a writer that is alone reckons what time it is, and does not ask."""
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    for number in range(4):
        await writer.credit(wallet, 1, f"{number}")
        await asyncio.sleep(0.01)
    times = [event.recorded_at for event in await all_events(writer.log)]
    assert sorted(times) == times
    assert times[0] < times[-1]
    await writer.stop()


async def test_a_log_restored_to_an_earlier_point_is_noticed(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 10, "kept")
    head = await writer.log.head()
    await writer.credit(wallet, 90, "lost by the restore")
    other = await Writer(await backend.log(), 5).start()
    await backend.restore_to(head.last_position, head.number)
    await other.credit(wallet, 1, "since")
    settled = await writer.debit(wallet, 50, "on stale knowledge")
    assert settled.result.rejection == InsufficientFunds(amount=50, available=11)
    check(await all_events(writer.log))
    await writer.stop()
    await other.stop()
