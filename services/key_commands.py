"""The command line's commands about the use of credentials: `ledger keys list` and `limit`.

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


@click.command("limit")
@click.argument("key_id")
@click.argument("limit", callback=rate_limit_of, metavar="N/s|default")
def limit_key(key_id: str, limit: RateLimit | None) -> None:
    """Limit what the credential KEY_ID may ask for, as 100/s, or 100/s:500 with a burst of 500.

    `default` is what the gateways allow every credential.
    """
    from ledger.tenants import usage

    async def change(connection: "Connection") -> bool:
        return await usage.set_rate_limit(connection, key_id, limit)

    if not with_connection(change):
        message = f"there is no credential {key_id}; `ledger keys list` shows those that there are"
        raise click.ClickException(message)
    click.echo(f"limited {key_id} to {limit or DEFAULT_LIMIT}")


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
