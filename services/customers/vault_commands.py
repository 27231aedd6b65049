"""Maintaining the vault with what the log says of erasures, which the vault itself cannot read."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg

from services.customers.erasures import erasures_in
from services.customers.errors import CustomerCommandError
from services.customers.leftovers import Leftovers
from services.runtime.postgres import connect
from services.runtime.settings import Settings
from services.vault import main as vault
from services.vault.errors import LeftoversUnclearError
from services.vault.key_store import Destruction

_NAME: Final = "ledger-vault-erasures"
_AWAY: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def run_reconcile(settings: Settings) -> list[str]:
    """Destroy again what a restore brought back, and remove what is left over.

    Raises `CustomerCommandError` without the log.
    """
    async with _erasures(settings) as erasures:
        said = await vault.run_reconcile(settings, erasures)
    try:
        removed = await Leftovers(settings, _NAME).remove()
    except LeftoversUnclearError as error:
        return [*said, f"left as it is    {error}"]
    return [
        *said,
        f"unused keys      {removed.keys} removed",
        f"documents        {removed.documents} removed",
        f"broken uploads   {removed.uploads} removed",
    ]


async def run_restore(settings: Settings, path: Path) -> list[str]:
    """Put back what is missing and nobody erased. Raises `CustomerCommandError` without the log."""
    async with _erasures(settings) as erasures:
        return await vault.run_restore(settings, path, erasures)


@asynccontextmanager
async def _erasures(settings: Settings) -> AsyncIterator[AsyncIterator[Destruction]]:
    try:
        connection = await connect(settings.require_database_url(), _NAME)
    except _AWAY as error:
        raise _unreadable(error) from error

    async def fetch(statement: str, after: int, limit: int) -> Sequence[Any]:
        try:
            return await connection.fetch(statement, after, limit)
        except _AWAY as error:
            raise _unreadable(error) from error

    try:
        yield erasures_in(fetch)
    finally:
        await connection.close()


def _unreadable(error: Exception) -> CustomerCommandError:
    message = f"the log, which says who was erased, cannot be read: {error}"
    return CustomerCommandError(message)
