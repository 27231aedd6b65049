"""Sessions: what a caller wants to be paid, and what became of it. Pure."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from yarl import URL

from schemas.identifiers import TopupId, is_topup_id
from schemas.money import Amount, CurrencyCode, is_currency

SessionStatus = Literal["open", "paid", "cancelled"]
CallbackType = Literal["payment.succeeded", "payment.failed", "session.cancelled"]

_Url = Annotated[str, Meta(pattern=r"^https?://[^\s\x00-\x1f\x7f]+\Z", max_length=4096)]
_Text = Annotated[str, Meta(max_length=1024)]

_encode = msgspec.json.Encoder().encode


class SessionWish(Struct, frozen=True, kw_only=True):
    """What a caller asks for: one payment, once, until a moment."""

    topup_id: TopupId
    amount: Amount
    currency: CurrencyCode
    merchant: _Text
    description: _Text = ""
    return_url: _Url
    callback_url: _Url
    expires_at: Annotated[datetime, Meta(tz=True)]


def problem_of(wish: SessionWish) -> str | None:
    """What of a wish cannot be used, though its shape is right; None if all can be."""
    if not is_topup_id(wish.topup_id):
        return "topup_id must be the id of a top-up"
    if not is_currency(wish.currency):
        return "currency must be a currency that has minor units"
    for name, url in (("return_url", wish.return_url), ("callback_url", wish.callback_url)):
        if not _is_address(url):
            return f"{name} must be a URL with a host"
    return None


def _is_address(url: str) -> bool:
    try:
        return bool(URL(url).host)
    except ValueError:
        return False


class Session(Struct, frozen=True, kw_only=True):
    """A session as it is stored. `payment_id` names the payment of a paid one."""

    session_id: str
    topup_id: str
    amount: int
    currency: str
    merchant: str
    description: str
    return_url: str
    callback_url: str
    expires_at: float
    status: SessionStatus
    payment_id: str | None


class Callback(Struct, frozen=True, kw_only=True):
    """What is to be told, and when. The first `forged_attempts` are signed wrongly."""

    body: str
    due_at: float
    forged_attempts: int = 0


def body_of(
    session: Session, callback_type: CallbackType, payment_id: str | None, now: float
) -> str:
    """The JSON that tells of a payment, or of a session's end."""
    return _encode(
        {
            "type": callback_type,
            "payment_id": payment_id,
            "topup_id": session.topup_id,
            "amount": session.amount,
            "currency": session.currency,
            "created_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
        }
    ).decode()
