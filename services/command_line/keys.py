"""`ledger keys`: the credentials that speak for tenants, and what they may ask for."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import click

from ledger.tenants.limits import RateLimit, parse_rate_limit
from services.command_line.options import by_option, reason_option
from services.command_line.running import administered, with_connection

if TYPE_CHECKING:
    from ledger.tenants import store
    from ledger.tenants.administrator import Administrator, Rotated
    from ledger.tenants.usage import ListedCredential
    from services.runtime.postgres import Connection

_SCOPES = click.Choice(["wallets:read", "wallets:write", "transfers:write", "admin"])
_DEFAULT_LIMIT = "default"
"""How it is said that a credential has no limit of its own."""
_SPAN = re.compile(r"([0-9]{1,8})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HEADINGS = (
    *("client id", "tenant", "environment", "limit"),
    *("created", "last used", "revoked", "scopes"),
)


@click.group()
def keys() -> None:
    """Credentials that speak for a tenant."""


def _rate_limit(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> RateLimit | None:
    """The limit that an option says; None for `default`, and where it is not given."""
    if text is None or text == _DEFAULT_LIMIT:
        return None
    try:
        return parse_rate_limit(text)
    except ValueError as error:
        message = f"{text!r}: {error}"
        raise click.BadParameter(message, ctx=context, param=parameter) from error


@keys.command("create")
@click.option("--tenant", "tenant_id", type=click.UUID, required=True, help="Whose it is.")
@click.option(
    "--scope",
    "scopes",
    type=_SCOPES,
    multiple=True,
    default=["wallets:read", "wallets:write", "transfers:write"],
    show_default=True,
    help="What it may do; repeat for several.",
)
@click.option(
    "--rate-limit",
    "limit",
    callback=_rate_limit,
    help="What it may ask for, as 100/s; without it, what every credential may.",
)
@by_option
@reason_option
def create_key(
    tenant_id: UUID,
    scopes: tuple[str, ...],
    limit: "RateLimit | None",
    by: str | None,
    reason: str | None,
) -> None:
    """Make a credential and show its secret, once."""

    async def create(administrator: "Administrator") -> "store.Secret":
        made = await administrator.create_credential(str(tenant_id), scopes, reason)
        await administrator.limit_credential(made.key_id, limit, reason)
        return made

    _show_secret(administered(by, create))


def _span(context: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None:
        message = f"{text!r} is not a span of time, such as 90s, 30m, 24h or 7d"
        raise click.BadParameter(message, ctx=context, param=parameter)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


@keys.command("rotate")
@click.argument("key_id")
@click.option(
    "--overlap",
    callback=_span,
    default="24h",
    show_default=True,
    help="For how long the old one still works: 90s, 30m, 24h, 7d.",
)
@by_option
@reason_option
def rotate_key(key_id: str, overlap: timedelta, by: str | None, reason: str | None) -> None:
    """Make a credential in the place of KEY_ID.

    KEY_ID stops by itself after the overlap.

    The new one has the same scopes. Its secret is shown once.
    """

    async def rotate(administrator: "Administrator") -> "Rotated":
        return await administrator.rotate_credential(key_id, overlap, reason)

    rotated = administered(by, rotate)
    _show_secret(rotated.secret)
    ends_at = f"{rotated.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    click.echo(f"{key_id} stops at {ends_at}.", err=True)


@keys.command("revoke")
@click.argument("key_id")
@by_option
@reason_option
def revoke_key(key_id: str, by: str | None, reason: str | None) -> None:
    """Revoke the credential KEY_ID. Others of the tenant stay valid."""

    async def revoke(administrator: "Administrator") -> bool:
        return await administrator.revoke_credential(key_id, reason)

    if not administered(by, revoke):
        message = f"there is no credential {key_id}"
        raise click.ClickException(message)
    click.echo(f"revoked {key_id}")


@keys.command("limit")
@click.argument("key_id")
@click.argument("limit", callback=_rate_limit, metavar="N/s|default")
@by_option
@reason_option
def limit_key(key_id: str, limit: "RateLimit | None", by: str | None, reason: str | None) -> None:
    """Limit what the credential KEY_ID may ask for.

    As 100/s, or 100/s:500 with a burst of 500.

    `default` is what the gateways allow every credential.
    """

    async def change(administrator: "Administrator") -> bool:
        return await administrator.limit_credential(key_id, limit, reason)

    if not administered(by, change):
        message = f"there is no credential {key_id}; `ledger keys list` shows those that there are"
        raise click.ClickException(message)
    click.echo(f"limited {key_id} to {limit or _DEFAULT_LIMIT}")


def _show_secret(made: "store.Secret") -> None:
    click.echo(f"client id      {made.key_id}")
    click.echo(f"client secret  {made.secret}")
    click.echo(f"api key        {made.api_key()}")
    click.echo("The secret is not stored and cannot be shown again.", err=True)


@keys.command("list")
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
        str(listed.rate_limit or _DEFAULT_LIMIT),
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
