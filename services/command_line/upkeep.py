"""The commands that bring tables and topics to another state, and end."""

import sys
from typing import TYPE_CHECKING

import click

from services.command_line.options import PROJECTIONS
from services.command_line.running import run_process, settings_now, with_connection

if TYPE_CHECKING:
    from services.runtime.postgres import Connection


@click.command()
def migrate() -> None:
    """Bring the database up to date.

    Its schema, and what each role may do in it.
    """
    from services.runtime.database_roles import LEDGER_ROLES, grant_if_possible
    from services.runtime.migrations import MigrationError, apply_migrations

    async def apply(connection: "Connection") -> tuple[list[str], list[str]]:
        applied = await apply_migrations(connection)
        return applied, await grant_if_possible(connection, LEDGER_ROLES)

    try:
        applied, said = with_connection(apply)
    except MigrationError as error:
        raise click.ClickException(str(error)) from error
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the schema is up to date")
    for line in said:
        click.echo(line)


@click.command()
@click.argument("name", type=PROJECTIONS)
def rebuild(name: str) -> None:
    """Make the read model NAME anew, beside the live one."""
    from services.projector.rebuild import run
    from services.runtime.outages import DatabaseOutageError, said_as_outages

    settings = settings_now()
    try:
        with said_as_outages(settings.require_database_url()):
            status = run_process("rebuild", run(settings, name), logs=False)
    except DatabaseOutageError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(status or 0)


@click.command()
@click.option(
    "--partitions",
    type=click.IntRange(min=1, max=1000),
    help="Of the new topic; without it as many as the old one has.",
)
def repartition(partitions: int | None) -> None:
    """Move to a new events topic, filled from the log.

    Relay and projectors go over to it when it is complete.
    """
    from services.repartition.main import run
    from services.runtime.outages import DatabaseOutageError, said_as_outages

    settings = settings_now()
    try:
        with said_as_outages(settings.require_database_url()):
            status = run_process("repartition", run(settings, partitions), logs=False)
    except DatabaseOutageError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if status is None else status)
