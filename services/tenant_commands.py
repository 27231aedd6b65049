"""The commands of the command line about tenants: merchants, their credentials, the audit log."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import UUID

import click

from services.command_running import by_option, settings_now, with_connection
from services.key_commands import DEFAULT_LIMIT, list_keys, rate_limit_of

if TYPE_CHECKING:
    from ledger.tenants import store
    from ledger.tenants.administrator import Administrator, Rotated
    from ledger.tenants.limits import RateLimit
    from services.runtime.postgres import Connection

Result = TypeVar("Result")

SCOPES = click.Choice(["wallets:read", "wallets:write", "transfers:write", "admin"])

_SPAN = re.compile(r"([0-9]{1,8})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

reason_option = click.option("--reason", help="Why, for the audit log.")


@click.group()
def merchants() -> None:
    """Merchants, each with a live and a sandbox tenant."""


@merchants.command("create")
@click.argument("name")
@by_option
@reason_option
def create_merchant(name: str, by: str | None, reason: str | None) -> None:
    """Make the merchant NAME and show its ids."""

    async def create(administrator: "Administrator") -> "store.Merchant":
        return await administrator.create_merchant(name, reason)

    merchant = _administered(by, create)
    click.echo(f"merchant        {merchant.merchant_id}")
    click.echo(f"live tenant     {merchant.live_tenant_id}")
    click.echo(f"sandbox tenant  {merchant.sandbox_tenant_id}")


@merchants.command("allow-redirect")
@click.argument("merchant_id", type=click.UUID)
@click.argument("origin")
@by_option
@reason_option
def allow_redirect(merchant_id: UUID, origin: str, by: str | None, reason: str | None) -> None:
    """Put ORIGIN, as https://shop.example.com, on the list of the merchant MERCHANT_ID.

    After a top-up a browser may then only be sent to what is on the list.
    """

    async def allow(administrator: "Administrator") -> str:
        return await administrator.allow_redirect(merchant_id, origin, reason)

    click.echo(f"allowed {_administered(by, allow)}")


@merchants.command("disallow-redirect")
@click.argument("merchant_id", type=click.UUID)
@click.argument("origin")
@by_option
@reason_option
def disallow_redirect(merchant_id: UUID, origin: str, by: str | None, reason: str | None) -> None:
    """Take ORIGIN off the list of the merchant MERCHANT_ID. An empty list allows every origin."""

    async def disallow(administrator: "Administrator") -> bool:
        return await administrator.disallow_redirect(merchant_id, origin, reason)

    if not _administered(by, disallow):
        message = f"{origin} is not on the list of merchant {merchant_id}"
        raise click.ClickException(message)
    click.echo(f"disallowed {origin}")
    if not _origins(merchant_id):
        click.echo("The list is empty now: every origin is allowed.", err=True)


@merchants.command("redirects")
@click.argument("merchant_id", type=click.UUID)
def list_redirects(merchant_id: UUID) -> None:
    """Show the list of the merchant MERCHANT_ID, an origin a line."""
    origins = _origins(merchant_id)
    for origin in origins:
        click.echo(origin)
    if not origins:
        click.echo("The list is empty: every origin is allowed.", err=True)


def _origins(merchant_id: UUID) -> list[str]:
    from ledger.tenants import store
    from ledger.tenants.errors import UnknownMerchantError

    async def read(connection: "Connection") -> list[str]:
        return await store.redirect_origins(connection, merchant_id)

    try:
        return with_connection(read)
    except UnknownMerchantError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def keys() -> None:
    """Credentials: a client id and a secret that speak for a tenant."""


@keys.command("create")
@click.option("--tenant", "tenant_id", type=click.UUID, required=True, help="Whose it is.")
@click.option(
    "--scope",
    "scopes",
    type=SCOPES,
    multiple=True,
    default=["wallets:read", "wallets:write", "transfers:write"],
    show_default=True,
    help="What it may do; repeat for several.",
)
@click.option(
    "--rate-limit",
    "limit",
    callback=rate_limit_of,
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

    _show_secret(_administered(by, create))


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
    """Make a credential in the place of KEY_ID, which stops by itself after the overlap.

    The new one has the same scopes. Its secret is shown once.
    """

    async def rotate(administrator: "Administrator") -> "Rotated":
        return await administrator.rotate_credential(key_id, overlap, reason)

    rotated = _administered(by, rotate)
    _show_secret(rotated.secret)
    ends_at = f"{rotated.ends_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    click.echo(f"{key_id} stops at {ends_at}.", err=True)


@keys.command("revoke")
@click.argument("key_id")
@by_option
@reason_option
def revoke_key(key_id: str, by: str | None, reason: str | None) -> None:
    """Revoke the credential KEY_ID; other credentials of the tenant stay valid."""

    async def revoke(administrator: "Administrator") -> bool:
        return await administrator.revoke_credential(key_id, reason)

    if not _administered(by, revoke):
        message = f"there is no credential {key_id}"
        raise click.ClickException(message)
    click.echo(f"revoked {key_id}")


@keys.command("limit")
@click.argument("key_id")
@click.argument("limit", callback=rate_limit_of, metavar="N/s|default")
@by_option
@reason_option
def limit_key(key_id: str, limit: "RateLimit | None", by: str | None, reason: str | None) -> None:
    """Limit what the credential KEY_ID may ask for, as 100/s, or 100/s:500 with a burst of 500.

    `default` is what the gateways allow every credential.
    """

    async def change(administrator: "Administrator") -> bool:
        return await administrator.limit_credential(key_id, limit, reason)

    if not _administered(by, change):
        message = f"there is no credential {key_id}; `ledger keys list` shows those that there are"
        raise click.ClickException(message)
    click.echo(f"limited {key_id} to {limit or DEFAULT_LIMIT}")


keys.add_command(list_keys)


def _show_secret(made: "store.Secret") -> None:
    click.echo(f"client id      {made.key_id}")
    click.echo(f"client secret  {made.secret}")
    click.echo(f"api key        {made.api_key()}")
    click.echo("The secret is not stored and cannot be shown again.", err=True)


def _since(context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    except ValueError as error:
        message = f"{text!r} is not a time, such as 2030-01-01 or 2030-01-01T00:00:00Z"
        raise click.BadParameter(message, ctx=context, param=parameter) from error


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
    """Show who changed what: merchants, credentials, origins, reviews, erasures, the vault."""
    from services.audit_showing import audit_lines

    async def read(connection: "Connection") -> list[str]:
        return await audit_lines(connection, tenant_id, since, form)

    for line in with_connection(read):
        click.echo(line)


def _administered(by: str | None, work: "Callable[[Administrator], Awaitable[Result]]") -> Result:
    """Let an administrator work; what cannot be done is one line and status 1."""
    import uvloop

    from ledger.event_log.interface import AppendRefusedError, LogUnavailableError
    from ledger.tenants import errors
    from services.runtime.administration import administering, operator_name

    dsn = settings_now().require_database_url()

    async def run() -> Result:
        async with administering(dsn, operator_name(by)) as administrator:
            return await work(administrator)

    try:
        return uvloop.run(run())
    except (LogUnavailableError, AppendRefusedError, errors.OutcomeUnknownError) as error:
        message = f"the database: {error}"
        raise click.ClickException(message) from error
    except (
        ValueError,
        errors.UnknownTenantError,
        errors.UnknownMerchantError,
        errors.UnknownCredentialError,
        errors.CredentialEndedError,
    ) as error:
        raise click.ClickException(str(error)) from error
