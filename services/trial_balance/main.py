"""Shows the trial balance as tables, and says by its exit status whether it is zero."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from projections.trial_balance.evolve import CHART
from projections.trial_balance.read_model import (
    AccountView,
    list_accounts,
    list_accounts_as_of,
    position_at,
    read_reached,
)
from schemas.money import formatted
from services.runtime.postgres import Connection, connect
from services.runtime.settings import Settings
from services.runtime.terminal import output


class AsOfError(Exception):
    """It cannot be said: the moment or position is ahead, or not everything is booked by then."""


async def run(settings: Settings, tenant_id: str | None, as_of: datetime | int | None) -> int:
    """Show it; 0 if debits and credits are equal in every currency, else 1.

    Raises `AsOfError`.
    """
    connection = await connect(settings.require_database_url(), "ledger-trial-balance")
    try:
        title, accounts = await _read(connection, tenant_id, as_of)
    finally:
        await connection.close()
    return show(output(), title, accounts)


async def _read(
    connection: Connection, tenant_id: str | None, as_of: datetime | int | None
) -> tuple[str, list[AccountView]]:
    reached = await read_reached(connection)
    if as_of is None:
        accounts = await list_accounts(connection, tenant_id)
        return f"complete up to position {reached.position} of {reached.head}", accounts
    position = as_of if isinstance(as_of, int) else await _position_at(connection, as_of)
    if position > reached.head:
        raise AsOfError(f"position {position} is ahead: the newest is {reached.head}")
    if position > reached.position:
        raise AsOfError(
            f"position {position} is not complete yet: everything is booked up to "
            f"{reached.position} of {reached.head}; try again, or see the projector's log"
        )
    moment = "" if isinstance(as_of, int) else f"{as_of.astimezone(UTC).isoformat()}, "
    accounts = await list_accounts_as_of(connection, position, tenant_id)
    return f"as of {moment}position {position}", accounts


async def _position_at(connection: Connection, moment: datetime) -> int:
    found = await position_at(connection, moment)
    if found.is_ahead:
        raise AsOfError(f"{moment.isoformat()} is ahead of now")
    return found.position


def show(console: Console, title: str, accounts: Sequence[AccountView]) -> int:
    """Print a table for each tenant and currency; 0 if every one adds up to zero, else 1."""
    console.print(f"trial balance, {title}", markup=False, highlight=False)
    books: defaultdict[tuple[str, str], list[AccountView]] = defaultdict(list)
    for account in accounts:
        books[account.tenant_id, account.currency].append(account)
    status = 0
    for (tenant_id, currency), lines in books.items():
        difference = sum(line.balance for line in lines)
        console.print(_table(f"{currency}, tenant {tenant_id}", currency, lines))
        if difference:
            status = 1
            said = formatted(difference, currency)
            console.print(f"[red]FAILED[/]: {currency} differs by {said}", highlight=False)
    if books:
        console.print("A balance is debits less credits: what is owed to others is negative.")
    else:
        console.print("nothing is booked")
    return status


def _table(title: str, currency: str, lines: Sequence[AccountView]) -> Table:
    table = Table(title=title, show_footer=True)
    sums = [sum(each) for each in zip(*map(_amounts, lines), strict=True)]
    table.add_column("account", footer="sum", overflow="fold")
    for name, total in zip(("debits", "credits", "balance"), sums, strict=True):
        shown = formatted(total, currency)
        table.add_column(name, justify="right", footer=shown, overflow="fold")
    table.add_column("entries", justify="right", overflow="fold")
    for line in sorted(lines, key=_place):
        amounts = (formatted(amount, currency) for amount in _amounts(line))
        table.add_row(line.account, *amounts, f"{line.entry_count:,}")
    return table


def _amounts(line: AccountView) -> tuple[int, int, int]:
    return line.debits, line.credits, line.balance


def _place(line: AccountView) -> int:
    return CHART.index(line.account) if line.account in CHART else len(CHART)
