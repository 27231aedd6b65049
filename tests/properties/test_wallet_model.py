"""Wallets against purses of coins, over random commands with time moving.

The purse (`tests.specs.coins`) knows nothing of lots. What the ledger would show after a sweep
must be what the purse holds, whenever the sweep comes.
"""

from collections import Counter
from copy import deepcopy
from datetime import timedelta
from typing import Any, Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.command_handling.results import Declined, rejection_of
from ledger.domain.postings import postings
from ledger.domain.wallet import Wallet
from ledger.domain.wallet.decision import after
from ledger.domain.wallet.lapses import due
from schemas.commands import ExpireDue, UnfreezeWallet
from schemas.events import (
    BalanceForfeited,
    CreditLapsed,
    CreditReversed,
    DebitReversed,
    HoldCaptured,
    HoldPlaced,
    TransferReceived,
    TransferSent,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletToppedUp,
)
from schemas.rejections import code_of
from tests.specs.coins import FOREVER, Purse, Refused
from tests.specs.decider import (
    NEVER,
    OPENED,
    OTHER_ID,
    START,
    THIRD_ID,
    WALLET_ID,
    Amounts,
    Given,
    When,
    amounts_of,
    received_named,
    transaction_named,
)
from tests.specs.wallet_commands import (
    capture,
    close,
    credit,
    debit,
    freeze,
    hold,
    reverse,
    transfer,
    void,
)

IDS = (WALLET_ID, OTHER_ID, THIRD_ID)
Scope = Literal["debits", "credits", "all"]

which = st.sampled_from([WALLET_ID, *IDS])
"""Mostly the first, so that one has a history."""
amounts = st.integers(1, 20)
more = st.integers(10, 30)
"""Of a credit, so that most other commands find something."""
parts = st.integers(1, 6)
days = st.integers(1, 6) | st.just(FOREVER)
picks = st.integers(0, 30)
changes = st.sampled_from([*["unfreeze"] * 6, "sweep", "debits", "credits", "all"])


class Movement:
    """A transaction that can be reversed: its coins in the order in which they went."""

    def __init__(self, coins: list[int], giver: str | None, taker: str | None) -> None:
        self.coins = coins
        self.giver = giver
        self.taker = taker
        self.undone = 0


class WalletsAreLikePurses(RuleBasedStateMachine):
    """Every rule gives a command to both, and they agree on whether it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Given(*((wallet_id, OPENED) for wallet_id in IDS))
        self.purses = {wallet_id: Purse() for wallet_id in IDS}
        self.today = 0
        self.count = 0
        self.movements: dict[str, Movement] = {}
        self.holds: dict[str, str] = {}
        self.went: dict[str, Counter[str]] = {wallet_id: Counter() for wallet_id in IDS}
        self.books: Counter[str] = Counter()
        self.may_owe: set[str] = set()

    @rule(count=st.integers(1, 3))
    def days_pass(self, count: int) -> None:
        """The purses let lapse day by day; the ledger is not asked."""
        for _ in range(count):
            self.today += 1
            for purse in self.purses.values():
                purse.live(self.today)

    @rule(of=which, amount=more, after_days=days)
    def credit(self, of: str, amount: int, after_days: int) -> None:
        """Money in."""
        name, ends = self._name(), self._day(after_days)
        refused = self.purses[of].refuses("credits")
        self._agree(credit(amount, self._moment(ends), name, of), refused)
        if refused is None:
            coins = [ends] * amount
            self.purses[of].put(coins)
            self.movements[transaction_named(name)] = Movement(coins, None, of)

    @rule(of=which, amount=amounts)
    def debit(self, of: str, amount: int) -> None:
        """Money out."""
        name = self._name()
        refused = self.purses[of].refuses_to_give(amount)
        self._agree(debit(amount, name, of), refused)
        if refused is None:
            coins = self.purses[of].give(amount)
            self.movements[transaction_named(name)] = Movement(coins, of, None)

    @rule(of=which, amount=amounts, after_days=days)
    def hold(self, of: str, amount: int, after_days: int) -> None:
        """Money aside."""
        name, ends = self._name(), self._day(after_days)
        refused = self.purses[of].refuses_to_give(amount)
        command = hold(amount, self._moment(ends), name, of)
        self._agree(command, refused)
        if refused is None:
            self.purses[of].set_aside(name, amount, ends)
            self.holds[name] = of

    @precondition(lambda self: self.holds)
    @rule(pick=picks, amount=st.none() | parts, final=st.booleans())
    def capture(self, pick: int, amount: int | None, final: bool) -> None:
        """Held money out, of any hold there ever was."""
        held, of = self._picked(self.holds, pick)
        name, purse = self._name(), self.purses[of]
        coins = purse.aside.get(held, [])
        count = amount or len(coins)
        refused: Refused | None = None
        if purse.closed:
            refused = "wallet_closed"
        elif held not in purse.aside:
            refused = "hold_not_open"
        elif "debits" in purse.stopped:
            refused = "wallet_frozen"
        elif count > len(coins):
            refused = "capture_exceeds_hold"
        self._agree(capture(amount, name, held, final=final), refused)
        if refused is None:
            spent = purse.capture(held, count, final=final)
            self._lapse(of)
            self.movements[transaction_named(name)] = Movement(spent, of, None)

    @precondition(lambda self: self.holds)
    @rule(pick=picks)
    def void(self, pick: int) -> None:
        """Held money back."""
        held, of = self._picked(self.holds, pick)
        purse = self.purses[of]
        refused: Refused | None = None
        if purse.closed:
            refused = "wallet_closed"
        elif held not in purse.aside:
            refused = "hold_not_open"
        self._agree(void(held), refused)
        if refused is None:
            purse.release(held)
            self._lapse(of)

    @rule(of=which, to=which, amount=amounts)
    def transfer(self, of: str, to: str, amount: int) -> None:
        """Money from one to another."""
        if of == to:
            return
        name, giver, taker = self._name(), self.purses[of], self.purses[to]
        refused = giver.refuses_to_give(amount) or taker.refuses("credits")
        self._agree(transfer(amount, name, of, to), refused)
        if refused is None:
            coins = giver.give(amount)
            taker.put(coins)
            movement = Movement(coins, of, to)
            self.movements[transaction_named(name)] = movement
            self.movements[received_named(name)] = movement

    @precondition(lambda self: self.movements)
    @rule(pick=picks, amount=st.none() | parts, below_zero=st.booleans())
    def reverse(self, pick: int, amount: int | None, below_zero: bool) -> None:
        """Any movement undone, in part or whole."""
        transaction, movement = self._picked(self.movements, pick)
        left = len(movement.coins) - movement.undone
        count = amount or left or len(movement.coins)
        giver = self.purses[movement.giver] if movement.giver else None
        taker = self.purses[movement.taker] if movement.taker else None
        refused: Refused | None = "reversal_exceeds_transaction" if count > left else None
        if refused is None and giver is not None:
            refused = giver.refuses("credits")
        if refused is None and taker is not None:
            refused = taker.refuses("debits") if below_zero else taker.refuses_to_give(count)
        command = reverse(
            "", amount, self._name(), transaction=transaction, allow_negative=below_zero
        )
        self._agree(command, refused)
        if refused is None:
            self._undo(movement, count, giver, taker)
            if movement.taker and below_zero:
                self.may_owe.add(movement.taker)

    def _undo(
        self, movement: Movement, count: int, giver: Purse | None, taker: Purse | None
    ) -> None:
        """The last coins that went come back first."""
        end = len(movement.coins) - movement.undone
        going = movement.coins[end - count : end]
        movement.undone += count
        if taker is not None:
            taker.give_back(going, movement.coins, count)
        if giver is not None and movement.giver is not None:
            giver.put(going)
            self._lapse(movement.giver)

    @rule(of=which, change=changes)
    def change(self, of: str, change: Scope | Literal["unfreeze", "sweep"]) -> None:
        """One rule for what moves no money, so that most commands do."""
        purse = self.purses[of]
        closed: Refused | None = "wallet_closed" if purse.closed else None
        match change:
            case "sweep":
                self._agree(ExpireDue(wallet_id=of), None)
            case "unfreeze":
                self._agree(UnfreezeWallet(wallet_id=of), closed)
                purse.stopped = set()
            case "all":
                self._agree(freeze(change, of), closed)
                purse.stopped = {"debits", "credits"}
            case _:
                self._agree(freeze(change, of), closed)
                purse.stopped |= {change}

    @precondition(lambda self: self.count > 30)  # or there would be little to close
    @rule(of=which, into=st.none() | st.just("forfeit") | which)
    def close(self, of: str, into: str | None) -> None:
        """With and without a word about the rest."""
        purse = self.purses[of]
        taker = self.purses.get(into or "")
        if purse is taker:
            return
        emptied = self._without_holds(purse)
        refused: Refused | None = None
        if emptied.booked and not purse.closed:
            if into is None or emptied.booked < 0:
                refused = "wallet_not_empty"
            elif purse.stopped:
                refused = "wallet_frozen"
            elif taker is not None:
                refused = taker.refuses("credits")
        self._agree(close(of, into), refused)
        if refused is None and not purse.closed:
            if taker is not None:
                taker.put(emptied.loose)
            self.purses[of] = Purse()
            self.purses[of].closed = True

    def _without_holds(self, purse: Purse) -> Purse:
        """The purse as it would be with its holds over."""
        emptied = deepcopy(purse)
        for name in list(emptied.aside):
            emptied.release(name)
        emptied.live(self.today)
        return emptied

    @invariant()
    def they_hold_the_same(self) -> None:
        """What a sweep would leave of each wallet is what is in its purse."""
        for wallet_id, purse in self.purses.items():
            wallet = self._swept(wallet_id)
            assert wallet.balance == purse.booked
            assert wallet.available == purse.available
            shown: Amounts = {self._moment(day): n for day, n in purse.shown().items()}
            assert amounts_of(wallet) == shown
            held = {len(coins) for coins in purse.aside.values()}
            assert {each.amount for each in wallet.holds.values()} == held
            assert (wallet.status == "closed") == purse.closed

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        """The laws of one wallet, and of the books."""
        for wallet_id, went in self.went.items():
            wallet = self.ledger.wallets[wallet_id]
            lots = sum(amounts_of(wallet).values())
            held = sum(each.amount for each in wallet.holds.values())
            assert lots + held + went["spent"] + went["lapsed"] == went["credited"]
            assert wallet.available >= 0 or wallet_id in self.may_owe
        balances = sum(wallet.balance for wallet in self.ledger.wallets.values())
        assert -self.books["customer_wallet"] == balances
        assert self.books["transfers_in_transit"] == 0

    def _agree(self, command: Any, refused: Refused | None) -> None:
        """The ledger decides as the purses do, and what it writes down keeps the laws."""
        when = self.ledger.when(command, now=START + timedelta(days=self.today))
        rejection = when.decision.rejection
        assert (None if rejection is None else code_of(rejection)) == refused
        answer = when.decision.answer
        if isinstance(answer, Declined):
            assert rejection_of(answer) == rejection
        self._record(when)

    def _record(self, when: When) -> None:
        now = self.ledger.now
        for wallet_id, events in (
            (when.wallet_id, when.decision.events),
            (when.other_id or "", when.decision.others),
        ):
            for event in events:
                entry = postings(event)
                assert sum(leg.amount for leg in entry) == 0
                for leg in entry:
                    self.books[leg.account] += leg.amount
                if any(leg.account == "customer_wallet" for leg in entry):
                    self.went[wallet_id][_direction(event)] += entry[0].amount
                for lot in _taken(event):
                    assert lot is None or lot > now, "no lapsed money is spent"

    def _swept(self, wallet_id: str) -> Wallet:
        wallet = self.ledger.wallets[wallet_id]
        now = START + timedelta(days=self.today)
        return after(wallet, due(wallet, now), now)

    def _lapse(self, wallet_id: str) -> None:
        self.purses[wallet_id].live(self.today)

    def _name(self) -> str:
        self.count += 1
        return f"movement {self.count}"

    def _day(self, after_days: int) -> int:
        return FOREVER if after_days == FOREVER else self.today + after_days

    @staticmethod
    def _moment(day: int) -> Any:
        return NEVER if day == FOREVER else START + timedelta(days=day)

    @staticmethod
    def _picked(among: dict[str, Any], pick: int) -> tuple[str, Any]:
        """One of the latest, so that what is picked mostly still matters."""
        names = list(among)
        name = names[-1 - pick % min(len(names), 8)]
        return name, among[name]


def _direction(event: WalletEvent) -> str:
    match event:
        case WalletCredited() | TransferReceived() | DebitReversed() | WalletToppedUp():
            return "credited"
        case CreditLapsed():
            return "lapsed"
        case (
            WalletDebited()
            | HoldCaptured()
            | TransferSent()
            | CreditReversed()
            | BalanceForfeited()
        ):
            return "spent"
        case _:
            raise AssertionError(f"{event} has postings")


def _taken(event: WalletEvent) -> list[Any]:
    """The moments of the lots that an event takes money out of."""
    match event:
        case WalletDebited() | CreditReversed():
            parts = event.spent
        case TransferSent():
            parts = event.sent
        case HoldPlaced():
            parts = event.allocated
        case _:
            return []
    return [part.expires_at for part in parts]


WalletsAreLikePurses.TestCase.settings = settings(
    max_examples=250, stateful_step_count=60, deadline=None
)
TestWalletsAreLikePurses = WalletsAreLikePurses.TestCase
