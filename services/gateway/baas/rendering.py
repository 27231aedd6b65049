"""Rendering: wallets and transactions as this dialect shows them. Pure."""

from datetime import datetime
from typing import Final, Literal, assert_never

from msgspec import UNSET
from msgspec.structs import replace

from ledger.tenants import Environment
from schemas.http.baas_wallets import (
    Transaction,
    TransactionCategory,
    Wallet,
    WalletStatus,
)
from schemas.identifiers import hex_of, transaction_id
from schemas.results import TopupView, TransactionKind, TransactionView, WalletView
from services.customers.banks import Bank
from services.gateway.authentication import Principal
from services.gateway.baas.amounts import CURRENCY, major_of
from services.gateway.baas.envelopes import metadata_text
from services.gateway.baas.failures import reason_of_code
from services.gateway.baas.identifiers import uuid_of

_ENVIRONMENTS: Final[dict[Environment, Literal["SANDBOX", "LIVE"]]] = {
    "sandbox": "SANDBOX",
    "live": "LIVE",
}
_CATEGORIES: Final[dict[TransactionKind, TransactionCategory]] = {
    "credit": "CREDIT_CUSTOMER_WALLET",
    "debit": "DEBIT_CUSTOMER_WALLET",
    # What was left of a closed wallet went to the merchant, as a debit's money does.
    "forfeiture": "DEBIT_CUSTOMER_WALLET",
    "transfer": "TRANSFER",
    "topup": "TOPUP",
    "expiry": "EXPIRY",
    "capture": "HOLD_CAPTURE",
    "hold": "HOLD_CAPTURE",
    "reversal": "REVERSAL",
}


def render_wallet(
    view: WalletView, principal: Principal, bank: Bank, account_name: str | None
) -> Wallet:
    """A customer's wallet. `account_name` is None where nobody knows it, or may know it."""
    wallet = Wallet(
        id=uuid_of(view.id),
        merchant_id=principal.merchant_id,
        environment=_ENVIRONMENTS[principal.environment],
        currency=CURRENCY,
        bank_name=bank.name,
        bank_code=view.bank_code or bank.code,
        account_name=account_name,
        account_number=view.account_number,
        created_at=view.created_at,
        updated_at=view.updated_at,
        booked_balance=major_of(view.balance, view.currency),
        available_balance=major_of(view.available_balance, view.currency),
        status=_status(view),
        updated=view.kyc_updated,
        wallet_type="Customer",
        user_id=view.user_id,
    )
    match view.tier:
        case None:
            return replace(wallet, tier=None)
        case "TIER_ONE" | "TIER_TWO":
            return wallet
        case "TIER_THREE":
            return replace(
                wallet,
                account_type="WALLET",
                account_category="CUSTOMER",
                tier=view.tier,
                expiry_time=None,
            )
        case _:
            assert_never(view.tier)


def render_merchant_wallet(
    principal: Principal,
    bank: Bank,
    *,
    name: str,
    created_at: datetime,
    updated_at: datetime,
    balance: int,
) -> Wallet:
    """The merchant's own wallet, known by the tenant's id. `balance` may be below zero."""
    shown = major_of(balance, CURRENCY)
    return Wallet(
        id=principal.tenant_id,
        merchant_id=principal.merchant_id,
        environment=_ENVIRONMENTS[principal.environment],
        currency=CURRENCY,
        bank_name=bank.name,
        bank_code=bank.code,
        account_name=name,
        account_number=None,
        created_at=created_at,
        updated_at=updated_at,
        booked_balance=shown,
        available_balance=shown,
        status="ACTIVE",
        updated=False,
        wallet_type="Merchant",
        user_id=None,
        account_type="WALLET",
        account_category="MERCHANT",
        tier=None,
        expiry_time=None,
    )


def _status(view: WalletView) -> WalletStatus:
    if view.status == "closed":
        return "CLOSED"
    if view.review in ("pending", "rejected"):
        return "IN_ACTIVE"
    return "FROZEN" if view.status == "frozen" else "ACTIVE"


def render_transaction(view: TransactionView, principal: Principal, user_id: str) -> Transaction:
    """A transaction of the wallet of this customer. One that failed says why as `description`."""
    has_failed = view.status == "failed"
    wallet, other = uuid_of(view.wallet_id), _spelled(view.other_wallet_id)
    is_debit = view.type in ("debit", "expiry")
    transaction = Transaction(
        id=uuid_of(view.id),
        user_id=user_id,
        merchant_id=principal.merchant_id,
        reference=view.reference,
        currency=CURRENCY,
        environment=_ENVIRONMENTS[principal.environment],
        amount=major_of(view.amount, view.currency),
        balance_before=major_of(view.balance_before, view.currency),
        balance_after=major_of(view.balance_after, view.currency),
        metadata=metadata_text(view.metadata),
        status="FAILED" if has_failed else "COMPLETED",
        destination=None,
        description=reason_of_code(view.code) if has_failed else view.description or None,
        type="DEBIT" if is_debit else "CREDIT",
        category=_CATEGORIES[view.kind],
    )
    if view.kind != "transfer":
        return transaction
    if is_debit:
        return replace(transaction, from_wallet_id=wallet, to_wallet_id=other or UNSET)
    return replace(transaction, from_wallet_id=other or UNSET, to_wallet_id=wallet)


def _spelled(identifier: str | None) -> str | None:
    return None if identifier is None else uuid_of(identifier)


def render_topup(
    view: TopupView, wallet: WalletView, principal: Principal, user_id: str
) -> Transaction:
    """A top-up that has had no payment: it waits for one, or is over without it."""
    is_over = view.status != "pending"
    waiting = TransactionView(
        id=transaction_id(hex_of(view.id)),
        wallet_id=view.wallet_id,
        type="topup",
        kind="topup",
        status="failed" if is_over else "completed",
        amount=view.amount,
        balance_before=wallet.balance,
        balance_after=wallet.balance,
        available_balance=wallet.available_balance,
        currency=view.currency,
        reference=view.reference,
        description=view.description,
        code="topup_not_pending" if is_over else None,
        created_at=view.created_at,
        version=view.version,
        metadata=view.metadata,
    )
    transaction = render_transaction(waiting, principal, user_id)
    return transaction if is_over else replace(transaction, status="PENDING")
