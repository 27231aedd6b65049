"""The two event logs behind one face, so that one suite runs on both."""

from contextlib import AsyncExitStack
from typing import Literal, Protocol
from urllib.parse import urlsplit

import asyncpg

from ledger.event_log.interface import EventLog
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from ledger.event_log.postgres import PostgresEventLog
from tests.specs.cutting_proxy import CuttingProxy
from tests.specs.world import SteppingClock

Fate = Literal["lost", "committed"]


class Backend(Protocol):
    """A ledger's store, on which any number of writers may open logs."""

    async def log(self) -> EventLog:
        """A log of one more writer."""

    async def breaking_log(self, path: Literal["fast", "turn"], fate: Fate) -> EventLog:
        """A log whose next append through that path breaks at its commit."""

    async def spoil_snapshots(self) -> None:
        """Make every snapshot lie about the state, with a hash that the log does not have."""

    async def drop_snapshots(self) -> None:
        """Forget every snapshot."""

    async def restore_to(self, position: int, append_number: int) -> None:
        """Lose what came after, as a database restored to an earlier point does."""


class MemoryBackend:
    """In memory."""

    def __init__(self) -> None:
        self.store = MemoryStore(SteppingClock(), turn_limit_s=1.0)

    async def log(self) -> EventLog:
        """See `Backend`."""
        return MemoryEventLog(self.store)

    async def breaking_log(self, path: Literal["fast", "turn"], fate: Fate) -> EventLog:
        """See `Backend`."""
        log = MemoryEventLog(self.store)
        log.fate = fate
        return log

    async def spoil_snapshots(self) -> None:
        """See `Backend`."""
        for key, snapshot in self.store.snapshots.items():
            lie = snapshot.state.replace(b'"balance":', b'"balance":9')
            self.store.snapshots[key] = type(snapshot)(
                version=snapshot.version,
                event_hash=bytes(32),
                state_version=snapshot.state_version,
                state=lie,
            )

    async def drop_snapshots(self) -> None:
        """See `Backend`."""
        self.store.snapshots.clear()

    async def restore_to(self, position: int, append_number: int) -> None:
        """See `Backend`."""
        kept = self.store.appends[:append_number]
        self.store.__init__(self.store.clock, self.store.turn_limit_s)  # type: ignore[misc]
        for append in kept:
            self.store.write(append)
        assert len(self.store.events) == position


class PostgresBackend:
    """In PostgreSQL."""

    def __init__(self, dsn: str, stack: AsyncExitStack) -> None:
        self._dsn = dsn
        self._stack = stack

    async def log(self) -> EventLog:
        """See `Backend`."""
        return await self._open(self._dsn)

    async def _open(self, dsn: str) -> EventLog:
        log = PostgresEventLog(dsn)
        await log.start()
        self._stack.push_async_callback(log.close)
        return log

    async def breaking_log(self, path: Literal["fast", "turn"], fate: Fate) -> EventLog:
        """See `Backend`."""
        parts = urlsplit(self._dsn)
        assert parts.hostname is not None
        assert parts.port is not None
        proxy = await self._stack.enter_async_context(CuttingProxy(parts.hostname, parts.port))
        proxied = self._dsn.replace(f":{parts.port}", f":{proxy.port}", 1)
        log = await self._open(proxied)
        word = b"COMMIT" if path == "turn" else b"wallet.credited"
        proxy.cut_on(word, "before_it_arrives" if fate == "lost" else "after_the_answer")
        return log

    async def spoil_snapshots(self) -> None:
        """See `Backend`."""
        await self._execute(
            """UPDATE snapshots SET event_hash = decode(repeat('00', 32), 'hex'),
               state = replace(state::text, '"balance":', '"balance":9')::json"""
        )

    async def drop_snapshots(self) -> None:
        """See `Backend`."""
        await self._execute("DELETE FROM snapshots")

    async def restore_to(self, position: int, append_number: int) -> None:
        """See `Backend`. As a replica the server skips the triggers that refuse this."""
        await self._execute(
            f"""SET session_replication_role = replica;
            DELETE FROM appends WHERE number > {append_number};
            DELETE FROM events WHERE position > {position};
            DELETE FROM consumed_references WHERE position > {position};
            DELETE FROM command_outcomes WHERE position > {position};
            DELETE FROM wallets WHERE position > {position};
            DELETE FROM account_numbers WHERE position > {position};
            DELETE FROM snapshots"""  # noqa: S608 - two integers of the test's own
        )

    async def _execute(self, sql: str) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()
