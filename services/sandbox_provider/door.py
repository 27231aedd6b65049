"""The provider's door: what merchants' servers ask for, and what customers do on the page."""

import asyncio
import hmac
import re
import sqlite3
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from schemas.identifiers import is_topup_id
from services.sandbox_provider import metrics
from services.sandbox_provider.cards import callbacks_after, card_of, digits_of
from services.sandbox_provider.pages import HEADERS, session_page, unknown_page
from services.sandbox_provider.sessions import Callback, Session, SessionWish, body_of, problem_of
from services.sandbox_provider.store import SessionStore

MAX_BODY_BYTES: Final = 32 * 1024
_LOCKED_PAUSE_SECONDS: Final = 0.1
_SESSION_ID: Final = re.compile(r"ses_[0-9a-f]{32}", re.ASCII)
_wish = msgspec.json.Decoder(SessionWish)
_log = structlog.get_logger()


class Door:
    """Handlers. What they change is in the store before they answer."""

    def __init__(
        self,
        store: SessionStore,
        api_key: str,
        *,
        now: Callable[[], float],
        random_hex: Callable[[], str],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._api_key = api_key.encode()
        self._now = now
        self._random_hex = random_hex
        self._wake = wake

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.post("/v1/sessions", self.open_session),
            web.post("/v1/sessions/{topup_id}/cancel", self.cancel_session),
            web.get("/pay/{session_id}", self.show),
            web.post("/pay/{session_id}/pay", self.pay),
            web.post("/pay/{session_id}/cancel", self.cancel),
        ]

    async def open_session(self, request: web.Request) -> web.Response:
        """A session for a top-up: 200 and the one that it has, or 201 and a new one."""
        if not self._is_merchant(request):
            return _unauthorized()
        try:
            wish = _wish.decode(await request.read())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _unusable(f"the body cannot be read: {error}")
        if problem := problem_of(wish):
            return _unusable(problem)
        session_id = f"ses_{self._random_hex()}"
        session = self._store.open_session(session_id, wish, self._now())
        is_new = session.session_id == session_id
        metrics.SESSIONS.labels("new" if is_new else "known").inc()
        return _shown(session, 201 if is_new else 200)

    async def cancel_session(self, request: web.Request) -> web.Response:
        """Let a top-up's session not be paid any more: 200 and what it is, 404 if there is none.

        The merchant asked, so nothing is told.
        """
        if not self._is_merchant(request):
            return _unauthorized()
        topup_id = request.match_info["topup_id"]
        session = self._store.session_of_topup(topup_id) if is_topup_id(topup_id) else None
        if session is None:
            return web.json_response({"error": "there is no such session"}, status=404)
        self._store.cancel(session, (), self._now())
        return _shown(self._again(session), 200)

    async def show(self, request: web.Request) -> web.Response:
        """The page of a session."""
        session = self._named(request)
        return _page(session_page(session, self._now(), request.query.get("notice")), 200)

    async def pay(self, request: web.Request) -> web.Response:
        """The customer pays: back to the merchant; or the page again, which says why not."""
        session = self._named(request)
        page = f"../{session.session_id}"
        if session.status == "paid":
            raise self._see(session.return_url)
        now = self._now()
        if session.status == "cancelled" or now >= session.expires_at:
            raise self._see(page)
        digits = digits_of(await _card_in(request))
        if digits is None:
            raise self._see(f"{page}?notice=no-card-number")
        card = card_of(digits)
        if card is None:
            raise self._see(f"{page}?notice=no-test-card")
        payment_id = f"pay_{self._random_hex()}"
        planned = callbacks_after(card.behaviour, session, payment_id, now)
        if card.behaviour == "decline":
            if self._store.decline(session, planned, now):
                metrics.PAYMENTS.labels(card.behaviour).inc()
                self._wake()
            raise self._see(f"{page}?notice=declined")
        if self._store.pay(session, payment_id, planned, now):
            metrics.PAYMENTS.labels(card.behaviour).inc()
            _log.info("paid", session_id=session.session_id, payment_id=payment_id)
            self._wake()
        raise self._see(session.return_url)

    async def cancel(self, request: web.Request) -> web.Response:
        """The customer does not want to pay: back to the merchant, who is told."""
        session = self._named(request)
        now = self._now()
        told = Callback(body=body_of(session, "session.cancelled", None, now), due_at=now)
        if self._store.cancel(session, (told,), now):
            self._wake()
        raise self._see(session.return_url)

    def _see(self, url: str) -> web.HTTPSeeOther:
        """303. The back button is not to show what the customer leaves as it was.

        Chromium keeps even what must not be stored, unless a cookie has changed meanwhile; so
        one does, which says nothing.
        """
        answer = web.HTTPSeeOther(url, headers=HEADERS)
        answer.set_cookie("left", f"{self._now():.6f}", httponly=True, samesite="Lax")
        return answer

    def _is_merchant(self, request: web.Request) -> bool:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        sent = key.encode("utf-8", "surrogateescape")
        return scheme == "Bearer" and hmac.compare_digest(sent, self._api_key)

    def _named(self, request: web.Request) -> Session:
        session_id = request.match_info["session_id"]
        session = self._store.session(session_id) if _SESSION_ID.fullmatch(session_id) else None
        if session is None:
            raise web.HTTPNotFound(text=unknown_page(), content_type="text/html", headers=HEADERS)
        return session

    def _again(self, session: Session) -> Session:
        found = self._store.session(session.session_id)
        assert found is not None, "sessions are never removed"
        return found


def _shown(session: Session, status: int) -> web.Response:
    body = {"session_id": session.session_id, "status": session.status}
    return web.json_response(body, status=status)


def _page(html: str, status: int) -> web.Response:
    return web.Response(text=html, content_type="text/html", status=status, headers=HEADERS)


async def _card_in(request: web.Request) -> str:
    """What the form says of the card. Refuses with 400 a form that cannot be read."""
    try:
        form = await request.post()
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - aiohttp has many kinds for a broken form
        _log.info("form_unreadable", error=repr(error))
        raise web.HTTPBadRequest(text="the form cannot be read") from None
    return str(form.get("card", ""))


@web.middleware
async def with_patience(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Do once more what another process had locked the file for; then 503."""
    try:
        return await handler(request)
    except sqlite3.OperationalError:
        await asyncio.sleep(_LOCKED_PAUSE_SECONDS)
    try:
        return await handler(request)
    except sqlite3.OperationalError as error:
        _log.warning("sessions_unusable", error=repr(error))
        text = "the sessions are in use; please try again"
        raise web.HTTPServiceUnavailable(text=text, headers={"Retry-After": "1"}) from None


def _unusable(why: str) -> web.Response:
    return web.json_response({"error": why}, status=400)


def _unauthorized() -> web.Response:
    headers = {"WWW-Authenticate": "Bearer"}
    return web.json_response({"error": "the key is wrong"}, status=401, headers=headers)
