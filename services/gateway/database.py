"""The gateway's own connections to PostgreSQL, for queries and credentials.

They are few, apart from the ledger's, and opened when they are first needed, so that a
gateway starts, and keeps taking commands, whatever becomes of them. What every call needs has
connections of its own, so no query, however slow, delays a command.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import asyncpg
import structlog

from ledger.tenants.store import Credential, find_credential
from ledger.tenants.usage import UsedCredential, exchange_usage
from services.gateway.problems import ReadsUnavailableError
from services.gateway.read_shares import ReadShares
from services.runtime import postgres

Result = TypeVar("Result")
Pool = postgres.Pool

MAX_READING: Final = 4
"""Connections for reads; a tenant has its share of them."""
MAX_ADMITTING: Final = 3
"""Connections for credentials, usage and readiness: one more than guesses of key ids may take."""
MAX_READ_SECONDS: Final = 3.0
"""Waiting for a turn and a connection included. A read may be cancelled: it changes nothing."""
GATHERED: Final = "all tenants"
"""Whose a read is that is made for many callers at once; they are few, and short."""
ANYONE: Final = "anyone"
"""Whose a read is that is made before it is known for which tenant."""
_UNREACHABLE: Final = (
    OSError,
    TimeoutError,
    *postgres.UNUSABLE,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
_NOBODY: Final = f"key_{'0' * 24}"
_SERVER_SETTINGS: Final = {
    # No query of ours takes long, and none may hold a snapshot for longer than a second.
    "statement_timeout": "1s",
    "jit": "off",
    # A plan that was made while the tables were empty takes any index that starts with the
    # tenant, reads all of the tenant's rows for one wallet, and would be kept for ever.
    "plan_cache_mode": "force_custom_plan",
}

_log = structlog.get_logger(__name__)


class Database:
    """Pools of connections. What cannot be reached raises `ReadsUnavailableError`."""

    def __init__(self, dsn: str) -> None:
        self._reading = _LazyPool(dsn, "ledger-gateway-reads", MAX_READING)
        self._admitting = _LazyPool(dsn, "ledger-gateway-credentials", MAX_ADMITTING)
        self._shares = ReadShares()
        self._said: str | None = None

    async def read(self, whose: str, ask: Callable[[Pool], Awaitable[Result]]) -> Result:
        """Ask something for a tenant. Nothing is repeated here: the client may.

        `whose` is the tenant's id, in whose share the read is; or `GATHERED`, `ANYONE`.
        """
        try:
            async with postgres.limited(MAX_READ_SECONDS), self._shares.turn(whose):
                return await ask(await self._reading.get())
        except _UNREACHABLE as error:
            raise _unreachable() from error

    async def find_credential(self, key_id: str) -> Credential | None:
        """The credential of a key id, revoked or not."""

        async def ask(pool: Pool) -> Credential | None:
            async with pool.acquire() as connection:
                return await find_credential(connection, key_id)

        return await self._admit(ask)

    async def exchange_usage(
        self, used: Sequence[UsedCredential], asked: Sequence[str]
    ) -> dict[str, int]:
        """Tell what was used, and hear of the units of all gateways, by key id.

        What raises may have been told or not.
        """

        async def ask(pool: Pool) -> dict[str, int]:
            async with pool.acquire() as connection:
                return await exchange_usage(connection, used, asked)

        return await self._admit(ask)

    async def problems(self) -> list[str]:
        """Why nothing can be read; empty when it can. The schema must be there, too."""
        try:
            await self.find_credential(_NOBODY)
        except ReadsUnavailableError as error:
            self._say(repr(error.__cause__))
            return ["the database cannot be reached"]
        except asyncpg.PostgresError as error:
            self._say(repr(error))
            return [f"the database cannot be used: {type(error).__name__}"]
        self._say(None)
        return []

    async def close(self) -> None:
        """Close every connection."""
        await self._reading.close()
        await self._admitting.close()

    async def _admit(self, ask: Callable[[Pool], Awaitable[Result]]) -> Result:
        """Ask what decides whether a call is taken in, or whether the process is ready."""
        try:
            async with postgres.limited(MAX_READ_SECONDS):
                return await ask(await self._admitting.get())
        except _UNREACHABLE as error:
            raise _unreachable() from error

    def _say(self, reason: str | None) -> None:
        """Log a new reason once. Readiness is public here, so only the log has it in full."""
        if reason not in (None, self._said):
            _log.warning("database_unreachable", reason=reason)
        self._said = reason


class _LazyPool:
    """A pool that is opened when it is first needed."""

    def __init__(self, dsn: str, application_name: str, max_size: int) -> None:
        self._dsn = dsn
        self._application_name = application_name
        self._max_size = max_size
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()

    async def get(self) -> Pool:
        if self._pool is not None:
            return self._pool
        async with self._opening:
            if self._pool is None:
                self._pool = await postgres.pool(
                    self._dsn,
                    self._application_name,
                    max_size=self._max_size,
                    server_settings=_SERVER_SETTINGS,
                )
            return self._pool

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


def _unreachable() -> ReadsUnavailableError:
    return ReadsUnavailableError("the database cannot be reached")
