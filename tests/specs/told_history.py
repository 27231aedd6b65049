"""Histories that are told by what is asked for, and what came of them: answers and events.

A step names no id: which wallet, hold or transaction it is about is looked up when its turn
comes, among those that the answers before it have named.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from ledger.command_handling.submission import Settled
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from projections.balances.evolve import evolve_hold, fold, hold_event
from projections.interface import ProjectedEvent
from projections.transactions.evolve import transaction_of
from schemas.commands import (
    CaptureHold,
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    UnfreezeWallet,
    VoidHold,
)
from schemas.events import RecordedEvent
from schemas.results import HoldView, TransactionView, TransferView, WalletView
from services.gateway.reads import transfer_of
from tests.specs.event_factory import projected
from tests.specs.invariants import all_events
from tests.specs.world import SteppingClock, Writer, submission

CUSTOMERS = 3
KINDS = (
    *("credit", "debit", "lapsing credit", "hold", "ending hold", "capture", "void"),
    *("transfer", "reverse", "freeze", "unfreeze", "close", "forfeit", "close into", "open"),
)
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_NAMING = ("capture", "void", "reverse")
"""Steps that are about what an answer has named."""
_NONE = "0" * 32


class Step(NamedTuple):
    """A command to come, what it is about not yet named."""

    kind: str
    customer: int
    amount: int
    reference: int
    description: str
    metadata: msgspec.Raw
    command_id: str | None
    choice: int = 0
    """Which of the other wallets, the holds or the transactions; counted from the newest."""


class Run(NamedTuple):
    """What the commands were answered, and what the log holds after them."""

    answers: list[Settled]
    recorded: list[RecordedEvent]

    @property
    def events(self) -> list[ProjectedEvent]:
        """The log as a projector sees it."""
        return [projected(event) for event in self.recorded]

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
                if event.wallet.stream_id == wallet_id and event.version <= version
            ),
        )

    def holds(self, wallet_id: str, version: int) -> dict[str, HoldView]:
        """What the balances show of a wallet's holds by then, by id."""
        views: dict[str, HoldView] = {}
        for recorded in self.events:
            event = hold_event(recorded)
            if event is None or recorded.wallet.stream_id != wallet_id:
                continue
            if recorded.version <= version:
                views[event.hold_id] = evolve_hold(views.get(event.hold_id), recorded, event)
        return views

    def transfers(self) -> dict[str, TransferView]:
        """What a GET of a transfer shows, by id."""
        shown = (transfer_of(event) for event in self.events)
        return {transfer.id: transfer for transfer in shown if transfer is not None}


class _Names:
    """What the answers have named so far."""

    def __init__(self, wallets: Sequence[str]) -> None:
        self.wallets = wallets
        self._holds: list[str] = []
        self._transactions: list[str] = []

    def learn(self, settled: Settled) -> None:
        """Take in one more answer."""
        result = settled.result
        if result.hold is not None:
            self._holds.append(result.hold.id)
        if result.transaction is not None:
            self._transactions.append(result.transaction.id)
        if result.transfer is not None:
            legs = (result.transfer.sent_transaction_id, result.transfer.received_transaction_id)
            self._transactions += legs

    def hold(self, choice: int) -> str:
        """One of the holds, or one that there is not."""
        return _newest(self._holds, choice) or f"hol_{_NONE}"

    def transaction(self, choice: int) -> str:
        """One of the transactions, or one that there is not."""
        return _newest(self._transactions, choice) or f"txn_{_NONE}"


def _newest(named: Sequence[str], choice: int) -> str | None:
    return named[-1 - choice % len(named)] if named else None


async def run_of(history: Sequence[Step]) -> Run:
    """Ask for all of it, in order; in batches as large as can be."""
    writer = await Writer(MemoryEventLog(MemoryStore(SteppingClock()))).start()
    wallets = [await writer.open_wallet(f"customer {number}") for number in range(CUSTOMERS)]
    names = _Names(wallets)
    answers: list[Settled] = []
    asked: list[asyncio.Future[Settled]] = []

    async def settle() -> None:
        settled = await asyncio.gather(*asked)
        answers.extend(settled)
        asked.clear()
        for each in settled:
            names.learn(each)

    for step in history:
        if step.kind in _NAMING:
            await settle()
        command = _command(step, names)
        asked.append(writer.processor.enqueue(submission(command, step.command_id)))
    await settle()
    recorded = await all_events(writer.log)
    await writer.stop()
    return Run(answers, recorded)


def _command(step: Step, names: _Names) -> Command:
    wallet_id = names.wallets[step.customer]
    # Some of these are the same wallet, which is refused.
    other_id = names.wallets[(step.customer + 1 + step.choice) % CUSTOMERS]
    # The clock goes on by a millisecond at each look, so some of these come to pass.
    soon = _BEGINNING + timedelta(milliseconds=8 + 3 * step.choice)
    match step.kind:
        case "credit" | "lapsing credit":
            return CreditWallet(
                wallet_id=wallet_id,
                amount=step.amount,
                reference=f"in {step.reference}",
                description=step.description,
                expires_at=soon if step.kind == "lapsing credit" else None,
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
        case "hold" | "ending hold":
            return PlaceHold(
                wallet_id=wallet_id,
                amount=step.amount,
                reference=f"hold {step.reference}",
                description=step.description,
                expires_at=soon if step.kind == "ending hold" else None,
                metadata=step.metadata,
            )
        case "transfer":
            return TransferMoney(
                from_wallet_id=wallet_id,
                to_wallet_id=other_id,
                amount=step.amount,
                reference=f"over {step.reference}",
                description=step.description,
                metadata=step.metadata,
            )
        case "capture" | "void" | "reverse":
            return _of_what_was(step, names)
        case "open":
            customer = f"customer {step.customer}"
            return CreateWallet(customer_id=customer, currency="GHS", metadata=step.metadata)
        case _:
            return _change(step, wallet_id, other_id)


def _of_what_was(step: Step, names: _Names) -> Command:
    # Half of them ask for all that there is.
    amount = step.amount if step.choice % 2 else None
    match step.kind:
        case "capture":
            return CaptureHold(
                hold_id=names.hold(step.choice // 2),
                amount=amount,
                final=step.reference % 2 == 0,
                description=step.description,
                reference=f"leg {step.reference}" if step.reference % 3 else None,
                metadata=step.metadata,
            )
        case "void":
            return VoidHold(hold_id=names.hold(step.choice // 2))
        case _:
            return ReverseTransaction(
                transaction_id=names.transaction(step.choice // 2),
                amount=amount,
                allow_negative=step.reference % 2 == 0,
                reference=f"back {step.reference}",
                description=step.description,
                metadata=step.metadata,
            )


def _change(step: Step, wallet_id: str, other_id: str) -> Command:
    match step.kind:
        case "freeze":
            return FreezeWallet(wallet_id=wallet_id)
        case "unfreeze":
            return UnfreezeWallet(wallet_id=wallet_id)
        case "close":
            return CloseWallet(wallet_id=wallet_id)
        case "forfeit":
            return CloseWallet(wallet_id=wallet_id, remaining_balance="forfeit")
        case "close into":
            into = TransferTo(transfer_to=other_id)
            return CloseWallet(wallet_id=wallet_id, remaining_balance=into)
        case _:
            raise AssertionError(f"{step.kind} is none of the kinds")
