"""Rows of `balances`, `holds` and `topups`, to and from the published language. No I/O."""

import asyncpg
from msgspec import Raw

from schemas.events import Expiring
from schemas.identifiers import hold_id, topup_id, transaction_id
from schemas.results import HoldView, TopupView, WalletView


def wallet_view(wallet_id: str, row: asyncpg.Record) -> WalletView:
    """One row of `balances` as answers show it."""
    return WalletView(
        id=wallet_id,
        customer_id=row["customer_id"],
        user_id=str(row["user_id"]),
        currency=row["currency"],
        balance=row["balance"],
        available_balance=row["available_balance"],
        status=row["status"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        frozen=row["frozen"],
        expiring=_expiring(row),
        metadata=Raw(row["metadata"]),
        tier=row["tier"],
        review=row["review"],
        bank_code=row["bank_code"],
        account_number=row["account_number"],
        kyc_updated=row["kyc_updated"],
        is_erased=row["is_erased"],
        identity=row["identity"],
    )


def hold_view(wallet_id: str, row: asyncpg.Record) -> HoldView:
    """One row of `holds` as answers show it."""
    return HoldView(
        id=hold_id(row["hold_id"].hex),
        wallet_id=wallet_id,
        status=row["status"],
        amount=row["amount"],
        captured_amount=row["captured_amount"],
        held_amount=row["held_amount"],
        currency=row["currency"],
        reference=row["reference"],
        description=row["description"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        metadata=Raw(row["metadata"]),
    )


def topup_view(wallet_id: str, row: asyncpg.Record) -> TopupView:
    """One row of `topups` as answers show it."""
    paid_by = row["transaction_id"]
    return TopupView(
        id=topup_id(row["topup_id"].hex),
        wallet_id=wallet_id,
        status=row["status"],
        amount=row["amount"],
        currency=row["currency"],
        reference=row["reference"],
        description=row["description"],
        redirect_url=row["redirect_url"],
        cancel_url=row["cancel_url"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        transaction_id=None if paid_by is None else transaction_id(paid_by.hex),
        payment_id=row["payment_id"],
        code=row["code"],
        metadata=Raw(row["metadata"]),
    )


def _expiring(row: asyncpg.Record) -> Expiring | None:
    amount = row["expiring_amount"]
    if amount is None:
        return None
    return Expiring(
        amount=amount,
        next_at=row["expiring_next_at"],
        next_amount=row["expiring_next_amount"],
    )
