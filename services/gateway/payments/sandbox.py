"""The sandbox provider behind the port: `ledger sandbox-provider`, over HTTP."""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import aiohttp
import msgspec
from msgspec import Struct

from ledger.command_handling.gate import text_problem
from schemas.identifiers import PaymentId, TopupId
from schemas.money import Amount, CurrencyCode, is_currency
from services.gateway.payments.provider import (
    NewsKind,
    OpenedSession,
    PaymentNews,
    PaymentWish,
    ProviderUnavailableError,
    UnreadableCallbackError,
)
from services.gateway.payments.signatures import check_signature

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_MAX_ANSWER_BYTES: Final = 64 * 1024
_SESSION_ID: Final = re.compile(r"ses_[0-9a-f]{32}", re.ASCII)
_KINDS: Final[dict[str, NewsKind]] = {
    "payment.succeeded": "succeeded",
    "payment.failed": "failed",
    "session.cancelled": "cancelled",
}


class _Callback(Struct, frozen=True, kw_only=True):
    type: Literal["payment.succeeded", "payment.failed", "session.cancelled"]
    payment_id: PaymentId | None
    topup_id: TopupId
    amount: Amount
    currency: CurrencyCode


class _Session(Struct, frozen=True, kw_only=True):
    session_id: str
    status: Literal["open", "paid", "cancelled"]


_callback = msgspec.json.Decoder(_Callback)
_session = msgspec.json.Decoder(_Session)


class SandboxProvider:
    """A `PaymentProvider`. Its page and its door for servers are under one URL."""

    name = "sandbox"

    def __init__(
        self, client: aiohttp.ClientSession, *, url: str, api_key: str, callback_secret: str
    ) -> None:
        self._client = client
        self._url = url
        self._authorization = f"Bearer {api_key}"
        self._callback_secret = callback_secret

    callback_headers = ("Provider-Timestamp", "Provider-Signature")

    @property
    def page_origin(self) -> str:
        """Scheme, host and port of its page."""
        return self._url

    async def open_session(self, wish: PaymentWish) -> OpenedSession:
        """Open a session, or find the one that the top-up has."""
        status, body = await self._post("/v1/sessions", msgspec.json.encode(wish))
        if status not in {200, 201}:
            raise ProviderUnavailableError(f"the provider answered {status}")
        session = _read(body)
        return OpenedSession(f"{self._url}/pay/{session.session_id}", session.status == "paid")

    async def cancel_session(self, topup_id: str) -> bool:
        """Cancel the session, if the top-up has one."""
        status, body = await self._post(f"/v1/sessions/{topup_id}/cancel", b"")
        if status == 404:
            return True
        if status != 200:
            raise ProviderUnavailableError(f"the provider answered {status}")
        return _read(body).status != "paid"

    def read_callback(self, headers: Mapping[str, str], body: bytes, now: float) -> PaymentNews:
        """What a callback tells, if it is signed."""
        check_signature(
            self._callback_secret,
            timestamp=headers.get("Provider-Timestamp"),
            signature=headers.get("Provider-Signature"),
            body=body,
            now=now,
        )
        try:
            told = _callback.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableCallbackError(f"the body is not a callback: {error}") from error
        if (told.payment_id is None) != (told.type == "session.cancelled"):
            raise UnreadableCallbackError("payment_id must be given, but with session.cancelled")
        if told.payment_id is not None and (what := text_problem(told.payment_id)):
            raise UnreadableCallbackError(f"payment_id {what}")
        if not is_currency(told.currency):
            raise UnreadableCallbackError("currency must be a currency that has minor units")
        return PaymentNews(
            kind=_KINDS[told.type],
            topup_id=told.topup_id,
            payment_id=told.payment_id,
            amount=told.amount,
            currency=told.currency,
        )

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        headers: dict[str, Any] = {
            "Authorization": self._authorization,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        try:
            async with self._client.post(
                self._url + path,
                data=body,
                headers=headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as answer:
                return answer.status, await _body_of(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderUnavailableError(f"the provider did not answer: {error!r}") from error


async def _body_of(answer: aiohttp.ClientResponse) -> bytes:
    if "Content-Encoding" in answer.headers:
        raise ProviderUnavailableError("the provider's answer is compressed")
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            raise ProviderUnavailableError("the provider's answer is too long")
    return bytes(body)


def _read(body: bytes) -> _Session:
    try:
        session = _session.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProviderUnavailableError("the provider's answer cannot be read") from error
    if not _SESSION_ID.fullmatch(session.session_id):
        raise ProviderUnavailableError("the provider's answer names no session")
    return session
