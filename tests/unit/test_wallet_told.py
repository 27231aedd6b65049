"""What was told with a command stands in its event, verbatim, whatever comes of it."""

import pytest
from msgspec import Raw
from msgspec.structs import replace

from schemas.commands import (
    CaptureHold,
    Command,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    EnrollCustomer,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
)
from schemas.events import (
    CreditDeclined,
    CustomerErased,
    DebitDeclined,
    TopupUnapplied,
    WalletOpened,
    WalletReviewed,
    WalletToppedUp,
)
from tests.specs.decider import OPENED, OTHER_OPENED, Given, Step, received_named
from tests.specs.known_customers import (
    KNOWN,
    UNDER_REVIEW,
    GivenKnown,
    enroll,
    erase,
    review,
)
from tests.specs.wallet_commands import (
    CLOSE,
    capture,
    credit,
    debit,
    hold,
    pay,
    reverse,
    topup,
    transfer,
)

Told = (
    CreditWallet
    | DebitWallet
    | PlaceHold
    | CaptureHold
    | TransferMoney
    | ReverseTransaction
    | CreateTopup
)

METADATA = Raw(b'{"order": 1.50}')
WITH_9: list[Step] = [OPENED, OTHER_OPENED, credit(9, reference="c"), debit(4, "d"), hold(2)]
SENT: list[Step] = [*WITH_9, transfer(1)]
CLOSED: list[Step] = [OPENED, credit(4, reference="c"), debit(4, "d"), CLOSE]

ACCEPTED: list[tuple[str, list[Step], Told]] = [
    ("a credit", WITH_9, credit(1)),
    ("a debit", WITH_9, debit(1)),
    ("a hold", WITH_9, hold(1, reference="another")),
    ("a capture", WITH_9, capture(1)),
    ("a transfer", WITH_9, transfer(1)),
    ("the reversal of a credit", WITH_9, reverse("c", 1)),
    ("the reversal of a debit", WITH_9, reverse("d")),
    ("the reversal of a transfer", SENT, reverse("t")),
    ("the same, named by the receiver", SENT, reverse("", transaction=received_named("t"))),
    ("a top-up", WITH_9, topup(1)),
]
DECLINED: list[tuple[str, list[Step], Told]] = [
    ("a credit", CLOSED, credit(1)),
    ("a debit", WITH_9, debit(10)),
    ("a hold", WITH_9, hold(10)),
    ("a capture", WITH_9, capture(3)),
    ("a transfer", WITH_9, transfer(10)),
    ("the reversal of a credit", WITH_9, reverse("c")),
    ("the reversal of a debit", CLOSED, reverse("d")),
]


@pytest.mark.parametrize(
    ("past", "command"), [row[1:] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED]
)
def test_every_leg_of_what_is_done_keeps_what_was_told(past: list[Step], command: Told) -> None:
    decision = Given(*past).when(_told(command)).decision
    assert decision.rejection is None
    for event in (*decision.events, *decision.others):
        _keeps(event, command)


@pytest.mark.parametrize(
    ("past", "command"), [row[1:] for row in DECLINED], ids=[row[0] for row in DECLINED]
)
def test_a_decline_keeps_what_was_told(past: list[Step], command: Told) -> None:
    (event,) = Given(*past).when(_told(command)).decision.events
    assert isinstance(event, DebitDeclined | CreditDeclined)
    _keeps(event, command)


@pytest.mark.parametrize(
    ("amount", "kind"),
    [(5, WalletToppedUp), (6, TopupUnapplied)],
    ids=["credited", "kept as unapplied"],
)
def test_a_payment_keeps_what_was_told_with_its_topup(amount: int, kind: type[object]) -> None:
    (event,) = Given(OPENED, _told(topup(5))).when(pay(amount)).decision.events
    assert isinstance(event, kind)
    _keeps(event, topup(5))


@pytest.mark.parametrize(
    "command", [CreateWallet(customer_id="ama", currency="GHS"), enroll()], ids=["create", "enroll"]
)
def test_an_opening_keeps_what_was_told(command: CreateWallet | EnrollCustomer) -> None:
    (event,) = GivenKnown().when(replace(command, metadata=METADATA)).decision.events
    assert isinstance(event, WalletOpened)
    assert bytes(event.metadata) == bytes(METADATA)


@pytest.mark.parametrize(
    ("opened", "command"),
    [
        (UNDER_REVIEW, replace(review(), reason="why")),
        (UNDER_REVIEW, replace(review("rejected"), reason="why")),
        (KNOWN, replace(erase(), reason="why")),
    ],
    ids=["approved", "rejected", "erased"],
)
def test_why_it_was_decided_of_a_customer_is_in_the_history(
    opened: WalletOpened, command: Command
) -> None:
    (event,) = GivenKnown(opened).when(command).decision.events
    assert isinstance(event, WalletReviewed | CustomerErased)
    assert event.reason == "why"


def _told(command: Told) -> Told:
    return replace(command, description="why", metadata=METADATA)


def _keeps(event: object, command: Told) -> None:
    assert getattr(event, "reference", None) == command.reference
    assert getattr(event, "description", None) == "why"
    assert bytes(getattr(event, "metadata", b"")) == bytes(METADATA)
