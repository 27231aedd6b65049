"""Laws of the ledger on random command histories, in memory, against a naive model."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ledger.command_handling.submission import Settled
from ledger.domain.postings import postings
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from schemas.commands import (
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    UnfreezeWallet,
)
from schemas.events import RecordedEvent, WalletCredited, WalletDebited, decode_event
from tests.specs.invariants import all_events, check
from tests.specs.world import SteppingClock, Writer

Step = tuple[str, int, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["credit", "debit", "debit", "freeze", "unfreeze", "close", "create"]),
        st.integers(0, 2),  # which customer
        st.integers(1, 40),  # amount
        st.integers(0, 12),  # which reference
    ),
    max_size=60,
)


def _command(step: Step, wallets: Sequence[str]) -> Command:
    kind, customer, amount, reference = step
    wallet = wallets[customer]
    match kind:
        case "credit":
            return CreditWallet(wallet_id=wallet, amount=amount, reference=f"in {reference}")
        case "debit":
            return DebitWallet(wallet_id=wallet, amount=amount, reference=f"out {reference}")
        case "freeze":
            return FreezeWallet(wallet_id=wallet)
        case "unfreeze":
            return UnfreezeWallet(wallet_id=wallet)
        case "close":
            return CloseWallet(wallet_id=wallet, remaining_balance="forfeit")
        case _:
            return CreateWallet(customer_id=f"customer {customer}", currency="GHS")


async def _run(
    commands: Sequence[Step], *, at_once: bool
) -> tuple[list[Settled], list[RecordedEvent]]:
    writer = await Writer(MemoryEventLog(MemoryStore(SteppingClock()))).start()
    wallets = [await writer.open_wallet(f"customer {number}") for number in range(3)]
    pending = [writer.send(_command(step, wallets)) for step in commands]
    settled = await asyncio.gather(*pending) if at_once else [await one for one in pending]
    events = await all_events(writer.log)
    await writer.stop()
    return settled, events


@given(steps)
def test_the_log_is_whole_and_money_is_neither_made_nor_lost(commands: list[Step]) -> None:
    settled, events = asyncio.run(_run(commands, at_once=True))
    wallets = check(events)
    came_in = went_out = 0
    for recorded in events:
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
        entry = postings(event)
        assert sum(leg.amount for leg in entry) == 0, "every entry balances"
        on_wallet = sum(leg.amount for leg in entry if leg.account == "customer_wallet")
        came_in += max(-on_wallet, 0)
        went_out += max(on_wallet, 0)
    held = sum(known.wallet.balance for known in wallets.values() if known.wallet)
    assert came_in - went_out == held
    for one in settled:
        assert (one.result.rejection is None) == (one.result.status == "accepted")


@given(steps)
def test_a_batch_decides_as_its_commands_would_one_by_one(commands: list[Step]) -> None:
    together, _ = asyncio.run(_run(commands, at_once=True))
    apart, _ = asyncio.run(_run(commands, at_once=False))
    assert [_essence(one) for one in together] == [_essence(one) for one in apart]


@given(steps)
def test_repeating_every_movement_adds_nothing(commands: list[Step]) -> None:
    movements = [step for step in commands if step[0] in {"credit", "debit"}]
    _, events_once = asyncio.run(_run(movements, at_once=True))
    doubled = [step for step in movements for _ in range(2)]
    _, events_twice = asyncio.run(_run(doubled, at_once=True))
    # Declines are recorded each time that they happen; what moved money is compared.
    assert _movements(events_once) == _movements(events_twice)


def _movements(events: Sequence[RecordedEvent]) -> list[tuple[str, str, int, int]]:
    moved = []
    for recorded in events:
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
        if isinstance(event, WalletCredited | WalletDebited):
            moved.append((recorded.type, event.reference, event.amount, event.balance_after))
    return moved


def _essence(one: Settled) -> tuple[object, ...]:
    """What does not depend on ids and times."""
    result, transaction = one.result, one.result.transaction
    return (
        one.replayed,
        result.status,
        type(result.rejection),
        result.version,
        None if transaction is None else (transaction.amount, transaction.balance_after),
        None if result.wallet is None else (result.wallet.balance, result.wallet.status),
    )
