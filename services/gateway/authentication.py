"""Who calls: HTTP Basic credentials, checked against what is stored hashed.

What was found for a key id is kept for a second at most, found or not, so that a revoked
credential stops working within a second and a busy one costs one query a second. Key ids that
were not let in lately are asked for in turn: guesses never have all connections.
"""

import binascii
import hmac
from asyncio import Semaphore, Task, create_task, shield, timeout
from base64 import b64decode
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct

from ledger.tenants import Environment
from ledger.tenants.limits import RateLimit
from ledger.tenants.store import Credential, hash_secret
from services.gateway.problems import ReadsUnavailableError, RefusedError

CHALLENGE: Final = 'Basic realm="ledger", charset="UTF-8"'
MAX_CREDENTIAL_AGE_SECONDS: Final = 1.0
# A busy credential is read again ahead of time, so that no request waits for it.
_REFRESH_AGE_SECONDS: Final = 0.5
_MAX_KEPT: Final = 10_000
_STRANGERS_AT_ONCE: Final = 2
_MAX_TURN_SECONDS: Final = 3.0
_MAX_KEY_ID_CHARACTERS: Final = 255
# Compared against where the key id is unknown, so that both cases take the same time.
_NO_SECRET_HASH: Final = bytes(32)


class Principal(Struct, frozen=True, kw_only=True):
    """Who calls, for which tenant, and what the credential allows."""

    tenant_id: str
    merchant_id: str
    key_id: str
    scopes: frozenset[str]
    who: str
    environment: Environment
    redirect_origins: frozenset[str]
    """To where browsers may be sent after a top-up; empty: everywhere."""
    rate_limit: RateLimit | None = None
    """How much it may ask for; none: what the gateway allows every credential."""
    used_units: int = 0
    """What all gateways had let through of it when it was read."""


FindCredential = Callable[[str], Awaitable[Credential | None]]
"""Reads the credential of a key id, revoked or not; none if it is unknown."""


class _Kept:
    __slots__ = ("principal", "read_at", "secret_hash")

    def __init__(self, principal: Principal | None, secret_hash: bytes, read_at: float) -> None:
        self.principal = principal
        self.secret_hash = secret_hash
        self.read_at = read_at


class Authenticator:
    """Turns an `Authorization` header into a `Principal`, or refuses it."""

    def __init__(self, find: FindCredential, monotonic: Callable[[], float]) -> None:
        self._find = find
        self._monotonic = monotonic
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._reading: dict[str, Task[_Kept]] = {}
        self._strangers = Semaphore(_STRANGERS_AT_ONCE)

    async def authenticate(self, authorization: str | None) -> Principal:
        """The principal of the header's credentials. Refuses with 401 `unauthorized`."""
        principal = await self.principal_of(*_credentials_of(authorization))
        if principal is None:
            raise unauthorized("the client id or the secret is wrong")
        return principal

    async def principal_of(self, key_id: str, secret: str) -> Principal | None:
        """Who has this key id and this secret; None if nobody has both, or no longer."""
        kept = self._kept.get(key_id)
        now = self._monotonic()
        if kept is None or now - kept.read_at > MAX_CREDENTIAL_AGE_SECONDS:
            kept = await shield(self._read(key_id))
        elif now - kept.read_at > _REFRESH_AGE_SECONDS and kept.principal is not None:
            self._read(key_id)
        # The secret is of high entropy, so one hash is enough, and cheap on every request.
        matches = hmac.compare_digest(hash_secret(secret), kept.secret_hash)
        return kept.principal if matches else None

    def _read(self, key_id: str) -> Task[_Kept]:
        """Read the credential anew, once for all who ask meanwhile."""
        reading = self._reading.get(key_id)
        if reading is None:
            reading = self._reading[key_id] = create_task(self._find_and_keep(key_id))
            reading.add_done_callback(lambda done: self._finish(key_id, done))
        return reading

    def _finish(self, key_id: str, reading: Task[_Kept]) -> None:
        del self._reading[key_id]
        if not reading.cancelled():
            # Whoever waits gets the error; without anyone waiting the next request asks again.
            reading.exception()

    async def _find_and_keep(self, key_id: str) -> _Kept:
        async with self._turn_of(key_id):
            # The age counts from before the query: what it returns may be as old as that.
            asked_at = self._monotonic()
            stored = await self._find(key_id)
        if stored is None or stored.revoked_at is not None:
            kept = _Kept(None, _NO_SECRET_HASH, asked_at)
        else:
            principal = Principal(
                tenant_id=stored.tenant_id,
                merchant_id=stored.merchant_id,
                key_id=key_id,
                scopes=stored.scopes,
                who=f"client:{key_id}",
                environment=stored.environment,
                redirect_origins=stored.redirect_origins,
                rate_limit=stored.rate_limit,
                used_units=stored.used_units,
            )
            kept = _Kept(principal, stored.secret_hash, asked_at)
        self._kept[key_id] = kept
        self._kept.move_to_end(key_id)
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return kept

    @asynccontextmanager
    async def _turn_of(self, key_id: str) -> AsyncIterator[None]:
        kept = self._kept.get(key_id)
        if kept is not None and kept.principal is not None:
            yield
            return
        try:
            async with timeout(_MAX_TURN_SECONDS):
                await self._strangers.acquire()
        except TimeoutError:
            raise ReadsUnavailableError("too many credentials are asked for") from None
        try:
            yield
        finally:
            self._strangers.release()


def unauthorized(detail: str) -> RefusedError:
    """The 401, with the challenge that HTTP asks for."""
    return RefusedError("unauthorized", detail, headers=(("WWW-Authenticate", CHALLENGE),))


def _credentials_of(authorization: str | None) -> tuple[str, str]:
    if authorization is None:
        raise unauthorized("credentials are missing: HTTP Basic with client id and secret")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise unauthorized("credentials must be HTTP Basic")
    try:
        decoded = b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise unauthorized("the credentials are not base64 of client id, colon, secret") from None
    key_id, colon, secret = decoded.partition(":")
    if not colon or len(key_id) > _MAX_KEY_ID_CHARACTERS:
        raise unauthorized("the credentials are not base64 of client id, colon, secret")
    return key_id, secret
