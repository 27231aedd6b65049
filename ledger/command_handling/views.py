"""Views: what answers show of an event or a wallet. Pure."""

from typing import assert_never

from msgspec.structs import replace

from ledger.domain.wallet import Wallet
from ledger.domain.wallet.lots import expiring
from ledger.domain.wallet.state import Profile
from schemas.events import (
    CreditDeclined,
    CreditReversed,
    DebitDeclined,
    DebitReversed,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    RecordedEvent,
    TopupCreated,
    TopupEnded,
    TopupUnapplied,
    TransferSent,
    WalletCredited,
    WalletDebited,
    WalletToppedUp,
)
from schemas.identifiers import transaction_id
from schemas.results import (
    HoldView,
    TopupView,
    TransactionKind,
    TransactionType,
    TransactionView,
    TransferView,
    WalletView,
)

Moved = (
    WalletCredited | WalletDebited | HoldCaptured | DebitReversed | CreditReversed | WalletToppedUp
)
Failed = DebitDeclined | CreditDeclined | TopupUnapplied

_NOBODY = Profile(tier=None)


def wallet_view(wallet: Wallet) -> WalletView:
    """A wallet's state as answers show it."""
    profile = wallet.profile or _NOBODY
    is_stopped = profile.is_inactive and wallet.status != "closed"
    return WalletView(
        id=wallet.wallet_id,
        customer_id=wallet.customer_id,
        user_id=wallet.user_id,
        currency=wallet.currency,
        balance=wallet.balance,
        available_balance=wallet.available,
        status="frozen" if is_stopped else wallet.status,
        created_at=wallet.opened_at,
        updated_at=wallet.changed_at,
        version=wallet.version,
        frozen="all" if is_stopped else wallet.frozen,
        expiring=expiring(wallet.lots),
        metadata=wallet.metadata,
        tier=profile.tier,
        review=profile.review,
        bank_code=profile.bank_code,
        account_number=profile.account_number,
        kyc_updated=profile.is_raised,
        is_erased=profile.is_erased,
    )


def moved_transaction(recorded: RecordedEvent, event: Moved) -> TransactionView:
    """A movement of money in one wallet."""
    match event:
        case WalletDebited():
            return _transaction(recorded, event, "debit", "debit")
        case WalletCredited():
            return _transaction(recorded, event, "credit", "credit")
        case HoldCaptured():
            return _transaction(recorded, event, "debit", "capture")
        case DebitReversed():
            return _transaction(recorded, event, "credit", "reversal")
        case CreditReversed():
            return _transaction(recorded, event, "debit", "reversal")
        case WalletToppedUp():
            return _transaction(recorded, event, "topup", "topup")
        case _:
            assert_never(event)


def _transaction(
    recorded: RecordedEvent,
    event: Moved,
    transaction_type: TransactionType,
    kind: TransactionKind,
) -> TransactionView:
    reversal = event if isinstance(event, (DebitReversed, CreditReversed)) else None
    capture = event if isinstance(event, HoldCaptured) else None
    topup = event if isinstance(event, WalletToppedUp) else None
    return TransactionView(
        id=transaction_id(recorded.event_id),
        wallet_id=recorded.stream_id,
        type=transaction_type,
        kind=kind,
        status="completed",
        amount=event.amount,
        balance_before=event.balance_before,
        balance_after=event.balance_after,
        available_balance=event.available_after,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        code=None,
        created_at=recorded.recorded_at,
        version=recorded.version,
        expires_at=event.expires_at if isinstance(event, WalletCredited) else None,
        hold_id=None if capture is None else capture.hold_id,
        held_after=None if capture is None else capture.held_after,
        transfer_id=None if reversal is None else reversal.transfer_id,
        reverses=None if reversal is None else reversal.transaction_id,
        topup_id=None if topup is None else topup.topup_id,
        payment_id=None if topup is None else topup.payment_id,
        metadata=event.metadata,
    )


def failed_transaction(recorded: RecordedEvent, event: Failed) -> TransactionView:
    """A movement that was declined."""
    transaction_type: TransactionType
    kind: TransactionKind
    match event:
        case DebitDeclined():
            transaction_type, kind = "debit", event.kind
        case CreditDeclined():
            transaction_type, kind = "credit", event.kind
        case TopupUnapplied():
            transaction_type, kind = "topup", "topup"
        case _:
            assert_never(event)
    topup = event if isinstance(event, TopupUnapplied) else None
    return TransactionView(
        id=transaction_id(recorded.event_id),
        wallet_id=recorded.stream_id,
        type=transaction_type,
        kind=kind,
        status="failed",
        amount=event.amount,
        balance_before=event.balance,
        balance_after=event.balance,
        available_balance=event.available,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        code=event.code,
        created_at=recorded.recorded_at,
        version=recorded.version,
        hold_id=event.hold_id if isinstance(event, DebitDeclined) else None,
        other_wallet_id=event.wallet_id,
        reverses=event.transaction_id,
        topup_id=None if topup is None else topup.topup_id,
        payment_id=None if topup is None else topup.payment_id,
        metadata=event.metadata,
    )


def placed_hold(recorded: RecordedEvent, event: HoldPlaced) -> HoldView:
    """A hold that was just placed."""
    return HoldView(
        id=event.hold_id,
        wallet_id=recorded.stream_id,
        status="open",
        amount=event.amount,
        captured_amount=0,
        held_amount=event.amount,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        expires_at=event.expires_at,
        created_at=recorded.recorded_at,
        updated_at=recorded.recorded_at,
        version=recorded.version,
        metadata=event.metadata,
    )


def released_hold(
    placed: RecordedEvent, hold: HoldPlaced, released: RecordedEvent, event: HoldReleased
) -> HoldView:
    """A hold that was just voided: what was not captured before came free."""
    return replace(
        placed_hold(placed, hold),
        status="expired" if event.cause == "expired" else "voided",
        captured_amount=hold.amount - event.amount,
        held_amount=0,
        updated_at=released.recorded_at,
        version=released.version,
    )


def created_topup(recorded: RecordedEvent, event: TopupCreated) -> TopupView:
    """A top-up that was just asked for."""
    return TopupView(
        id=event.topup_id,
        wallet_id=recorded.stream_id,
        status="pending",
        amount=event.amount,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        redirect_url=event.redirect_url,
        cancel_url=event.cancel_url,
        expires_at=event.expires_at,
        created_at=recorded.recorded_at,
        updated_at=recorded.recorded_at,
        version=recorded.version,
        metadata=event.metadata,
    )


def cancelled_topup(
    created: RecordedEvent, topup: TopupCreated, ended: RecordedEvent, event: TopupEnded
) -> TopupView:
    """A top-up that is no longer waited for."""
    return replace(
        created_topup(created, topup),
        status="expired" if event.cause == "expired" else "cancelled",
        updated_at=ended.recorded_at,
        version=ended.version,
    )


def sent_transfer(recorded: RecordedEvent, event: TransferSent) -> TransferView:
    """A transfer, from what its sender's event says."""
    return TransferView(
        id=event.transfer_id,
        from_wallet_id=event.from_wallet_id,
        to_wallet_id=event.to_wallet_id,
        amount=event.amount,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        sent_transaction_id=event.sent_transaction_id,
        received_transaction_id=event.received_transaction_id,
        created_at=recorded.recorded_at,
        metadata=event.metadata,
    )
