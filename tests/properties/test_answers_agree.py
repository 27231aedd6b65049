"""A command's own answer and the read models say the same, word for word.

Two mappings lead from an event to what a client sees: the write side's results and the
projections. They share no code, because neither side may import the other; this holds
them together over random histories, in memory.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ledger.command_handling.submission import Settled
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from projections.balances.evolve import fold
from projections.interface import ProjectedEvent, WalletKey
from projections.transactions.evolve import transaction_of
from schemas.commands import (
    NO_METADATA,
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    UnfreezeWallet,
)
from schemas.events import RecordedEvent
from schemas.money import MAX_AMOUNT_MINOR
from schemas.results import TransactionView, WalletView
from tests.specs.invariants import all_events
from tests.specs.world import SteppingClock, Writer

CUSTOMERS = 3


class Step(NamedTuple):
    """A command to come, its wallet not yet named."""

    kind: str
    customer: int
    amount: int
    reference: int
    description: str
    metadata: msgspec.Raw
    command_id: str | None


class Run(NamedTuple):
    """What the commands were answered, and what the log holds after them."""

    answers: list[Settled]
    events: list[ProjectedEvent]

    def transactions(self) -> dict[str, TransactionView]:
        """What the history shows, by id."""
        lines = (transaction_of(event) for event in self.events)
        return {line.id: line for line in lines if line is not None}

    def wallet(self, wallet_id: str, version: int) -> WalletView | None:
        """What the balances show of a wallet when they have come to a version."""
        return fold(
            None,
            (
                event
                for event in self.events
                if event.wallet.wallet_id == wallet_id and event.version <= version
            ),
        )


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(
            ["credit", "credit", "debit", "debit", "freeze", "unfreeze", "close", "forfeit", "open"]
        ),
        customer=st.integers(0, CUSTOMERS - 1),
        amount=st.integers(1, 40) | st.just(MAX_AMOUNT_MINOR),
        reference=st.integers(0, 12),
        description=st.sampled_from(["", "Airtime", "é 😀"]),
        metadata=st.sampled_from(
            [NO_METADATA, msgspec.Raw(b"{}"), msgspec.Raw(b'{"a": 1.50,  "b": [null]}')]
        ),
        command_id=st.none() | st.sampled_from(["first", "second"]),
    ),
    max_size=50,
)


@given(steps)
def test_an_answer_is_what_the_read_models_show(history: list[Step]) -> None:
    _compare(asyncio.run(_run(history)))


def _compare(run: Run) -> None:
    lines = run.transactions()
    for settled in run.answers:
        answered = settled.result.transaction
        if answered is not None:
            assert _json(answered) == _json(lines[answered.id])
        wallet = settled.result.wallet
        if wallet is not None:
            assert _json(wallet) == _json(run.wallet(wallet.id, wallet.version))


@given(steps)
def test_the_history_has_nothing_that_was_not_answered(history: list[Step]) -> None:
    run = asyncio.run(_run(history))
    answered = {transaction.id for transaction in _transactions(run.answers)}
    shown = run.transactions()
    # A forfeiture is part of closing a wallet, which is answered with the wallet.
    forfeited = {line.id for line in shown.values() if line.kind == "forfeiture"}
    assert shown.keys() - forfeited == answered


def test_every_kind_of_transaction_has_been_compared() -> None:
    """Random histories may miss one; this one has them all."""
    told = [
        ("credit", 100),
        ("credit", MAX_AMOUNT_MINOR),
        ("debit", 30),
        ("debit", 71),
        ("freeze", 1),
        ("debit", 1),
        ("unfreeze", 1),
        ("forfeit", 1),
        ("debit", 1),
        ("credit", 1),
    ]
    metadata = msgspec.Raw(b'{"k": 1}')
    run = asyncio.run(
        _run(
            [
                Step(kind, 0, amount, number, "why", metadata, None)
                for number, (kind, amount) in enumerate(told)
            ]
        )
    )
    _compare(run)
    assert [(line.type, line.kind, line.code) for line in run.transactions().values()] == [
        ("credit", "credit", None),
        ("credit", "credit", "balance_limit_exceeded"),
        ("debit", "debit", None),
        ("debit", "debit", "insufficient_funds"),
        ("debit", "debit", "wallet_frozen"),
        ("debit", "forfeiture", None),
        ("debit", "debit", "wallet_closed"),
        ("credit", "credit", "wallet_closed"),
    ]


async def _run(history: Sequence[Step]) -> Run:
    writer = await Writer(MemoryEventLog(MemoryStore(SteppingClock()))).start()
    wallets = [await writer.open_wallet(f"customer {number}") for number in range(CUSTOMERS)]
    sent = (writer.send(_command(step, wallets), command_id=step.command_id) for step in history)
    answers = await asyncio.gather(*sent)
    events = [_projected(event) for event in await all_events(writer.log)]
    await writer.stop()
    return Run(answers, events)


def _command(step: Step, wallets: Sequence[str]) -> Command:
    wallet_id = wallets[step.customer]
    match step.kind:
        case "credit":
            return CreditWallet(
                wallet_id=wallet_id,
                amount=step.amount,
                reference=f"in {step.reference}",
                description=step.description,
                metadata=step.metadata,
            )
        case "debit":
            return DebitWallet(
                wallet_id=wallet_id,
                amount=step.amount,
                reference=f"out {step.reference}",
                description=step.description,
                metadata=step.metadata,
            )
        case "freeze":
            return FreezeWallet(wallet_id=wallet_id)
        case "unfreeze":
            return UnfreezeWallet(wallet_id=wallet_id)
        case "close":
            return CloseWallet(wallet_id=wallet_id)
        case "forfeit":
            return CloseWallet(wallet_id=wallet_id, remaining_balance="forfeit")
        case _:
            customer = f"customer {step.customer}"
            return CreateWallet(customer_id=customer, currency="GHS", metadata=step.metadata)


def _projected(recorded: RecordedEvent) -> ProjectedEvent:
    return ProjectedEvent(
        position=recorded.position,
        wallet=WalletKey(recorded.tenant_id, recorded.stream_id),
        version=recorded.version,
        event_id=recorded.event_id,
        type=recorded.type,
        schema_version=recorded.schema_version,
        data=recorded.data,
        recorded_at=recorded.recorded_at,
    )


def _transactions(answers: Sequence[Settled]) -> Iterator[TransactionView]:
    for settled in answers:
        if settled.result.transaction is not None:
            yield settled.result.transaction


def _json(view: TransactionView | WalletView | None) -> bytes:
    """Something to compare by: byte for byte, metadata included."""
    return msgspec.json.encode(view)
