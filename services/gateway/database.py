"""The gateway's own connections to PostgreSQL, for queries and credentials.

They are few, apart from the ledger's, and opened when they are first needed, so that a
gateway starts, and keeps taking commands, whatever becomes of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import asyncpg
import structlog

from ledger.tenants.store import Credential, find_credential
from ledger.tenants.usage import UsedCredential, exchange_usage
from services.gateway.problems import ReadsUnavailableError
from services.runtime import postgres

Result = TypeVar("Result")
Pool = postgres.Pool

MAX_CONNECTIONS: Final = 4
MAX_READ_SECONDS: Final = 3.0
"""Waiting for a connection included. A read may be cancelled: it changes nothing."""
_UNREACHABLE: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
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
    """A pool of connections. What cannot be reached raises `ReadsUnavailableError`."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()
        self._said: str | None = None

    async def read(self, ask: Callable[[Pool], Awaitable[Result]]) -> Result:
        """Ask something. Nothing is repeated here: the client may."""
        try:
            async with asyncio.timeout(MAX_READ_SECONDS):
                return await ask(self._pool or await self._open())
        except _UNREACHABLE as error:
            raise ReadsUnavailableError("the database cannot be reached") from error

    async def find_credential(self, key_id: str) -> Credential | None:
        """The credential of a key id, revoked or not."""

        async def ask(pool: Pool) -> Credential | None:
            async with pool.acquire() as connection:
                return await find_credential(connection, key_id)

        return await self.read(ask)

    async def exchange_usage(
        self, used: Sequence[UsedCredential], asked: Sequence[str]
    ) -> dict[str, int]:
        """Tell what was used, and hear of the units of all gateways, by key id.

        What raises may have been told or not.
        """

        async def ask(pool: Pool) -> dict[str, int]:
            async with pool.acquire() as connection:
                return await exchange_usage(connection, used, asked)

        return await self.read(ask)

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

    def _say(self, reason: str | None) -> None:
        """Log a new reason once. Readiness is public here, so only the log has it in full."""
        if reason not in (None, self._said):
            _log.warning("database_unreachable", reason=reason)
        self._said = reason

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def _open(self) -> Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await postgres.pool(
                    self._dsn,
                    "ledger-gateway-reads",
                    max_size=MAX_CONNECTIONS,
                    server_settings=_SERVER_SETTINGS,
                )
            return self._pool
