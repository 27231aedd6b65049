"""Results out of what was recorded. Pure, so that a replay says what the first answer said."""

import msgspec

from ledger.command_handling.views import (
    created_topup,
    failed_transaction,
    moved_transaction,
    placed_hold,
    sent_transfer,
)
from ledger.domain.wallet.state import (
    MAX_HELD_LOTS,
    MAX_OPEN_HOLDS,
    MAX_OPEN_LOTS,
    MAX_PENDING_TOPUPS,
)
from schemas.events import (
    ChangeDeclined,
    CreditDeclined,
    CreditReversed,
    DebitDeclined,
    DebitReversed,
    HoldCaptured,
    HoldPlaced,
    IdentityDeclined,
    RecordedEvent,
    TopupCreated,
    TopupDeclined,
    TopupUnapplied,
    TransferSent,
    VoidDeclined,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletToppedUp,
    decode_event,
)
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    CaptureExceedsHold,
    HoldNotOpen,
    InsufficientFunds,
    PaymentMismatch,
    Rejection,
    ReversalExceedsTransaction,
    ReviewNotPending,
    TierLimitExceeded,
    TierNotRaised,
    TooManyHeldLots,
    TooManyHolds,
    TooManyLots,
    TooManyTopups,
    TopupAlreadyPaid,
    TopupNotPending,
    WalletClosed,
    WalletFrozen,
    WalletInactive,
    WalletNotEmpty,
)
from schemas.results import CommandResult

_encode = msgspec.json.Encoder().encode
_decode_result = msgspec.json.Decoder(CommandResult).decode

_Movement = DebitDeclined | CreditDeclined | TopupUnapplied
Declined = _Movement | ChangeDeclined | VoidDeclined | TopupDeclined | IdentityDeclined
_OfOneWallet = VoidDeclined | TopupDeclined | IdentityDeclined


def result_of_event(recorded: RecordedEvent, event: WalletEvent) -> CommandResult:
    """The answer to the command that this event records, where the event alone says it all."""
    position, version = recorded.position, recorded.version
    match event:
        case (
            WalletCredited()
            | WalletDebited()
            | HoldCaptured()
            | DebitReversed()
            | CreditReversed()
            | WalletToppedUp()
        ):
            return CommandResult(
                status="accepted",
                transaction=moved_transaction(recorded, event),
                position=position,
                version=version,
            )
        case HoldPlaced():
            hold = placed_hold(recorded, event)
            return CommandResult(status="accepted", hold=hold, position=position, version=version)
        case TransferSent():
            return CommandResult(
                status="accepted",
                transfer=sent_transfer(recorded, event),
                position=position,
                version=version,
            )
        case TopupCreated():
            topup = created_topup(recorded, event)
            return CommandResult(status="accepted", topup=topup, position=position, version=version)
        case DebitDeclined() | CreditDeclined() | TopupUnapplied():
            return CommandResult(
                status="declined",
                rejection=rejection_of(event),
                transaction=failed_transaction(recorded, event),
                position=position,
                version=version,
            )
        case ChangeDeclined() | VoidDeclined() | TopupDeclined() | IdentityDeclined():
            return CommandResult(
                status="declined",
                rejection=rejection_of(event),
                position=position,
                version=version,
            )
        case _:
            raise AssertionError(f"the outcome of {recorded.type} is kept beside it")


def result_of_record(outcome: bytes | None, event: RecordedEvent | None) -> CommandResult:
    """The first result again, from what idempotency remembers."""
    if outcome is not None:
        return _decode_result(outcome)
    assert event is not None, "a record has an outcome or an event"
    return result_of_event(event, decode_event(event.type, event.schema_version, event.data))


def encode_outcome(result: CommandResult) -> bytes:
    """The form in which a result without an event of its own is kept."""
    return _encode(result)


def rejection_of(event: Declined) -> Rejection:  # noqa: C901, PLR0912 - one line for each code
    """Why it was declined, in full, out of the event."""
    other = None if isinstance(event, _OfOneWallet) else event.wallet_id
    match event.code:
        case "wallet_frozen":
            return WalletFrozen(wallet_id=other)
        case "wallet_closed":
            return WalletClosed(wallet_id=other)
        case "wallet_inactive":
            return WalletInactive(wallet_id=other)
        case "tier_limit_exceeded":
            return _over_the_tiers_limit(event, other)
        case "tier_not_raised":
            return TierNotRaised()
        case "review_not_pending":
            return ReviewNotPending()
        case "wallet_not_empty":
            assert isinstance(event, ChangeDeclined), "of a close"
            return WalletNotEmpty(balance=_rest(event))
        case "too_many_lots":
            return TooManyLots(limit=MAX_OPEN_LOTS, wallet_id=other)
        case "too_many_holds":
            return TooManyHolds(limit=MAX_OPEN_HOLDS)
        case "too_many_held_lots":
            return TooManyHeldLots(limit=MAX_HELD_LOTS)
        case "too_many_topups":
            return TooManyTopups(limit=MAX_PENDING_TOPUPS)
        case "hold_not_open":
            assert isinstance(event, VoidDeclined | DebitDeclined), "of a void or a capture"
            assert event.hold_id is not None, "a capture names its hold"
            return HoldNotOpen(hold_id=event.hold_id)
        case "topup_not_pending":
            assert isinstance(event, TopupDeclined), "of a cancel"
            assert event.topup_id is not None, "a cancel names its top-up"
            return TopupNotPending(topup_id=event.topup_id)
        case "balance_limit_exceeded":
            return _over_the_limit(event, other)
        case _:
            assert isinstance(event, _Movement), "only movements are left"
            return _rejection_of_movement(event)


def _rest(event: ChangeDeclined) -> int:
    """What was in the wallet that was to be closed."""
    return event.balance if event.decided_on is None else event.decided_on


def _over_the_limit(event: Declined, other: str | None) -> BalanceLimitExceeded:
    """Of the wallet whose balance it is, which may be the other one."""
    assert not isinstance(event, VoidDeclined | IdentityDeclined), "it moves no money"
    if isinstance(event, ChangeDeclined):
        amount = balance = _rest(event)
    else:
        amount, balance = event.amount, event.balance
    return BalanceLimitExceeded(
        amount=amount,
        balance=balance if event.limit is None else event.limit,
        limit=MAX_AMOUNT_MINOR,
        wallet_id=other,
    )


def _over_the_tiers_limit(event: Declined, other: str | None) -> TierLimitExceeded:
    assert not isinstance(event, VoidDeclined | IdentityDeclined), "it moves no money"
    assert event.limit_name is not None, "it says which limit"
    assert event.limit is not None, "it says the limit"
    assert event.tier is not None, "it says whose limit"
    return TierLimitExceeded(
        limit_name=event.limit_name,
        limit=event.limit,
        amount=_rest(event) if isinstance(event, ChangeDeclined) else event.amount,
        tier=event.tier,
        wallet_id=other,
    )


def _rejection_of_movement(event: _Movement) -> Rejection:
    match event.code:
        case "insufficient_funds":
            available = event.available if event.limit is None else event.limit
            return InsufficientFunds(
                amount=event.amount, available=available, wallet_id=event.wallet_id
            )
        case "capture_exceeds_hold":
            return CaptureExceedsHold(amount=event.amount, held=event.limit or 0)
        case "reversal_exceeds_transaction":
            return ReversalExceedsTransaction(amount=event.amount, reversible=event.limit or 0)
        case "topup_already_paid":
            assert isinstance(event, TopupUnapplied), "of a payment"
            return TopupAlreadyPaid(topup_id=event.topup_id)
        case "payment_mismatch":
            assert isinstance(event, TopupUnapplied), "of a payment"
            assert event.limit is not None, "it says what was asked for"
            currency = event.asked_currency or event.currency
            return PaymentMismatch(amount=event.limit, currency=currency)
        case _:
            raise AssertionError(f"no wallet declines with {event.code!r}")
