"""Customers who are known: enrolment, tiers, the review of tier three, erasure."""

import pytest
from msgspec.structs import replace

from ledger.command_handling.fingerprint import fingerprint
from ledger.command_handling.results import Declined, rejection_of
from ledger.command_handling.views import wallet_view
from ledger.domain.nuban import MAX_SERIAL, account_number, check_digit, is_account_number
from ledger.domain.wallet import Facts
from schemas.commands import COMMAND_TYPES, Command
from schemas.events import CustomerErased, TierRaised, WalletOpened, WalletReviewed
from schemas.rejections import (
    CustomerIdConflict,
    IdentityTaken,
    Rejection,
    ReviewNotPending,
    TierNotRaised,
    WalletClosed,
    WalletExists,
    WalletInactive,
)
from schemas.tiers import Tier
from tests.specs.decider import OPENED, USER_ID, WALLET_ID, Given, Step
from tests.specs.known_customers import (
    BANK,
    KNOWN,
    SEALED,
    UNDER_REVIEW,
    GivenKnown,
    customer,
    enroll,
    erase,
    raise_tier,
    review,
)
from tests.specs.wallet_commands import CLOSE, JUNE, UNFREEZE, freeze

FREE = Facts(user_id=customer(1), next_serial=0)


@pytest.mark.parametrize("tier", ["TIER_ONE", "TIER_TWO"])
def test_an_enrolment_is_allotted_the_next_account_number(tier: Tier) -> None:
    facts = replace(FREE, next_serial=41)
    (opened,) = Given().when(enroll(tier=tier), facts).decision.events
    assert isinstance(opened, WalletOpened)
    assert (opened.tier, opened.identity, opened.bank_code) == (tier, SEALED, BANK)
    assert opened.account_number is not None
    assert opened.account_number.startswith("000000041")
    assert is_account_number(opened.account_number, BANK)
    assert opened.review is None


def test_the_first_account_number_of_the_sandbox() -> None:
    (opened,) = Given().when(enroll(), FREE).decision.events
    assert isinstance(opened, WalletOpened)
    assert opened.account_number == "0000000006"


def test_an_account_number_has_ten_digits_or_there_is_none() -> None:
    assert account_number(MAX_SERIAL, BANK).startswith("999999999")
    for serial in (-1, MAX_SERIAL + 1):
        with pytest.raises(AssertionError, match="no serials left"):
            account_number(serial, BANK)
    with pytest.raises(AssertionError, match="six digits"):
        check_digit("99999", "000000000")
    with pytest.raises(AssertionError, match="nine digits"):
        check_digit(BANK, "00000000")


@pytest.mark.parametrize(
    ("opened", "command"),
    [(KNOWN, raise_tier("TIER_TWO")), (UNDER_REVIEW, review()), (KNOWN, erase())],
    ids=["raised", "reviewed", "erased"],
)
def test_what_is_learnt_of_a_customer_changes_the_wallet(
    opened: WalletOpened, command: Command
) -> None:
    given = GivenKnown(opened)
    given.when(command, now=JUNE)
    assert given.wallets[WALLET_ID].changed_at == JUNE


def test_tier_three_waits_for_its_review_without_an_account_number() -> None:
    (opened,) = Given().when(enroll(tier="TIER_THREE"), FREE).decision.events
    assert isinstance(opened, WalletOpened)
    assert (opened.review, opened.account_number, opened.bank_code) == ("pending", None, None)


@pytest.mark.parametrize(
    ("facts", "rejection"),
    [
        (
            Facts(open_wallet_id=WALLET_ID, user_id_owner="kofi", identity_owner="kofi"),
            WalletExists(wallet_id=WALLET_ID),
        ),
        (Facts(user_id_owner="kofi", identity_owner="kofi"), CustomerIdConflict()),
        (Facts(identity_owner="kofi"), IdentityTaken(customer_id="kofi")),
    ],
)
def test_an_enrolment_is_refused_in_this_order(facts: Facts, rejection: Rejection) -> None:
    decision = Given().when(enroll(), facts).decision
    assert (decision.rejection, decision.events) == (rejection, ())


def test_a_person_may_enrol_again_as_the_same_customer() -> None:
    facts = replace(FREE, identity_owner=customer(1))
    assert Given().when(enroll(), facts).decision.rejection is None


def test_a_tier_is_raised_with_the_whole_identity_anew() -> None:
    given = GivenKnown(KNOWN)
    (raised,) = given.when(raise_tier("TIER_TWO")).decision.events
    assert raised == TierRaised(tier="TIER_TWO", identity="YmV0dGVy")
    view = wallet_view(given.wallets[WALLET_ID])
    assert (view.tier, view.kyc_updated, view.status) == ("TIER_TWO", True, "active")
    assert (view.account_number, view.identity) == ("0000000006", None)


def test_tier_three_is_raised_to_under_review_and_keeps_its_number() -> None:
    given = GivenKnown(KNOWN, freeze("debits"), raise_tier("TIER_THREE"))
    waiting = wallet_view(given.wallets[WALLET_ID])
    assert (waiting.review, waiting.status, waiting.frozen) == ("pending", "frozen", "all")
    (reviewed,) = given.when(review()).decision.events
    assert reviewed == WalletReviewed(outcome="approved", frozen="debits")
    view = wallet_view(given.wallets[WALLET_ID])
    assert (view.review, view.status, view.frozen) == ("approved", "frozen", "debits")
    assert view.account_number == "0000000006"


REFUSED: list[tuple[str, list[Step], Command, Rejection]] = [
    ("no higher", [KNOWN], raise_tier("TIER_ONE"), TierNotRaised()),
    ("lower", [KNOWN, raise_tier("TIER_TWO")], raise_tier("TIER_ONE"), TierNotRaised()),
    ("nobody known", [OPENED], raise_tier("TIER_TWO"), TierNotRaised()),
    ("erased", [KNOWN, erase()], raise_tier("TIER_TWO"), TierNotRaised()),
    ("inactive", [UNDER_REVIEW], raise_tier("TIER_THREE"), WalletInactive()),
    ("closed", [KNOWN, CLOSE], raise_tier("TIER_TWO"), WalletClosed()),
    ("closed, under review", [UNDER_REVIEW, CLOSE], raise_tier("TIER_TWO"), WalletClosed()),
    ("no review", [KNOWN], review(), ReviewNotPending()),
    ("no review of nobody", [OPENED], review(), ReviewNotPending()),
    ("reviewed twice", [UNDER_REVIEW, review()], review("rejected"), ReviewNotPending()),
    ("rejected before", [UNDER_REVIEW, review("rejected")], review(), ReviewNotPending()),
    ("a review of an erased one", [UNDER_REVIEW, erase()], review(), ReviewNotPending()),
    ("a review of a closed one", [UNDER_REVIEW, CLOSE], review(), WalletClosed()),
]


@pytest.mark.parametrize(
    ("past", "command", "rejection"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_a_wallets_standing_forbids_is_a_fact(
    past: list[Step], command: Command, rejection: Rejection
) -> None:
    decision = GivenKnown(*past).when(command).decision
    assert decision.rejection == rejection
    assert isinstance(decision.answer, Declined)
    assert rejection_of(decision.answer) == rejection


def test_an_approval_allots_the_number_and_a_rejection_none() -> None:
    approved = GivenKnown(UNDER_REVIEW, review()).wallets[WALLET_ID]
    assert not approved.is_inactive
    assert approved.profile is not None
    assert approved.profile.account_number == "0000000006"
    rejected = GivenKnown(UNDER_REVIEW, review("rejected")).wallets[WALLET_ID]
    assert rejected.is_inactive
    assert rejected.profile is not None
    assert rejected.profile.account_number is None


def test_an_unfreeze_does_not_activate() -> None:
    given = GivenKnown(UNDER_REVIEW, freeze(), UNFREEZE)
    view = wallet_view(given.wallets[WALLET_ID])
    assert (view.status, view.frozen, view.review) == ("frozen", "all", "pending")


@pytest.mark.parametrize("past", [[KNOWN], [KNOWN, CLOSE], [OPENED], [UNDER_REVIEW]])
def test_a_customer_is_erased_once_whatever_the_wallet_is(past: list[Step]) -> None:
    given = GivenKnown(*past)
    status = given.wallets[WALLET_ID].status
    assert given.when(erase()).decision.events == (CustomerErased(user_id=USER_ID),)
    again = given.when(erase()).decision
    assert (again.events, again.rejection) == ((), None)
    view = wallet_view(given.wallets[WALLET_ID])
    assert view.is_erased
    assert given.wallets[WALLET_ID].status == status


def test_of_a_person_only_what_was_asked_is_in_the_fingerprint() -> None:
    first = fingerprint(enroll())
    assert fingerprint(enroll(sealed="YWdhaW4=")) == first
    assert fingerprint(replace(enroll(), identity_index="0" * 64, bank_code="000014")) == first
    assert fingerprint(enroll(asked="ama, elsewhere")) != first
    assert fingerprint(enroll(tier="TIER_TWO")) != first
    raised = raise_tier("TIER_TWO")
    assert fingerprint(replace(raised, identity="YWdhaW4=")) == fingerprint(raised)
    assert fingerprint(replace(raised, asked="0" * 64)) != fingerprint(raised)
    assert fingerprint(replace(review(), bank_code="000014")) == fingerprint(review())
    assert fingerprint(review("rejected")) != fingerprint(review())


def test_commands_about_a_person_do_not_come_over_kafka() -> None:
    kinds = {type(each) for each in (enroll(), raise_tier("TIER_TWO"), review(), erase())}
    assert not kinds & set(COMMAND_TYPES.values())
