"""Declines: refusals because of the wallet's state, recorded as events."""

from typing import Literal

from ledger.domain.wallet.decision import Decision, declined
from ledger.domain.wallet.state import Wallet
from schemas.commands import (
    CaptureHold,
    CompleteTopup,
    CreditWallet,
    DebitWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
)
from schemas.events import (
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    IdentityDeclined,
    TopupCreated,
    TopupDeclined,
    TopupUnapplied,
    VoidDeclined,
)
from schemas.identity import LimitName
from schemas.rejections import (
    BalanceLimitExceeded,
    CaptureExceedsHold,
    InsufficientFunds,
    PaymentMismatch,
    Rejection,
    ReversalExceedsTransaction,
    TierLimitExceeded,
    code_of,
)
from schemas.tiers import Tier

DebitLike = DebitWallet | PlaceHold | CaptureHold | TransferMoney | ReverseTransaction
DebitKind = Literal["debit", "hold", "capture", "transfer", "reversal"]


def declined_debit(
    wallet: Wallet,
    command: DebitLike,
    amount: int,
    rejection: Rejection,
    *,
    kind: DebitKind,
    reference: str | None = None,
    other_wallet_id: str | None = None,
) -> Decision:
    """No money leaves, and none is set aside."""
    event = DebitDeclined(
        code=code_of(rejection),
        kind=kind,
        amount=amount,
        balance=wallet.balance,
        available=wallet.available,
        currency=wallet.currency,
        reference=reference or command.reference or "",
        description=command.description,
        hold_id=command.hold_id if isinstance(command, CaptureHold) else None,
        transaction_id=_reversed_by(command),
        wallet_id=other_wallet_id,
        limit=_limit_of(rejection, wallet),
        limit_name=_limit_name_of(rejection),
        tier=_tier_of(rejection),
        metadata=command.metadata,
    )
    return declined(event, rejection)


def declined_credit(
    wallet: Wallet,
    command: CreditWallet | ReverseTransaction,
    amount: int,
    rejection: Rejection,
    *,
    kind: Literal["credit", "reversal"],
    other_wallet_id: str | None = None,
) -> Decision:
    """No money comes in."""
    event = CreditDeclined(
        code=code_of(rejection),
        kind=kind,
        amount=amount,
        balance=wallet.balance,
        available=wallet.available,
        currency=wallet.currency,
        reference=command.reference,
        description=command.description,
        transaction_id=_reversed_by(command),
        wallet_id=other_wallet_id,
        limit=_limit_of(rejection, wallet),
        limit_name=_limit_name_of(rejection),
        tier=_tier_of(rejection),
        metadata=command.metadata,
    )
    return declined(event, rejection)


def declined_change(
    wallet: Wallet,
    change: Literal["freeze", "unfreeze", "close"],
    rejection: Rejection,
    *,
    other_wallet_id: str | None = None,
    decided_on: int | None = None,
) -> Decision:
    """The wallet stays as it is. `decided_on` is the balance that was to move, if it is another."""
    limit = _limit_of(rejection, wallet)
    if decided_on is not None and isinstance(rejection, BalanceLimitExceeded):
        # The receiver's balance. Left out, it would be read as what was to move.
        limit = rejection.balance
    event = ChangeDeclined(
        change=change,
        code=code_of(rejection),
        balance=wallet.balance,
        wallet_id=other_wallet_id,
        limit=limit,
        limit_name=_limit_name_of(rejection),
        tier=_tier_of(rejection),
        decided_on=None if decided_on == wallet.balance else decided_on,
    )
    return declined(event, rejection)


def declined_void(wallet: Wallet, hold_id: str, rejection: Rejection) -> Decision:
    """Nothing is freed."""
    event = VoidDeclined(hold_id=hold_id, code=code_of(rejection), balance=wallet.balance)
    return declined(event, rejection)


def declined_topup(
    wallet: Wallet,
    change: Literal["create", "cancel"],
    amount: int,
    rejection: Rejection,
    *,
    topup_id: str | None = None,
    reference: str | None = None,
) -> Decision:
    """No payment is requested, or a requested one stays requested."""
    event = TopupDeclined(
        change=change,
        code=code_of(rejection),
        amount=amount,
        balance=wallet.balance,
        currency=wallet.currency,
        topup_id=topup_id,
        reference=reference,
        limit=_limit_of(rejection, wallet),
        limit_name=_limit_name_of(rejection),
        tier=_tier_of(rejection),
    )
    return declined(event, rejection)


def unapplied(
    wallet: Wallet, topup: TopupCreated, command: CompleteTopup, rejection: Rejection
) -> Decision:
    """A payment stays outside the wallet."""
    event = TopupUnapplied(
        code=code_of(rejection),
        amount=command.amount,
        balance=wallet.balance,
        available=wallet.available,
        currency=command.currency,
        reference=topup.reference,
        description=topup.description,
        limit=_limit_of(rejection, wallet),
        limit_name=_limit_name_of(rejection),
        tier=_tier_of(rejection),
        metadata=topup.metadata,
        topup_id=command.topup_id,
        payment_id=command.payment_id,
        asked_currency=None if command.currency == topup.currency else topup.currency,
    )
    return declined(event, rejection)


def declined_identity(
    wallet: Wallet, change: Literal["raise_tier", "review"], rejection: Rejection
) -> Decision:
    """Tier and review stay as they are."""
    event = IdentityDeclined(change=change, code=code_of(rejection), balance=wallet.balance)
    return declined(event, rejection)


def _reversed_by(command: DebitLike | CreditWallet) -> str | None:
    return command.transaction_id if isinstance(command, ReverseTransaction) else None


def _limit_of(rejection: Rejection, wallet: Wallet) -> int | None:
    """Members of the rejection that do not follow from the wallet's own balances."""
    match rejection:
        case InsufficientFunds(available=available) if available != wallet.available:
            return available
        case BalanceLimitExceeded(balance=balance) if balance != wallet.balance:
            return balance
        case CaptureExceedsHold(held=held):
            return held
        case ReversalExceedsTransaction(reversible=reversible):
            return reversible
        case PaymentMismatch(amount=asked):
            return asked
        case TierLimitExceeded(limit=limit):
            return limit
        case _:
            return None


def _limit_name_of(rejection: Rejection) -> LimitName | None:
    return rejection.limit_name if isinstance(rejection, TierLimitExceeded) else None


def _tier_of(rejection: Rejection) -> Tier | None:
    return rejection.tier if isinstance(rejection, TierLimitExceeded) else None
