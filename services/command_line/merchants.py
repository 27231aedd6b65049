"""`ledger merchants`: a merchant's two tenants, and where its customers may be sent."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from services.command_line.options import by_option, reason_option
from services.command_line.running import administered, with_connection

if TYPE_CHECKING:
    from ledger.tenants import store
    from ledger.tenants.administrator import Administrator
    from services.runtime.postgres import Connection


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

    merchant = administered(by, create)
    click.echo(f"merchant        {merchant.merchant_id}")
    click.echo(f"live tenant     {merchant.live_tenant_id}")
    click.echo(f"sandbox tenant  {merchant.sandbox_tenant_id}")


@merchants.command("allow-redirect")
@click.argument("merchant_id", type=click.UUID)
@click.argument("origin")
@by_option
@reason_option
def allow_redirect(merchant_id: UUID, origin: str, by: str | None, reason: str | None) -> None:
    """Put ORIGIN on the list of the merchant MERCHANT_ID.

    An origin is as https://shop.example.com.

    After a top-up a browser may then only be sent to what is on the list.
    """

    async def allow(administrator: "Administrator") -> str:
        return await administrator.allow_redirect(merchant_id, origin, reason)

    click.echo(f"allowed {administered(by, allow)}")


@merchants.command("disallow-redirect")
@click.argument("merchant_id", type=click.UUID)
@click.argument("origin")
@by_option
@reason_option
def disallow_redirect(merchant_id: UUID, origin: str, by: str | None, reason: str | None) -> None:
    """Take ORIGIN off the list of the merchant MERCHANT_ID. An empty list allows every origin."""

    async def disallow(administrator: "Administrator") -> bool:
        return await administrator.disallow_redirect(merchant_id, origin, reason)

    if not administered(by, disallow):
        message = f"{origin} is not on the list of merchant {merchant_id}"
        raise click.ClickException(message)
    click.echo(f"disallowed {origin}")
    if not _origins(merchant_id):
        click.echo("The list is empty now: every origin is allowed.", err=True)


@merchants.command("redirects")
@click.argument("merchant_id", type=click.UUID)
def list_redirects(merchant_id: UUID) -> None:
    """Show the list of the merchant MERCHANT_ID."""
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
