"""Rows of `balances`, to and from the published language. No I/O."""

import asyncpg
from msgspec import Raw

from schemas.results import WalletView


def wallet_view(wallet_id: str, row: asyncpg.Record) -> WalletView:
    """One row as answers show it."""
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
        metadata=Raw(row["metadata"]),
    )
