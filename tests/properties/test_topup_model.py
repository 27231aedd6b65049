"""Top-ups beside all else that wallets do, against the same purses and a plain list of payments.

What has come in is in a wallet or among the unapplied payments, each payment once.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from schemas.commands import CompleteTopup
from tests.properties.test_wallet_model import WalletsAreLikePurses, amounts, picks, which
from tests.specs.coins import FOREVER, Refused
from tests.specs.decider import topup_named
from tests.specs.wallet_commands import cancel, topup

payments = st.sampled_from(["first", "first", "second", "third"])
wrong = st.sampled_from([0] * 6 + [1])


class Asked:
    """A payment that is asked for, and those that have come."""

    def __init__(self, of: str, amount: int, ends: int) -> None:
        self.of = of
        self.amount = amount
        self.ends = ends
        self.is_cancelled = False
        self.credited: str | None = None
        self.kept: dict[str, int] = {}


class WalletsAreToppedUp(WalletsAreLikePurses):
    """The rules of the purses, and those of top-ups among them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, Asked] = {}

    @rule(of=which, amount=amounts, after_days=st.none() | st.integers(1, 6))
    def topup(self, of: str, amount: int, after_days: int | None) -> None:
        """A payment is asked for; where nothing is said, it is over by the next day."""
        name = self._name()
        refused = self.purses[of].refuses("credits")
        moment = None if after_days is None else self._moment(self.today + after_days)
        self._agree(topup(amount, moment, name, of), refused)
        if refused is None:
            self.asked[name] = Asked(of, amount, self.today + (after_days or 1))

    @precondition(lambda self: self.asked)
    @rule(pick=picks, payment=payments, more=wrong)
    def pay(self, pick: int, payment: str, more: int) -> None:
        """A payment comes, for any top-up there ever was; perhaps the one that came before."""
        name, asked = self._picked(self.asked, pick)
        purse, amount = self.purses[asked.of], asked.amount + more
        is_known = payment == asked.credited or payment in asked.kept
        refused: Refused | None = None
        if purse.closed:
            refused = "wallet_closed"
        elif asked.credited is not None:
            refused = "topup_already_paid"
        elif more:
            refused = "payment_mismatch"
        else:
            refused = purse.refuses("credits")
        command = CompleteTopup(
            topup_id=topup_named(name),
            payment_id=payment,
            amount=amount,
            currency="GHS",
        )
        self._agree(command, None if is_known else refused)
        if is_known:
            return
        if refused is None:
            asked.credited = payment
            purse.put([FOREVER] * amount)
        else:
            asked.kept[payment] = amount

    @precondition(lambda self: self.asked)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        """A payment is no longer waited for."""
        name, asked = self._picked(self.asked, pick)
        pending = self._is_pending(asked)
        self._agree(cancel(name), None if pending else "topup_not_pending")
        asked.is_cancelled = asked.is_cancelled or pending

    @invariant()
    def the_same_are_waited_for(self) -> None:
        """What a sweep would leave pending."""
        for wallet_id in self.purses:
            pending = {
                topup_named(name)
                for name, asked in self.asked.items()
                if asked.of == wallet_id and self._is_pending(asked)
            }
            assert self._swept(wallet_id).topups.keys() == pending

    @invariant()
    def every_payment_is_somewhere_and_once(self) -> None:
        """With the provider as much as was credited and as was kept outside."""
        credited = sum(each.amount for each in self.asked.values() if each.credited)
        kept = sum(sum(each.kept.values()) for each in self.asked.values())
        assert self.books["provider_clearing"] == credited + kept
        assert self.books["unapplied_payments"] == -kept

    def _is_pending(self, asked: Asked) -> bool:
        is_paid = asked.credited is not None or asked.kept
        is_over = asked.is_cancelled or is_paid or asked.ends <= self.today
        return not is_over and not self.purses[asked.of].closed


WalletsAreToppedUp.TestCase.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None
)
TestWalletsAreToppedUp = WalletsAreToppedUp.TestCase
