"""The command line, `ledger`. Each command imports only what it runs.

Exit status: 0 done, 1 it failed or found something wrong, 2 a mistake in how it was
called or configured.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from services.command_running import run_process, settings_now, with_connection
from services.people_commands import customers, reviews, vault
from services.tenant_commands import audit, keys, merchants

if TYPE_CHECKING:
    from services.runtime.postgres import Connection
    from services.verify.report import Form

_LENGTHS_OF_DATES = (4, 8)
"""Of a year, and of a date without hyphens."""
PROJECTIONS = click.Choice(["balances", "transactions", "trial_balance"])


def main() -> None:
    """Run the command line; a mistake in the settings is one line and status 2."""
    from services.runtime.settings import SettingsError

    try:
        commands(prog_name="ledger")
    except SettingsError as error:
        click.echo(f"ledger: {error}", err=True)
        sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """An event-sourced wallet ledger. Settings are environment variables LEDGER_…."""


@commands.command()
def up() -> None:
    """Start everything: PostgreSQL, Kafka, and all processes, under one supervisor."""
    from services.supervisor.main import run

    sys.exit(run_process("supervisor", run(settings_now(own_servers=True)), logs=False) or 0)


@commands.command()
def migrate() -> None:
    """Bring the database's schema up to date, and what each role may do in it."""
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


@commands.command()
def gateway() -> None:
    """The public HTTP door."""
    from services.gateway.main import run

    run_process("gateway", run(settings_now("gateway")))


@commands.command()
def intake() -> None:
    """Commands from Kafka, results back to it."""
    from services.intake.main import run

    run_process("intake", run(settings_now("intake")))


@commands.command()
def relay() -> None:
    """The log to Kafka; one is active, others stand by."""
    from services.relay.main import run

    run_process("relay", run(settings_now("relay")))


@commands.command()
@click.argument("name", type=PROJECTIONS)
def projector(name: str) -> None:
    """Keep the read model NAME up with Kafka."""
    from services.projector.main import run

    run_process(f"projector-{name}", run(settings_now("projector"), name))


@commands.command()
def scheduler() -> None:
    """Ask for what is due to lapse: expiring credits, holds, top-ups."""
    from services.scheduler.main import run

    run_process("scheduler", run(settings_now("scheduler")))


@commands.command("sandbox-provider")
def sandbox_provider() -> None:
    """A payment provider for sandboxes: its page, its callbacks, no real money."""
    from services.sandbox_provider.main import run

    run_process("sandbox-provider", run(settings_now()))


@commands.command()
@click.argument("name", type=PROJECTIONS)
def rebuild(name: str) -> None:
    """Make the read model NAME anew from the log, beside the live one."""
    from services.projector.rebuild import run

    sys.exit(run_process("rebuild", run(settings_now(), name), logs=False) or 0)


@commands.command()
@click.option(
    "--partitions",
    type=click.IntRange(min=1, max=1000),
    help="Of the new topic; without it as many as the old one has.",
)
def repartition(partitions: int | None) -> None:
    """Fill a new events topic from the log, and let relay and projectors go over to it."""
    from services.relay.repartition import run
    from services.runtime.outages import DatabaseOutageError, said_as_outages

    try:
        with said_as_outages():
            status = run_process("repartition", run(settings_now(), partitions), logs=False)
    except DatabaseOutageError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if status is None else status)


@commands.command()
@click.option("--follow/--no-follow", default=True, help="Wait for more (default), or stop.")
@click.option("--after", type=click.IntRange(min=0), help="Start after this position.")
def tail(*, follow: bool, after: int | None) -> None:
    """Show events as they come."""
    from services.relay.tail import run

    run_process("tail", run(settings_now(), follow=follow, after=after), logs=False)


@commands.command()
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An anchor that was exported before.",
)
@click.option("--kafka/--no-kafka", default=True, help="Whether to read the topic too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="A table for people, or one JSON object.",
)
def verify(*, against: Path | None, kafka: bool, form: "Form") -> None:
    """Check the invariants on the live system; the exit status says whether they hold."""
    from services.runtime.outages import DatabaseOutageError, said_as_outages
    from services.verify.main import run
    from services.verify.positions import NoRoomError

    try:
        with said_as_outages():
            work = run(settings_now(), against, kafka=kafka, form=form)
            status = run_process("verify", work, logs=False)
    except (DatabaseOutageError, NoRoomError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if status is None else status)


def _as_of(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> datetime | int | None:
    """The moment (without an offset: UTC) or the position that the option says."""
    if text is None:
        return None
    named = text.removeprefix("position:")
    if named.isascii() and named.isdecimal() and len(named) <= 18:
        if named == text and len(text) in _LENGTHS_OF_DATES:
            message = (
                f"{text!r} may be a position or a date: write position:{text}, "
                "or a date with hyphens, such as 2030-01-01"
            )
            raise click.BadParameter(message)
        return int(named)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    except ValueError as error:
        message = f"{text!r} is neither a time, such as 2030-01-01T00:00:00Z, nor a position"
        raise click.BadParameter(message, ctx=context, param=parameter) from error


@commands.command("trial-balance")
@click.option("--tenant", "tenant_id", type=click.UUID, help="Only this tenant's accounts.")
@click.option(
    "--as-of", callback=_as_of, help="A time or a position; without it, all that is booked."
)
def trial_balance(tenant_id: UUID | None, as_of: datetime | int | None) -> None:
    """Show the accounts and that they add up to nought, which the exit status says, too."""
    from services.runtime.outages import DatabaseOutageError, said_as_outages
    from services.trial_balance.main import AsOfError, run

    tenant = None if tenant_id is None else str(tenant_id)
    try:
        with said_as_outages():
            status = run_process("trial-balance", run(settings_now(), tenant, as_of), logs=False)
    except (AsOfError, DatabaseOutageError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if status is None else status)


commands.add_command(merchants)
commands.add_command(keys)
commands.add_command(audit)
commands.add_command(vault)
commands.add_command(customers)
commands.add_command(reviews)


if __name__ == "__main__":
    main()
