"""The scheduler's session in PostgreSQL: what is due, and what time it is."""

import asyncio
import math
from datetime import datetime, timedelta
from typing import NamedTuple, Self

import asyncpg

from projections.balances.read_model import DueWallet, list_due
from services.runtime import postgres
from services.runtime.sql import load_statement

MARGIN = timedelta(milliseconds=250)
"""How long ago something must have been due. Between two readings of PostgreSQL's clock the
ledger reckons the time itself, and may be a little behind; a command that came before its
moment would do nothing."""

_SESSION_SETTINGS = {
    # No query of ours takes long, and none may hold a snapshot for longer than a second.
    "statement_timeout": "1s",
    "jit": "off",
    # A plan that was made while the tables were empty would be kept for ever.
    "plan_cache_mode": "force_custom_plan",
}
_ANSWER_LIMIT_S = 5.0

_READ_CLOCK = load_statement(__file__, "read_clock")
_READ_OLDEST_SNAPSHOT = load_statement(__file__, "read_oldest_snapshot")


class SessionLostError(Exception):
    """PostgreSQL did not answer, or not with what was asked for."""


class DuePage(NamedTuple):
    """The wallets in which something is due, soonest first, and the time by which it is."""

    now: datetime
    wallets: list[DueWallet]


class DueWallets:
    """One session, opened by `open`. After a `SessionLostError` it is of no use."""

    def __init__(self, connection: postgres.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, dsn: str) -> Self:
        """Connect. Raises `SessionLostError`."""
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                return cls(await postgres.connect(dsn, "ledger scheduler", _SESSION_SETTINGS))
        except postgres.LOST as error:
            raise SessionLostError(f"cannot connect to PostgreSQL: {error!r}") from error

    async def ask(self, limit: int) -> DuePage:
        """Up to `limit` wallets of all tenants. Raises `SessionLostError`."""
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                now: datetime = await self._connection.fetchval(_READ_CLOCK)
                return DuePage(now, await list_due(self._connection, now - MARGIN, limit))
        except postgres.LOST as error:
            raise SessionLostError(f"PostgreSQL did not answer: {error!r}") from error

    async def oldest_snapshot_s(self) -> float:
        """For how long the oldest snapshot of the database has been held, in seconds.

        Not a number where the login may not see it. Raises `SessionLostError`.
        """
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                seconds: float | None = await self._connection.fetchval(_READ_OLDEST_SNAPSHOT)
        except asyncpg.InsufficientPrivilegeError:
            # Some servers show nobody who is at work: that must not cost the session.
            seconds = None
        except postgres.LOST as error:
            raise SessionLostError(f"PostgreSQL did not answer: {error!r}") from error
        return math.nan if seconds is None else seconds

    def close(self) -> None:
        """Leave. Nothing is under way that would be worth waiting for."""
        self._connection.terminate()
