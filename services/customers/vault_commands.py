"""Maintaining the vault with what the log says of erasures, which the vault itself cannot read."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from ledger.event_log.interface import LogUnavailableError
from ledger.tenants.errors import OutcomeUnknownError
from services.customers.erasures import erasures_in
from services.customers.errors import CustomerCommandError
from services.customers.leftovers import Leftovers
from services.runtime.administration import administering, operator_name
from services.runtime.outages import told
from services.runtime.postgres import LOST, connect
from services.runtime.settings import Settings
from services.vault import main as vault
from services.vault.errors import LeftoversUnclearError
from services.vault.key_store import Destruction

_NAME: Final = "ledger-vault-erasures"


async def run_reconcile(settings: Settings, by: str | None = None) -> list[str]:
    """Destroy again what a restore brought back, and remove what is left over.

    Raises `CustomerCommandError` without the log.
    """
    async with _erasures(settings) as erasures:
        await _tell(settings, "reconcile", by)
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


async def run_restore(settings: Settings, path: Path, by: str | None = None) -> list[str]:
    """Put back what is missing and nobody erased. Raises `CustomerCommandError` without the log."""
    async with _erasures(settings) as erasures:
        await _tell(settings, "restore", by)
        return await vault.run_restore(settings, path, erasures)


async def run_rotation(settings: Settings, by: str | None = None) -> list[str]:
    """Wrap every key by a new master key. Raises `CustomerCommandError` without the log."""
    await _tell(settings, "rotate_master_key", by)
    return await vault.run_rotation(settings)


async def _tell(settings: Settings, work: str, by: str | None) -> None:
    """Say in the audit log what is about to be done: the vault itself is not in one commit with it.

    First, so that nothing is done of which the log does not know.
    """
    dsn = settings.require_database_url()
    try:
        async with administering(dsn, operator_name(by)) as administrator:
            await administrator.begin_vault_maintenance(work)
    except (LogUnavailableError, OutcomeUnknownError) as error:
        why = told(error, dsn)
        message = f"the audit log, in which this has to be, cannot be written: {why}"
        raise CustomerCommandError(message) from error
    except ValueError as error:
        raise CustomerCommandError(str(error)) from error


@asynccontextmanager
async def _erasures(settings: Settings) -> AsyncIterator[AsyncIterator[Destruction]]:
    dsn = settings.require_database_url()
    try:
        connection = await connect(dsn, _NAME)
    except LOST as error:
        raise _unreadable(error, dsn) from error

    async def fetch(statement: str, after: int, limit: int) -> Sequence[Any]:
        try:
            return await connection.fetch(statement, after, limit)
        except LOST as error:
            raise _unreadable(error, dsn) from error

    try:
        yield erasures_in(fetch)
    finally:
        await connection.close()


def _unreadable(error: Exception, dsn: str) -> CustomerCommandError:
    message = f"the log, which says who was erased, cannot be read: {told(error, dsn)}"
    return CustomerCommandError(message)
