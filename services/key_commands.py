"""About the use of credentials: `ledger keys list`, and how limits are said.

Each command imports only what it runs.
"""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from ledger.tenants.limits import RateLimit, parse_rate_limit
from services.command_running import with_connection

if TYPE_CHECKING:
    from datetime import datetime

    from ledger.tenants.usage import ListedCredential
    from services.runtime.postgres import Connection

DEFAULT_LIMIT = "default"
"""How it is said that a credential has no limit of its own."""
_HEADINGS = (
    *("client id", "tenant", "environment", "limit"),
    *("created", "last used", "revoked", "scopes"),
)


def rate_limit_of(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> RateLimit | None:
    """The limit that an option says; None for `default`, and where it is not given."""
    if text is None or text == DEFAULT_LIMIT:
        return None
    try:
        return parse_rate_limit(text)
    except ValueError as error:
        message = f"{text!r}: {error}"
        raise click.BadParameter(message, ctx=context, param=parameter) from error


@click.command("list")
@click.option("--tenant", "tenant_id", type=click.UUID, help="Only this tenant's credentials.")
def list_keys(tenant_id: UUID | None) -> None:
    """Show the credentials, the oldest first, without anything secret."""
    from ledger.tenants import usage

    async def read(connection: "Connection") -> "list[ListedCredential]":
        return await usage.list_credentials(connection, tenant_id)

    listed = with_connection(read)
    if not listed:
        click.echo("There are no credentials.", err=True)
        return
    for line in _table([_HEADINGS, *(_cells(each) for each in listed)]):
        click.echo(line)


def _cells(listed: "ListedCredential") -> tuple[str, ...]:
    return (
        listed.key_id,
        listed.tenant_id,
        listed.environment,
        str(listed.rate_limit or DEFAULT_LIMIT),
        _moment(listed.created_at),
        _moment(listed.last_used_at),
        _moment(listed.revoked_at),
        ",".join(listed.scopes),
    )


def _moment(moment: "datetime | None") -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
