"""An administrator on the configured log, and under which name an operator is in it."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ledger.event_log.postgres import PostgresEventLog
from ledger.tenants.administrator import Administrator
from services.runtime.environment import SystemEnvironment


def operator_name(name: str | None = None) -> str:
    """Who an operator is: the name that was given, else the user of the machine."""
    return f"operator:{getpass.getuser() if name is None else name}"


@asynccontextmanager
async def administering(dsn: str, who: str) -> AsyncIterator[Administrator]:
    """An administrator for as long as the block lasts."""
    log = PostgresEventLog(dsn)
    try:
        yield Administrator(log, SystemEnvironment(), who)
    finally:
        await log.close()
