"""Running a command of the command line: its settings, its event loop, its connection."""

import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from services.runtime.postgres import Connection
    from services.runtime.settings import Process, Settings

Result = TypeVar("Result")

_DSNS = ("DATABASE_URL", "VAULT_DATABASE_URL")
"""What a sandbox.env has of the settings that are secret."""
_LONGEST_NAME = 200


def _printable(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and not (0 < len(text) <= _LONGEST_NAME and text.isprintable()):
        message = f"a name is of 1 to {_LONGEST_NAME} printable characters"
        raise click.BadParameter(message, ctx=context, param=parameter)
    return text


by_option = click.option(
    "--by", callback=_printable, help="Who does it, for the audit log; else the machine's user."
)


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
    """Run a process until it ends or a signal comes. With `logs` it speaks JSON lines."""
    import structlog
    import uvloop

    from services.runtime.garbage import collect_seldom
    from services.runtime.logging import configure_logging
    from services.runtime.settings import SettingsError
    from services.runtime.shutdown import run_until_signalled

    collect_seldom()
    # What is talking to a person shows only what that person should know about.
    configure_logging(process, settings_now().log_level if logs else "warning")
    try:
        return uvloop.run(run_until_signalled(work))
    except SettingsError:
        raise
    except Exception:
        if not logs:
            raise
        # So that the last line of the log is JSON like those before it.
        structlog.get_logger().exception("process_failed")
        sys.exit(1)


def with_connection(work: "Callable[[Connection], Awaitable[Result]]") -> Result:
    """Run `work` with a connection to the configured database."""
    import asyncpg
    import uvloop

    from services.runtime.postgres import connect

    dsn = settings_now().require_database_url()

    async def run() -> Result:
        connection = await connect(dsn, "ledger-cli")
        try:
            return await work(connection)
        finally:
            await connection.close()

    try:
        return uvloop.run(run())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        message = f"the database: {error}"
        raise click.ClickException(message) from error
