"""The dialect: results and views as the JSON of the Credit Wallets API.

Pure functions, so that the same outcome is the same bytes. Times are UTC, always with
microseconds, so that they also sort as text.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from projections.transactions.read_model import HistoryLine
from schemas.money import formatted
from schemas.results import HoldView, TopupView, TransactionView, TransferView, WalletView
from services.identity.person import Identity

_encode = msgspec.json.Encoder().encode


def render_wallet(view: WalletView) -> bytes:
    """A wallet, in the shape of `schemas.http.credit_wallets.Wallet`."""
    return _encode(_wallet(view))


def render_review(view: WalletView, identity: Identity, utility_bill: str | None) -> bytes:
    """Who waits for a review, in the shape of `schemas.http.reviews.PendingReview`."""
    return _encode(
        {
            "wallet_id": view.id,
            "customer_id": view.customer_id,
            "user_id": view.user_id,
            "tier": view.tier,
            "review": view.review,
            "person": identity,
            "utility_bill": utility_bill,
            "created_at": _time(view.created_at),
        }
    )


def render_transaction(view: TransactionView, reversed_amount: int = 0) -> bytes:
    """A transaction, in the shape of `schemas.http.credit_wallets.Transaction`.

    Nothing is reversed of one that was just made.
    """
    return _encode(_transaction(view, reversed_amount))


def render_hold(view: HoldView) -> bytes:
    """A hold, in the shape of `schemas.http.credit_wallets.Hold`."""
    return _encode(_hold(view))


def render_topup(view: TopupView, checkout_url: str) -> bytes:
    """A top-up, in the shape of `schemas.http.credit_wallets.Topup`."""
    return _encode(_topup(view, checkout_url))


def render_transfer(view: TransferView) -> bytes:
    """A transfer, in the shape of `schemas.http.credit_wallets.Transfer`."""
    return _encode(
        {
            "id": view.id,
            "from": view.from_wallet_id,
            "to": view.to_wallet_id,
            "amount": view.amount,
            "currency": view.currency,
            "reference": view.reference,
            "description": view.description,
            "sent_transaction_id": view.sent_transaction_id,
            "received_transaction_id": view.received_transaction_id,
            "metadata": view.metadata,
            "created_at": _time(view.created_at),
        }
    )


def render_wallet_page(views: Sequence[WalletView], next_cursor: str | None) -> bytes:
    """A page of wallets; without a cursor it is the last."""
    return _page([_wallet(view) for view in views], next_cursor)


def render_transaction_page(lines: Sequence[HistoryLine], next_cursor: str | None) -> bytes:
    """A page of transactions; without a cursor it is the last."""
    return _page([_transaction(*line) for line in lines], next_cursor)


def render_page(rendered: Sequence[bytes], next_cursor: str | None) -> bytes:
    """A page of what is rendered already; without a cursor it is the last."""
    return _page([msgspec.Raw(entry) for entry in rendered], next_cursor)


def _page(entries: Sequence[object], next_cursor: str | None) -> bytes:
    return _encode(
        {"data": entries, "has_more": next_cursor is not None, "next_cursor": next_cursor}
    )


def _wallet(view: WalletView) -> dict[str, object]:
    expiring = view.expiring
    return {
        "id": view.id,
        "customer_id": view.customer_id,
        "user_id": view.user_id,
        "currency": view.currency,
        "balance": view.balance,
        "balance_formatted": formatted(view.balance, view.currency),
        "available_balance": view.available_balance,
        "held_balance": view.balance - view.available_balance,
        "expiring": None
        if expiring is None
        else {
            "amount": expiring.amount,
            "next_at": _time(expiring.next_at),
            "next_amount": expiring.next_amount,
        },
        "status": view.status,
        "frozen": view.frozen,
        "metadata": view.metadata,
        "created_at": _time(view.created_at),
        "updated_at": _time(view.updated_at),
    }


def _transaction(view: TransactionView, reversed_amount: int) -> dict[str, object]:
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
        "expires_at": _optional_time(view.expires_at),
        "hold_id": view.hold_id,
        "held_amount": view.held_after,
        "transfer_id": view.transfer_id,
        "other_wallet_id": view.other_wallet_id,
        "reverses": view.reverses,
        "topup_id": view.topup_id,
        "payment_id": view.payment_id,
        "reversed_amount": reversed_amount,
        "metadata": view.metadata,
        "created_at": _time(view.created_at),
    }


def _hold(view: HoldView) -> dict[str, object]:
    return {
        "id": view.id,
        "wallet_id": view.wallet_id,
        "status": view.status,
        "amount": view.amount,
        "captured_amount": view.captured_amount,
        "held_amount": view.held_amount,
        "currency": view.currency,
        "reference": view.reference,
        "description": view.description,
        "expires_at": _optional_time(view.expires_at),
        "metadata": view.metadata,
        "created_at": _time(view.created_at),
        "updated_at": _time(view.updated_at),
    }


def render_moment(moment: datetime) -> str:
    """A time as every answer shows it."""
    return _time(moment)


def _topup(view: TopupView, checkout_url: str) -> dict[str, object]:
    return {
        "id": view.id,
        "wallet_id": view.wallet_id,
        "status": view.status,
        "amount": view.amount,
        "currency": view.currency,
        "reference": view.reference,
        "description": view.description,
        "checkout_url": checkout_url,
        "redirect_url": view.redirect_url,
        "cancel_url": view.cancel_url,
        "expires_at": _time(view.expires_at),
        "transaction_id": view.transaction_id,
        "payment_id": view.payment_id,
        "code": view.code,
        "metadata": view.metadata,
        "created_at": _time(view.created_at),
        "updated_at": _time(view.updated_at),
    }


def _optional_time(moment: datetime | None) -> str | None:
    return None if moment is None else _time(moment)


def _time(moment: datetime) -> str:
    assert moment.tzinfo is UTC, "times are UTC"
    # What `isoformat` puts at the end is the offset, +00:00.
    return f"{moment.isoformat('T', 'microseconds')[:-6]}Z"
