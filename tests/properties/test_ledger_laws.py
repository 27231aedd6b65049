"""Laws of the ledger on random command histories, in memory, against a naive model."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.command_handling.submission import Settled
from ledger.domain.postings import postings
from ledger.event_log.hashing import unix_us
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    Command,
    CompleteTopup,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)
from schemas.events import (
    HoldPlaced,
    RecordedEvent,
    TopupCreated,
    TopupUnapplied,
    WalletToppedUp,
    decode_event,
    type_of,
)
from tests.specs.invariants import all_events, check
from tests.specs.world import SteppingClock, Writer

PAUSE = timedelta(seconds=40)
"""Between the two rounds of a history: long enough that some of the first's money lapses."""
MOMENTS = (None, timedelta(seconds=20), timedelta(days=1))
MONEY = ("credit", "debit", "hold", "transfer", "reverse", "topup", "pay")
OTHERS = (
    "capture",
    "capture",
    "void",
    "freeze",
    "unfreeze",
    "unfreeze",
    "close",
    "create",
    "cancel",
)

TOPUP = 25
"""What every top-up asks for, so that most payments are what was asked for."""

Step = tuple[str, int, int, int]


def _rounds(*kinds: str) -> st.SearchStrategy[tuple[list[Step], list[Step]]]:
    """Two rounds of commands; the second can name what the first has made."""
    step = st.tuples(
        st.sampled_from(kinds),
        st.integers(0, 2),  # which customer, hold or transaction
        st.integers(1, 40),  # amount
        st.integers(0, 12),  # which reference
    )
    steps = st.lists(step, min_size=5, max_size=30)
    return st.tuples(steps, steps)


class Names:
    """What commands can name: wallets, and what the first round has made in them."""

    def __init__(self, wallets: Sequence[str]) -> None:
        self.wallets = wallets
        self.holds: list[str] = []
        self.transactions: list[str] = []
        self.topups: list[str] = []

    def learn(self, settled: Iterable[Settled]) -> None:
        """Take over what was made. A replay names again what is known."""
        for result in [one.result for one in settled if one.result.rejection is None]:
            if result.hold is not None:
                self.holds.append(result.hold.id)
            if result.topup is not None:
                self.topups.append(result.topup.id)
            if result.transaction is not None:
                self.transactions.append(result.transaction.id)
            if result.transfer is not None:
                self.transactions.append(result.transfer.sent_transaction_id)
                self.transactions.append(result.transfer.received_transaction_id)
        self.holds = list(dict.fromkeys(self.holds))
        self.transactions = list(dict.fromkeys(self.transactions))
        self.topups = list(dict.fromkeys(self.topups))


def _command(step: Step, names: Names) -> Command | None:
    """The command; None where there is nothing yet that it could name."""
    kind, which, amount, _ = step
    wallet = names.wallets[which]
    match kind:
        case "freeze":
            return FreezeWallet(wallet_id=wallet)
        case "unfreeze":
            return UnfreezeWallet(wallet_id=wallet)
        case "close":
            return CloseWallet(wallet_id=wallet, remaining_balance="forfeit")
        case "create":
            return CreateWallet(customer_id=f"customer {which}", currency="GHS")
        case "capture" | "void":
            return _of_a_hold(kind, which, amount, names.holds) if names.holds else None
        case "reverse":
            return _reversal(step, names.transactions) if names.transactions else None
        case "pay" | "cancel":
            return _of_a_topup(step, names.topups) if names.topups else None
        case _:
            return _movement(step, wallet, names.wallets[which - 1])


def _movement(step: Step, wallet: str, receiver: str) -> Command:
    kind, _, amount, reference = step
    name = f"{kind} {reference}"
    match kind:
        case "credit":
            moment = MOMENTS[amount % len(MOMENTS)]
            expires_at = None if moment is None else SteppingClock().now + moment
            return CreditWallet(
                wallet_id=wallet, amount=amount, reference=name, expires_at=expires_at
            )
        case "debit":
            return DebitWallet(wallet_id=wallet, amount=amount, reference=name)
        case "hold":
            return PlaceHold(wallet_id=wallet, amount=amount, reference=name)
        case "topup":
            moment = MOMENTS[amount % len(MOMENTS)]
            return CreateTopup(
                wallet_id=wallet,
                amount=TOPUP,
                redirect_url="https://shop.example/thanks",
                expires_at=None if moment is None else SteppingClock().now + moment,
                reference=name,
            )
        case _:
            return TransferMoney(
                from_wallet_id=wallet, to_wallet_id=receiver, amount=amount, reference=name
            )


def _of_a_hold(kind: str, which: int, amount: int, holds: Sequence[str]) -> Command:
    hold = holds[amount % len(holds)]
    if kind == "void":
        return VoidHold(hold_id=hold)
    return CaptureHold(hold_id=hold, amount=amount if which else None, final=which == 1)


def _of_a_topup(step: Step, topups: Sequence[str]) -> Command:
    kind, which, amount, reference = step
    topup = topups[amount % len(topups)]
    if kind == "cancel":
        return CancelTopup(topup_id=topup)
    return CompleteTopup(
        topup_id=topup,
        payment_id=f"payment {reference % 4}",
        amount=TOPUP if which else amount,
        currency="GHS",
    )


def _reversal(step: Step, transactions: Sequence[str]) -> Command:
    _, which, amount, reference = step
    return ReverseTransaction(
        transaction_id=transactions[amount % len(transactions)],
        amount=amount if which else None,
        reference=f"reverse {reference}",
        allow_negative=reference == 0,
    )


async def _run(
    rounds: Iterable[Sequence[Step]], *, at_once: bool
) -> tuple[list[Settled], list[RecordedEvent]]:
    clock = SteppingClock()
    store = MemoryStore(clock)
    writer = await Writer(MemoryEventLog(store)).start()
    names = Names([await writer.open_wallet(f"customer {number}") for number in range(3)])
    for wallet in names.wallets:
        await writer.credit(wallet, 100, f"start of {wallet}")
    settled: list[Settled] = []
    for number, steps in enumerate(rounds, start=1):
        commands = [command for step in steps if (command := _command(step, names)) is not None]
        if at_once:
            came = await asyncio.gather(*map(writer.send, commands))
        else:
            came = [await writer.send(command) for command in commands]
        names.learn(came)
        settled += came
        # A new process, since one that saw the clock move by hand would not believe it.
        await writer.stop()
        clock.now += PAUSE
        writer = await Writer(MemoryEventLog(store), seed=number).start()
    events = await all_events(writer.log)
    await writer.stop()
    _every_row_names_the_event_that_made_it(store)
    return settled, events


def _every_row_names_the_event_that_made_it(store: MemoryStore) -> None:
    """In PostgreSQL what an append writes beside its events leads back to them by position."""
    events = store.events
    assert len({event.event_id for event in events}) == len(events), "each has an id of its own"
    for event in events:
        recorded_ms = unix_us(event.recorded_at) // 1_000
        assert int(event.event_id[:12], 16) == recorded_ms, "ids go with time, as UUIDv7s do"
    for append in store.appends:
        for row in append.wallets:
            opened = events[row.position - 1]
            assert (opened.type, opened.stream_id) == ("wallet.opened", row.wallet_id)
        for closure in append.closures:
            closed = events[closure.position - 1]
            assert (closed.type, closed.stream_id) == ("wallet.closed", closure.wallet_id)
        for reference in append.references:
            made = events[reference.position - 1]
            consumer = decode_event(made.type, made.schema_version, made.data)
            assert getattr(consumer, "reference", None) == reference.reference


@given(_rounds(*MONEY, *MONEY, *OTHERS))
def test_the_log_is_whole_and_money_is_neither_made_nor_lost(
    rounds: tuple[list[Step], list[Step]],
) -> None:
    settled, events = asyncio.run(_run(rounds, at_once=True))
    wallets = check(events)
    books: Counter[str] = Counter()
    for recorded in events:
        entry = postings(decode_event(recorded.type, recorded.schema_version, recorded.data))
        assert sum(leg.amount for leg in entry) == 0, "every entry balances"
        for leg in entry:
            books[leg.account] += leg.amount
    booked = sum(known.wallet.balance for known in wallets.values() if known.wallet)
    assert -books["customer_wallet"] == booked
    assert books["transfers_in_transit"] == 0
    _every_payment_is_somewhere_and_once(events, books)
    for one in settled:
        assert (one.result.rejection is None) == (one.result.status == "accepted")
        position = one.result.position
        if position is not None:
            assert events[position - 1].version == one.result.version
        elif one.result.rejection is None:
            assert one.result.wallet is not None, "whatever else was accepted made an event"


def _every_payment_is_somewhere_and_once(
    events: Sequence[RecordedEvent], books: Counter[str]
) -> None:
    """In a wallet, or among the unapplied; of a top-up one at most is in its wallet."""
    decoded = [decode_event(each.type, each.schema_version, each.data) for each in events]
    credited = [event for event in decoded if isinstance(event, WalletToppedUp)]
    kept = [event for event in decoded if isinstance(event, TopupUnapplied)]
    told = [(event.topup_id, event.payment_id) for event in credited]
    told += [(event.topup_id, event.payment_id) for event in kept]
    assert len(set(told)) == len(told)
    assert len({event.topup_id for event in credited}) == len(credited)
    outside = sum(event.amount for event in kept)
    assert books["unapplied_payments"] == -outside
    assert books["provider_clearing"] == outside + sum(event.amount for event in credited)


@given(_rounds(*MONEY, *MONEY, *OTHERS))
def test_a_batch_decides_as_its_commands_would_one_by_one(
    rounds: tuple[list[Step], list[Step]],
) -> None:
    together, _ = asyncio.run(_run(rounds, at_once=True))
    apart, _ = asyncio.run(_run(rounds, at_once=False))
    assert [_essence(one) for one in together] == [_essence(one) for one in apart]


@given(_rounds(*MONEY))
def test_repeating_every_movement_adds_nothing(rounds: tuple[list[Step], list[Step]]) -> None:
    _, events_once = asyncio.run(_run(rounds, at_once=True))
    doubled = [[step for step in steps for _ in range(2)] for steps in rounds]
    _, events_twice = asyncio.run(_run(doubled, at_once=True))
    # Declines are recorded each time that they happen; what moved money is compared.
    assert _movements(events_once) == _movements(events_twice)


def _movements(events: Sequence[RecordedEvent]) -> list[tuple[object, ...]]:
    moved: list[tuple[object, ...]] = []
    for recorded in events:
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
        if postings(event) or isinstance(event, HoldPlaced | TopupCreated):
            reference = getattr(event, "reference", None)
            available = getattr(event, "available_after", None)
            moved.append((type_of(event), reference, available, recorded.stream_id))
    return moved


def _essence(one: Settled) -> tuple[object, ...]:
    """What does not depend on ids and times."""
    result = one.result
    transaction, hold, transfer = result.transaction, result.hold, result.transfer
    topup = result.topup
    return (
        one.replayed,
        result.status,
        type(result.rejection),
        result.version,
        transaction and (transaction.kind, transaction.amount, transaction.balance_after),
        hold and (hold.status, hold.captured_amount, hold.held_amount),
        transfer and transfer.amount,
        topup and (topup.status, topup.amount, topup.expires_at > topup.updated_at),
        result.wallet and (result.wallet.balance, result.wallet.status),
    )
