"""The dialect: results and views as the JSON of contract A.

Pure functions, so that the same outcome is the same bytes. Times are UTC, always with
microseconds, so that they also sort as text.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from schemas.money import formatted
from schemas.results import TransactionView, WalletView

_encode = msgspec.json.Encoder().encode


def render_wallet(view: WalletView) -> bytes:
    """A wallet, in the shape of `schemas.http.credit_wallets.Wallet`."""
    return _encode(_wallet(view))


def render_transaction(view: TransactionView) -> bytes:
    """A transaction, in the shape of `schemas.http.credit_wallets.Transaction`."""
    return _encode(_transaction(view))


def render_wallet_page(views: Sequence[WalletView], next_cursor: str | None) -> bytes:
    """A page of wallets; without a cursor it is the last."""
    return _page([_wallet(view) for view in views], next_cursor)


def render_transaction_page(views: Sequence[TransactionView], next_cursor: str | None) -> bytes:
    """A page of transactions; without a cursor it is the last."""
    return _page([_transaction(view) for view in views], next_cursor)


def _page(entries: list[dict[str, object]], next_cursor: str | None) -> bytes:
    return _encode(
        {"data": entries, "has_more": next_cursor is not None, "next_cursor": next_cursor}
    )


def _wallet(view: WalletView) -> dict[str, object]:
    return {
        "id": view.id,
        "customer_id": view.customer_id,
        "user_id": view.user_id,
        "currency": view.currency,
        "balance": view.balance,
        "balance_formatted": formatted(view.balance, view.currency),
        "available_balance": view.available_balance,
        "status": view.status,
        "metadata": view.metadata,
        "created_at": _time(view.created_at),
        "updated_at": _time(view.updated_at),
    }


def _transaction(view: TransactionView) -> dict[str, object]:
    return {
        "id": view.id,
        "wallet_id": view.wallet_id,
        "type": view.type,
        "kind": view.kind,
        "status": view.status,
        "code": view.code,
        "amount": view.amount,
        "balance_before": view.balance_before,
        "balance_after": view.balance_after,
        "available_balance": view.available_balance,
        "currency": view.currency,
        "reference": view.reference,
        "description": view.description,
        "metadata": view.metadata,
        "created_at": _time(view.created_at),
    }


def _time(moment: datetime) -> str:
    assert moment.tzinfo is UTC, "times are UTC"
    # What `isoformat` puts at the end is the offset, +00:00.
    return f"{moment.isoformat('T', 'microseconds')[:-6]}Z"
