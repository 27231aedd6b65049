"""The books of a bank whose customers are known: balanced after every event, whatever happens.

Some wallets are enrolled, as the second API does it, one is opened without KYC, as the first does;
money goes between all of them. Tiers rise, reviews are settled, people are erased, days pass.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple, TypeVar

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.command_handling.submission import Settled
from ledger.domain.nuban import account_number
from ledger.domain.postings import postings
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from projections.balances.evolve import evolve
from projections.trial_balance.evolve import entry_of
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
    TransferSent,
    WalletCredited,
    WalletDebited,
    WalletToppedUp,
    decode_event,
)
from schemas.results import WalletView
from schemas.tiers import TIERS, Tier
from tests.specs.event_factory import projected
from tests.specs.invariants import all_events, check
from tests.specs.known_customers import (
    BANK,
    LIMITS,
    FixedRules,
    customer,
    enroll,
    erase,
    raise_tier,
    review,
)
from tests.specs.world import SteppingClock, Writer

PEOPLE = 4
MOVING = ("credit", "credit", "credit", "debit", "transfer", "transfer", "hold", "topup")
SETTLING = ("capture", "void", "reverse", "reverse", "pay", "pay", "cancel")
BEING_KNOWN = ("enroll", "enroll", "raise", "approve", "reject", "erase")
CHANGING = ("freeze", "unfreeze", "close", "reopen", "day")
ThingT = TypeVar("ThingT")


class Step(NamedTuple):
    """A command to come; what it is about is looked up when its turn comes."""

    kind: str
    who: int
    amount: int
    choice: int = 0


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from([*MOVING, *MOVING, *SETTLING, *BEING_KNOWN, *CHANGING]),
        st.integers(0, PEOPLE),
        st.integers(1, 60) | st.sampled_from([100, 101, 200, 201, 500]),
        st.integers(0, 8),
    ),
    min_size=20,
    max_size=80,
)


class Bank:
    """What commands can name, as the answers before them have named it."""

    def __init__(self) -> None:
        self.wallets: dict[int, str] = {}
        """The newest of each person, and of nobody in particular under `PEOPLE`."""
        self._holds: list[str] = []
        self._topups: list[str] = []
        self._transactions: list[str] = []

    def learn(self, step: Step, settled: Settled) -> None:
        """Take in an answer."""
        result = settled.result
        if result.rejection is not None:
            return
        if result.wallet is not None and step.kind in ("enroll", "reopen"):
            self.wallets[step.who] = result.wallet.id
        if result.hold is not None:
            self._holds.append(result.hold.id)
        if result.topup is not None:
            self._topups.append(result.topup.id)
        if result.transaction is not None:
            self._transactions.append(result.transaction.id)
        if result.transfer is not None:
            legs = (result.transfer.sent_transaction_id, result.transfer.received_transaction_id)
            self._transactions += legs

    def command(self, step: Step, number: int) -> Command | None:
        """The command; None where there is nothing yet that it could name."""
        if step.kind == "enroll":
            # Who is erased comes back as somebody else, though it is the same person.
            who = step.who + (10 if step.choice > 5 else 0)
            return enroll(who, f"person {step.who}", TIERS[step.choice % 3])
        if step.kind == "reopen":
            return CreateWallet(customer_id=customer(step.who), currency="GHS")
        if step.kind in ("capture", "void", "reverse", "pay", "cancel"):
            return self._settling(step, number)
        if (wallet := self.wallets.get(step.who)) is None:
            return None
        if step.kind in MOVING:
            return self._moving(step, number, wallet)
        return _changing(step, wallet)

    def _moving(self, step: Step, number: int, wallet: str) -> Command | None:
        name, amount = f"{step.kind} {number}", step.amount
        match step.kind:
            case "credit":
                return CreditWallet(wallet_id=wallet, amount=amount, reference=name)
            case "debit":
                return DebitWallet(wallet_id=wallet, amount=amount, reference=name)
            case "hold":
                return PlaceHold(wallet_id=wallet, amount=amount, reference=name)
            case "topup":
                url = "https://shop.example/thanks"
                return CreateTopup(
                    wallet_id=wallet, amount=amount, redirect_url=url, reference=name
                )
            case _:
                others = [each for each in self.wallets.values() if each != wallet]
                if not others:
                    return None
                other = _newest(others, step.choice)
                return TransferMoney(
                    from_wallet_id=wallet, to_wallet_id=other, amount=amount, reference=name
                )

    def _settling(self, step: Step, number: int) -> Command | None:
        amount = step.amount if step.choice % 2 else None
        match step.kind:
            case "capture" if self._holds:
                return CaptureHold(hold_id=_newest(self._holds, step.choice), amount=amount)
            case "void" if self._holds:
                return VoidHold(hold_id=_newest(self._holds, step.choice))
            case "reverse" if self._transactions:
                return ReverseTransaction(
                    transaction_id=_newest(self._transactions, step.choice),
                    amount=amount,
                    reference=f"reverse {number}",
                    allow_negative=step.choice > 6,
                )
            case "pay" if self._topups:
                return CompleteTopup(
                    topup_id=_newest(self._topups, step.choice),
                    payment_id=f"payment {number % 7}",
                    amount=step.amount,
                    currency="GHS",
                )
            case "cancel" if self._topups:
                return CancelTopup(topup_id=_newest(self._topups, step.choice))
            case _:
                return None


def _changing(step: Step, wallet: str) -> Command:
    match step.kind:
        case "raise":
            return raise_tier(TIERS[1 + step.choice % 2], wallet)
        case "approve":
            return review("approved", wallet)
        case "reject":
            return review("rejected", wallet)
        case "erase":
            return erase(wallet)
        case "freeze":
            return FreezeWallet(wallet_id=wallet, scope="all")
        case "unfreeze":
            return UnfreezeWallet(wallet_id=wallet)
        case "close":
            return CloseWallet(wallet_id=wallet, remaining_balance="forfeit")
        case _:
            raise AssertionError(f"{step.kind} is none of the kinds")


def _newest(things: Sequence[ThingT], choice: int) -> ThingT:
    return things[-1 - choice % len(things)]


async def _happen(history: Sequence[Step]) -> list[RecordedEvent]:
    clock = SteppingClock()
    store = MemoryStore(clock)
    writer = await Writer(MemoryEventLog(store), rules=FixedRules()).start()
    bank = Bank()
    opening = [Step("reopen", PEOPLE, 1), *(Step("enroll", number, 1) for number in range(2))]
    for number, step in enumerate([*opening, *history]):
        if step.kind == "day":
            # A writer that has seen the clock would take this for a step of it.
            await writer.stop()
            clock.now += timedelta(days=1)
            writer = await Writer(MemoryEventLog(store), number, FixedRules()).start()
        elif (command := bank.command(step, number)) is not None:
            bank.learn(step, await writer.send(command))
    recorded = await all_events(writer.log)
    await writer.stop()
    return recorded


EVERYTHING = [
    *(Step("credit", 0, 100), Step("credit", 0, 101), Step("credit", 4, 500)),
    *(Step("debit", 0, 20), Step("debit", 0, 40), Step("day", 0, 1), Step("debit", 0, 40)),
    *(Step("transfer", 0, 10, 1), Step("transfer", 4, 60, 1), Step("reverse", 0, 1, 0)),
    *(Step("hold", 4, 50), Step("capture", 0, 10, 1), Step("void", 0, 1)),
    *(Step("topup", 1, 30), Step("pay", 0, 30), Step("pay", 0, 30)),
    *(Step("topup", 1, 30), Step("cancel", 0, 1)),
    *(Step("raise", 1, 1, 1), Step("credit", 1, 9), Step("approve", 1, 1), Step("credit", 1, 500)),
    *(Step("enroll", 2, 1, 2), Step("credit", 2, 9), Step("approve", 2, 1)),
    *(Step("enroll", 3, 1, 2), Step("topup", 3, 9), Step("reject", 3, 1), Step("erase", 3, 1)),
    *(Step("erase", 0, 1), Step("enroll", 0, 1, 6), Step("credit", 0, 5), Step("raise", 0, 1, 0)),
    *(Step("freeze", 1, 1), Step("debit", 1, 1), Step("unfreeze", 1, 1), Step("close", 1, 1)),
]


@given(steps)
@example(EVERYTHING)
def test_the_books_of_a_bank_are_balanced_after_every_event(history: list[Step]) -> None:
    accounts: Counter[str] = Counter()
    wallets: dict[str, WalletView] = {}
    for recorded in asyncio.run(_happen(history)):
        event = projected(recorded)
        entry = entry_of(event)
        legs = postings(decode_event(event.type, event.schema_version, event.data))
        shown = (
            [] if entry is None else [(entry.debit, entry.amount), (entry.credit, -entry.amount)]
        )
        assert shown == [(leg.account, leg.amount) for leg in legs], "both sides book the same"
        for account, amount in shown:
            accounts[account] += amount
        name = event.wallet.stream_id
        wallets[name] = evolve(wallets.get(name), event)
        assert accounts.total() == 0, f"after position {event.position}"
        assert -accounts["customer_wallet"] == sum(each.balance for each in wallets.values())
    assert accounts["transfers_in_transit"] == 0, "both legs of a transfer are in one append"


@given(steps)
@example(EVERYTHING)
def test_no_wallet_goes_over_the_limits_of_its_tier(history: list[Step]) -> None:
    """What a bank of paper would have counted: by the tier at that time, and the day in Lagos."""
    wallets: dict[str, WalletView] = {}
    spent: defaultdict[tuple[str, str], int] = defaultdict(int)
    for recorded in asyncio.run(_happen(history)):
        name = recorded.stream_id
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
        before = wallets.get(name)
        wallets[name] = evolve(before, projected(recorded))
        if before is None or before.tier is None:
            continue
        limits = LIMITS[before.tier]
        if isinstance(event, WalletCredited):
            assert event.amount <= (limits.largest_credit_minor or event.amount)
            assert event.balance_after <= (limits.largest_balance_minor or event.balance_after)
        if isinstance(event, WalletDebited | HoldPlaced | TransferSent):
            day = recorded.recorded_at.astimezone(FixedRules.time_zone).date()
            spent[name, day.isoformat()] += event.amount
            assert spent[name, day.isoformat()] <= (limits.largest_daily_debit_minor or 0)
        if isinstance(event, WalletCredited | WalletToppedUp | WalletDebited | TransferSent):
            assert before.review in (None, "approved"), "what waits for a review moves no money"


@given(steps)
@example(EVERYTHING)
def test_a_number_is_had_by_whom_it_is_due_and_none_is_left_out(history: list[Step]) -> None:
    recorded = asyncio.run(_happen(history))
    check(recorded)
    wallets: dict[str, WalletView] = {}
    allotted: list[str] = []
    for each in recorded:
        before = wallets.get(each.stream_id)
        after = wallets[each.stream_id] = evolve(before, projected(each))
        had = None if before is None else before.account_number
        if after.account_number != had:
            assert had is None, "a wallet keeps the number that it got"
            assert after.account_number is not None
            allotted.append(after.account_number)
    assert allotted == [account_number(serial, BANK) for serial in range(len(allotted))]
    for view in wallets.values():
        waited: Tier | None = None if view.review == "approved" else "TIER_THREE"
        if view.account_number is None:
            assert view.tier in (None, waited), "only who is not known or waits has none"


def test_one_history_has_everything_in_it() -> None:
    """Random ones may miss a kind; of this one the tests above have seen all."""
    types = {each.type for each in asyncio.run(_happen(EVERYTHING))}
    assert types >= {
        *("wallet.opened", "wallet.tier_raised", "wallet.reviewed", "wallet.customer_erased"),
        *("wallet.credited", "wallet.debited", "wallet.transfer_sent", "wallet.transfer_received"),
        *("wallet.credit_reversed", "wallet.debit_reversed", "wallet.debit_declined"),
        *("wallet.hold_placed", "wallet.hold_captured", "wallet.hold_released"),
        *("wallet.topup_created", "wallet.topped_up", "wallet.topup_unapplied"),
        *("wallet.topup_ended", "wallet.balance_forfeited", "wallet.closed"),
        *("wallet.credit_declined", "wallet.frozen", "wallet.unfrozen"),
    }
