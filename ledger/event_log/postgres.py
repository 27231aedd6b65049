"""The event log in PostgreSQL. One connection appends; another reads and keeps snapshots.

The append's connection is used by one writer at a time and never with asyncpg's
timeouts: a cancelled insert may have been committed. Limits are the server's.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from ledger.event_log import rows
from ledger.event_log.interface import (
    GENESIS_HASH,
    Append,
    Appended,
    AppendRefusedError,
    CommitUnclearError,
    EventKey,
    Findings,
    Head,
    LogDivergedError,
    LogUnavailableError,
    News,
    Question,
    Snapshot,
)
from ledger.event_log.keepalive import SERVER_SETTINGS, keep_alive
from ledger.event_log.looking_up import look_up
from schemas.events import RecordedEvent
from schemas.identifiers import StreamKey, hex_of

APPEND_LOCK = 0x6C65_6467_6572
"""The advisory lock of the turn to append ("ledger" in ASCII)."""

_NEWS_LIMIT = 10_000
_CONNECT_TIMEOUT_S = 5
_EMPTY_HEAD = Head(
    number=0, hash=GENESIS_HASH, last_position=0, recorded_at=datetime(1970, 1, 1, tzinfo=UTC)
)

# A plan made while the tables were empty scans them, and stays cached when they have
# grown; every look-up of the writer is by key, so other plans are ruled out.
_SERVER_SETTINGS = SERVER_SETTINGS | {
    "application_name": "ledger append",
    # A role or a database may have another default, under which whoever waited for its turn
    # would not see what was appended meanwhile.
    "default_transaction_isolation": "read committed",
    "jit": "off",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "idle_in_transaction_session_timeout": "2s",
    "lock_timeout": "5s",
}

_PLANNED_ANEW = {"customers", "identities", "next_serials"}
"""Statements that more than one index would serve, most of them badly: a plan from empty
tables may take one that reads everything of the tenant, and would be kept."""

_CONNECTION_LOST = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)


@cache
def _sql(name: str) -> str:
    return files("ledger.event_log").joinpath("sql", f"{name}.sql").read_text()


class _Connection:
    """One connection, made when first needed and again after it broke."""

    def __init__(self, dsn: str, settings: dict[str, str]) -> None:
        self._dsn = dsn
        self._settings = settings
        self._connection: asyncpg.Connection | None = None
        self._statements: dict[str, PreparedStatement] = {}
        self.in_turn = False
        """While set, a broken connection is not replaced: its transaction died with it."""

    async def open(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            if self.in_turn:
                raise LogUnavailableError("the connection broke within a turn")
            self._statements = {}
            try:
                self._connection = await asyncpg.connect(
                    self._dsn,
                    timeout=_CONNECT_TIMEOUT_S,
                    server_settings=self._settings,
                    statement_cache_size=0,
                )
                await keep_alive(self._connection)
            except (*_CONNECTION_LOST, asyncpg.PostgresError) as error:
                raise LogUnavailableError(f"cannot connect to PostgreSQL: {error}") from error
        return self._connection

    def of_turn(self) -> asyncpg.Connection | None:
        """The connection that the turn under way began on, if it lives."""
        if self._connection is None or self._connection.is_closed():
            return None
        return self._connection

    async def fetch(self, name: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement of the sql folder. Leaves errors as the driver raises them."""
        connection = await self.open()
        if name in _PLANNED_ANEW:
            return await connection.fetch(_sql(name), *arguments)
        statement = self._statements.get(name)
        if statement is None:
            # By name, or the server would parse and plan it with every use.
            statement = await connection.prepare(_sql(name), name=name)
            self._statements[name] = statement
        return await statement.fetch(*arguments)

    async def read(self, name: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement that appends nothing, so that no failure of it is unclear."""
        try:
            return await self.fetch(name, *arguments)
        except asyncpg.PostgresError as error:
            if _is_definite(error):
                raise _refusal(error) from error
            self.drop()
            raise LogUnavailableError(f"PostgreSQL did not answer: {error}") from error
        except _CONNECTION_LOST as error:
            self.drop()
            raise LogUnavailableError(f"PostgreSQL did not answer: {error}") from error

    def drop(self) -> None:
        """Give the connection up; the next call makes a new one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close()
        self._connection = None


class PostgresEventLog:
    """One writer's access to the log. See `ledger.event_log.interface` for what it promises."""

    def __init__(self, dsn: str) -> None:
        self._writer = _Connection(dsn, _SERVER_SETTINGS)
        self._reader = _Connection(dsn, _SERVER_SETTINGS | {"application_name": "ledger read"})
        self._reading = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises `LogUnavailableError`."""
        await self._writer.open()

    async def close(self) -> None:
        """Close both connections."""
        await self._writer.close()
        await self._reader.close()

    async def head(self) -> Head:
        """See `EventLog`."""
        return await _head(self._writer)

    async def look_up(self, question: Question) -> Findings:
        """See `EventLog`."""
        return await look_up(self._writer.read, question)

    async def append(self, append: Append) -> Appended:
        """See `EventLog`."""
        assert append.tenancy is None, "that takes two statements, so a turn"
        await self._writer.open()
        try:
            return await _append(self._writer, append)
        except asyncpg.PostgresError as error:
            if _is_definite(error):
                raise _refusal(error) from error
            self._writer.drop()
            raise CommitUnclearError(f"the append's fate is unknown: {error}") from error
        except _CONNECTION_LOST as error:
            self._writer.drop()
            raise CommitUnclearError(f"the append's fate is unknown: {error}") from error

    @asynccontextmanager
    async def exclusively(self) -> AsyncIterator["_PostgresTurn"]:
        """See `EventLog`."""
        turn = _PostgresTurn(self._writer)
        await turn.begin()
        try:
            yield turn
        except BaseException:
            await turn.roll_back()
            raise
        await turn.commit()

    async def read(self, after_position: int, limit: int) -> list[RecordedEvent]:
        """See `EventLog`."""
        async with self._reading:
            found = await self._reader.read("read", after_position, limit)
        return [rows.recorded_event(row) for row in found]

    async def read_stream(
        self, wallet: StreamKey, after_version: int, limit: int
    ) -> list[RecordedEvent]:
        """See `EventLog`."""
        tenant_id, stream_id = wallet.tenant_id, hex_of(wallet.stream_id)
        async with self._reading:
            found = await self._reader.read(
                "read_stream", tenant_id, stream_id, after_version, limit
            )
        return [rows.recorded_event(row) for row in found]

    async def find_events(self, keys: Sequence[EventKey]) -> dict[EventKey, RecordedEvent]:
        """See `EventLog`."""
        async with self._reading:
            found = await self._reader.read(
                "find_events", [key.tenant_id for key in keys], [key.event_id for key in keys]
            )
        events = map(rows.recorded_event, found)
        return {EventKey(event.tenant_id, event.event_id): event for event in events}

    async def save_snapshots(self, snapshots: Sequence[tuple[StreamKey, Snapshot]]) -> None:
        """See `EventLog`."""
        async with self._reading:
            await self._reader.read(
                "save_snapshots",
                [wallet.tenant_id for wallet, _ in snapshots],
                [hex_of(wallet.stream_id) for wallet, _ in snapshots],
                [snapshot.version for _, snapshot in snapshots],
                [snapshot.event_hash for _, snapshot in snapshots],
                [snapshot.state_version for _, snapshot in snapshots],
                [snapshot.state.decode() for _, snapshot in snapshots],
            )


class _PostgresTurn:
    """A transaction that holds the append lock."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._appended = False

    async def begin(self) -> None:
        connection = await self._connection.open()
        try:
            # The lock and the first read are two statements: read in the statement that
            # waits for the lock, the head would be as old as the wait.
            await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock({APPEND_LOCK})")
        except (*_CONNECTION_LOST, asyncpg.PostgresError) as error:
            self._connection.drop()
            raise LogUnavailableError(f"no turn to append: {error}") from error
        self._connection.in_turn = True

    async def catch_up(self, seen: Head | None) -> News:
        """See `Turn`."""
        if seen is None:
            return News(head=await _head(self._connection), events=None)
        found = await self._connection.read("news", seen.number, seen.last_position, _NEWS_LIMIT)
        if seen.number > 0 and (not found or found[0]["kept_hash"] != seen.hash):
            raise LogDivergedError(f"append {seen.number} is not the one that was seen")
        return rows.news(found, seen, _NEWS_LIMIT)

    async def find_append(self, append_id: str, after_number: int) -> bool:
        """See `Turn`."""
        return bool(await self._connection.read("find_append", append_id, after_number))

    async def look_up(self, question: Question) -> Findings:
        """See `Turn`."""
        return await look_up(self._connection.read, question)

    async def append(self, append: Append) -> Appended:
        """See `Turn`. Nothing is committed yet, so no failure here is unclear."""
        try:
            appended = await _append(self._connection, append)
            if appended.is_written and append.tenancy is not None:
                changes = rows.tenancy_arguments(append.tenancy, append.head.recorded_at)
                await self._connection.fetch("append_tenancy", *changes)
        except asyncpg.PostgresError as error:
            if _is_definite(error):
                raise _refusal(error) from error
            self._connection.drop()
            raise LogUnavailableError(f"the append was not committed: {error}") from error
        except _CONNECTION_LOST as error:
            self._connection.drop()
            raise LogUnavailableError(f"the append was not committed: {error}") from error
        self._appended = appended.is_written
        return appended

    async def commit(self) -> None:
        # Whatever happens, the turn is over: the next one may connect anew.
        connection, self._connection.in_turn = self._connection.of_turn(), False
        if connection is None:
            if self._appended:
                raise CommitUnclearError("the connection broke before the commit")
            raise LogUnavailableError("the connection broke within a turn")
        try:
            await connection.execute("COMMIT")
        except (*_CONNECTION_LOST, asyncpg.PostgresError) as error:
            self._connection.drop()
            if self._appended:
                raise CommitUnclearError(f"the commit's fate is unknown: {error}") from error
            raise LogUnavailableError(f"the turn broke: {error}") from error

    async def roll_back(self) -> None:
        try:
            await (await self._connection.open()).execute("ROLLBACK")
        except (*_CONNECTION_LOST, asyncpg.PostgresError, LogUnavailableError):
            # Without its connection the transaction ends on the server by itself.
            self._connection.drop()
        finally:
            self._connection.in_turn = False


async def _head(connection: _Connection) -> Head:
    found = await connection.read("head")
    if not found:
        return _EMPTY_HEAD
    number, digest, last_position, recorded_at = found[0]
    return Head(number=number, hash=digest, last_position=last_position, recorded_at=recorded_at)


async def _append(connection: _Connection, append: Append) -> Appended:
    found = await connection.fetch("append", *rows.append_arguments(APPEND_LOCK, append))
    return Appended(found[0]["is_written"], found[0]["now"])


def _is_definite(error: asyncpg.PostgresError) -> bool:
    """Whether the statement surely failed: the server says so, or it never left the client.

    A FATAL error is not definite: it may come after the commit.
    """
    if isinstance(error, asyncpg.DataError):
        return True
    return getattr(error, "severity_en", None) == "ERROR"


def _refusal(error: asyncpg.PostgresError) -> AppendRefusedError | LogUnavailableError:
    sqlstate = error.sqlstate or ""
    if sqlstate[:2] in {"22", "23", "54"}:
        return AppendRefusedError(sqlstate)
    return LogUnavailableError(f"PostgreSQL refused: {sqlstate} {type(error).__name__}")
