"""The commands that show and check what there is, and change nothing."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import click

from schemas.as_of import read_as_of
from schemas.times import moment_of
from services.command_line.running import run_process, settings_now, with_connection

if TYPE_CHECKING:
    from services.runtime.postgres import Connection
    from services.verify.report import Form


@click.command()
@click.option("--follow/--no-follow", default=True, help="Wait for more (default), or stop.")
@click.option("--after", type=click.IntRange(min=0), help="Start after this position.")
def tail(*, follow: bool, after: int | None) -> None:
    """Show events as they come."""
    from services.runtime.outages import DatabaseOutageError, said_as_outages
    from services.tail.main import run

    settings = settings_now()
    try:
        with said_as_outages(settings.require_database_url()):
            run_process("tail", run(settings, follow=follow, after=after), logs=False)
    except DatabaseOutageError as error:
        raise click.ClickException(str(error)) from error


@click.command()
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
    """Check every invariant on the live system.

    The exit status says whether all of them hold.
    """
    from services.runtime.outages import DatabaseOutageError, said_as_outages
    from services.verify.main import run
    from services.verify.positions import NoRoomError

    settings = settings_now()
    try:
        with said_as_outages(settings.require_database_url()):
            work = run(settings, against, kafka=kafka, form=form)
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
    asked = read_as_of(text)
    if asked == "ambiguous":
        message = (
            f"{text!r} may be a position or a date: write position:{text}, "
            "or a date with hyphens, such as 2030-01-01"
        )
        raise click.BadParameter(message, ctx=context, param=parameter)
    if asked is None:
        message = f"{text!r} is neither a time, such as 2030-01-01T00:00:00Z, nor a position"
        raise click.BadParameter(message, ctx=context, param=parameter)
    return asked


@click.command("trial-balance")
@click.option("--tenant", "tenant_id", type=click.UUID, help="Only this tenant's accounts.")
@click.option(
    "--as-of", callback=_as_of, help="A time or a position; without it, all that is booked."
)
def trial_balance(tenant_id: UUID | None, as_of: datetime | int | None) -> None:
    """Show the accounts, and that they add up to zero.

    The exit status says whether they do.
    """
    from services.runtime.outages import DatabaseOutageError, said_as_outages
    from services.trial_balance.main import AsOfError, run

    tenant = None if tenant_id is None else str(tenant_id)
    settings = settings_now()
    try:
        with said_as_outages(settings.require_database_url()):
            status = run_process("trial-balance", run(settings, tenant, as_of), logs=False)
    except (AsOfError, DatabaseOutageError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(1 if status is None else status)


def _since(context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = moment_of(text)
    if moment is None:
        message = f"{text!r} is not a time, such as 2030-01-01 or 2030-01-01T00:00:00Z"
        raise click.BadParameter(message, ctx=context, param=parameter)
    return moment


@click.command()
@click.option("--tenant", "tenant_id", type=click.UUID, help="Only what was done to this one.")
@click.option("--since", callback=_since, help="A time; without it, all that there is.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A line for people, or a JSON object a line.",
)
def audit(tenant_id: UUID | None, since: datetime | None, form: Literal["text", "json"]) -> None:
    """Show which administrator changed what.

    Merchants, credentials, redirect origins, reviews, erasures, and the vault.
    """
    from services.command_line.audit_lines import audit_lines

    async def read(connection: "Connection") -> list[str]:
        return await audit_lines(connection, tenant_id, since, form)

    for line in with_connection(read):
        click.echo(line)
