"""The port: what the gateway wants of a payment provider, whichever it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

CALLBACK_TOLERANCE_SECONDS = 300.0
"""How far a callback's time may be from ours. An older one was recorded and is played again."""

NewsKind = Literal["succeeded", "failed", "cancelled"]


class ProviderUnavailableError(Exception):
    """The provider did not answer, or not as agreed. Nothing is known to have happened."""


class ForgedCallbackError(Exception):
    """A callback's signature or its time is wrong. The message says which."""


class UnreadableCallbackError(Exception):
    """A callback is signed, and still makes no sense. The message says why."""


class PaymentWish(Struct, frozen=True, kw_only=True):
    """What a customer is to pay for. The browser comes back to `return_url`, paid or not."""

    topup_id: str
    amount: int
    currency: str
    merchant: str
    description: str
    return_url: str
    callback_url: str
    expires_at: datetime


class OpenedSession(NamedTuple):
    """Where the customer pays; `is_paid` where that has happened already."""

    url: str
    is_paid: bool


class PaymentNews(Struct, frozen=True, kw_only=True):
    """What a callback tells. `payment_id` names a payment, or a try; a cancel has none."""

    kind: NewsKind
    topup_id: str
    payment_id: str | None
    amount: int
    currency: str


class PaymentProvider(Protocol):
    """Takes payments on a page of its own, and tells of them by signed callbacks."""

    @property
    def name(self) -> str:
        """By which paths, commands and metrics name it."""

    @property
    def page_origin(self) -> str:
        """Scheme, host and port of its page."""

    @property
    def callback_headers(self) -> Sequence[str]:
        """The headers without which a request is none of its callbacks."""

    async def open_session(self, wish: PaymentWish) -> OpenedSession:
        """Open a session, once for a top-up however often it is asked for.

        Raises `ProviderUnavailableError`.
        """

    async def cancel_session(self, topup_id: str) -> bool:
        """Let a top-up not be paid any more; False if it is paid already.

        Raises `ProviderUnavailableError`.
        """

    def read_callback(self, headers: Mapping[str, str], body: bytes, now: float) -> PaymentNews:
        """What a callback tells; `now` is in seconds since 1970.

        Raises `ForgedCallbackError`, `UnreadableCallbackError`.
        """
