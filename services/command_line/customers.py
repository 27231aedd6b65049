"""`ledger customers` and `ledger reviews`: erasing who they are, settling who waits."""

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from services.command_line.options import by_option
from services.command_line.running import run_process, settings_now


@click.group()
def customers() -> None:
    """Customers, and the erasure of who they are."""


@customers.command("erase")
@click.argument("user_id", type=click.UUID)
@click.option("--tenant", "tenant_id", type=click.UUID, help="Whose customer it is.")
@click.option("--reason", help="Kept in the history of the customer's wallets.")
@by_option
@click.confirmation_option(prompt="Who this customer is cannot be brought back. Erase?")
def erase_customer(
    user_id: UUID, tenant_id: UUID | None, reason: str | None, by: str | None
) -> None:
    """Forget who the customer USER_ID is, for ever.

    Wallets and money stay as they are.
    """
    from services.customers.erasing import run_erase

    tenant = None if tenant_id is None else str(tenant_id)
    _maintain(run_erase(settings_now(), str(user_id), tenant, reason, by))


@click.group()
def reviews() -> None:
    """Reviews of tier-three wallets.

    A wallet is inactive until a review approves it.
    """


@reviews.command("list")
def list_reviews() -> None:
    """Show the wallets that wait for their review, the oldest first."""
    from services.customers.reviewing import run_list

    _maintain(run_list(settings_now()))


@reviews.command("show")
@click.argument("wallet_id")
@click.option(
    "--bill",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the utility bill into this file, which must not be there yet.",
)
def show_review(wallet_id: str, bill: Path | None) -> None:
    """Show who waits: the customer of the wallet WALLET_ID. It is written down who looked."""
    from services.customers.showing import run_show

    _maintain(run_show(settings_now(), wallet_id, bill))


@reviews.command("approve")
@click.argument("wallet_id")
@click.option("--reason", help="Kept in the wallet's history.")
@by_option
def approve_wallet(wallet_id: str, reason: str | None, by: str | None) -> None:
    """Make the wallet WALLET_ID active, with an account number."""
    from services.customers.reviewing import run_review

    _maintain(run_review(settings_now(), wallet_id, "approved", reason, by))


@reviews.command("reject")
@click.argument("wallet_id")
@click.option("--reason", help="Kept in the wallet's history.")
@by_option
def reject_wallet(wallet_id: str, reason: str | None, by: str | None) -> None:
    """Leave the wallet WALLET_ID inactive, for good."""
    from services.customers.reviewing import run_review

    _maintain(run_review(settings_now(), wallet_id, "rejected", reason, by))


def _maintain(work: Coroutine[Any, Any, list[str]]) -> None:
    """Run a command about customers, and say what it says."""
    from ledger.command_handling.errors import CommandHandlingError
    from services.customers.errors import CustomerCommandError
    from services.runtime.outages import DATABASE_FAILURES, DatabaseOutageError
    from services.vault.errors import VaultError

    try:
        said = run_process("customers", work, logs=False)
    except (CustomerCommandError, CommandHandlingError, DatabaseOutageError, VaultError) as error:
        raise click.ClickException(str(error)) from error
    except DATABASE_FAILURES as error:
        message = (
            "the database of LEDGER_DATABASE_URL, or that of LEDGER_VAULT_DATABASE_URL: "
            f"{str(error) or repr(error)}"
        )
        raise click.ClickException(message) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if said is None:
        sys.exit(1)
    for line in said:
        click.echo(line)
