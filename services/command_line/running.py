"""How a command runs: its settings, its event loop, its connection, its administrator."""

import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ledger.tenants.administrator import Administrator
    from services.runtime.postgres import Connection
    from services.runtime.settings import Process, Settings

Result = TypeVar("Result")

_DSNS = ("DATABASE_URL", "VAULT_DATABASE_URL")
"""What a sandbox.env has of the settings that are secret."""


def settings_now(process: "Process | None" = None, *, own_servers: bool = False) -> "Settings":
    """The settings; where the environment names no servers, those that `ledger up` runs.

    Of a process that may have a login of its own with the database, with that login.
    """
    import msgspec

    from services.runtime.sandbox_file import read_sandbox
    from services.runtime.settings import SecretText, Settings

    settings = Settings.from_environment(os.environ)
    if process is not None:
        settings = settings.of_process(process)
    named = (settings.database_url, settings.kafka_bootstrap, settings.vault_database_url)
    if own_servers or all(named):
        return settings
    running = read_sandbox(settings.home.expanduser())
    dsns = {name: SecretText(running[name]) for name in _DSNS if name in running}
    return msgspec.structs.replace(
        settings,
        database_url=settings.database_url or dsns.get("DATABASE_URL"),
        kafka_bootstrap=settings.kafka_bootstrap or running.get("KAFKA_BOOTSTRAP"),
        vault_database_url=settings.vault_database_url or dsns.get("VAULT_DATABASE_URL"),
    )


def run_process(
    process: str, work: Coroutine[Any, Any, Result], *, logs: bool = True
) -> Result | None:
    """Run a process until it ends or a signal comes. With `logs` it speaks JSON lines.

    Without, standard output is its own, and what goes wrong is logged on standard error.
    """
    import structlog
    import uvloop

    from services.runtime.addresses import ListenError
    from services.runtime.garbage import collect_seldom
    from services.runtime.logging import configure_logging
    from services.runtime.settings import SettingsError
    from services.runtime.shutdown import run_until_signalled

    collect_seldom()
    # What is talking to a person shows only what that person should know about.
    if logs:
        configure_logging(process, settings_now().log_level)
    else:
        configure_logging(process, "warning", sys.stderr)
    try:
        return uvloop.run(run_until_signalled(work))
    except SettingsError:
        raise
    except ListenError as error:
        structlog.get_logger().critical("cannot_listen", reason=str(error))
        sys.exit(1)
    except Exception:
        if not logs:
            raise
        # So that the last line of the log is JSON like those before it.
        structlog.get_logger().exception("process_failed")
        sys.exit(1)


def with_connection(work: "Callable[[Connection], Awaitable[Result]]") -> Result:
    """Run `work` with a connection to the configured database."""
    import uvloop

    from services.runtime.outages import told
    from services.runtime.postgres import LOST, connect

    dsn = settings_now().require_database_url()

    async def run() -> Result:
        connection = await connect(dsn, "ledger-cli")
        try:
            return await work(connection)
        finally:
            await connection.close()

    try:
        return uvloop.run(run())
    except LOST as error:
        raise click.ClickException(told(error, dsn)) from error


def administered(by: str | None, work: "Callable[[Administrator], Awaitable[Result]]") -> Result:
    """Let an administrator work; what cannot be done is one line and status 1."""
    import uvloop

    from ledger.event_log.interface import AppendRefusedError, LogUnavailableError
    from ledger.tenants import errors
    from services.runtime.administration import administering, operator_name
    from services.runtime.outages import told

    dsn = settings_now().require_database_url()

    async def run() -> Result:
        async with administering(dsn, operator_name(by)) as administrator:
            return await work(administrator)

    try:
        return uvloop.run(run())
    except (LogUnavailableError, AppendRefusedError, errors.OutcomeUnknownError) as error:
        raise click.ClickException(told(error, dsn)) from error
    except (
        ValueError,
        errors.UnknownTenantError,
        errors.UnknownMerchantError,
        errors.UnknownCredentialError,
        errors.CredentialEndedError,
    ) as error:
        raise click.ClickException(str(error)) from error
