"""Answers questions about the accounts and the journal, now or as of a position.

The journal is complete up to a position, and never changes there again; what is booked beyond
it has holes, until every partition of the topic has come so far. So whoever asks as of a
position asks first how far the journal is complete; the two need not be one snapshot.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal

import asyncpg
from msgspec import Struct

from projections.interface import Connection, Reader
from projections.statements import load_statement
from projections.trial_balance.projection import LOOK_AHEAD
from schemas.identifiers import transaction_id, wallet_id

FROM_NEWEST = 2**63 - 1
"""The cursor of the first page."""

_REACHED = load_statement(__file__, "reached")
_SAVE_COMPLETENESS = load_statement(__file__, "save_completeness")
_POSITION_AT = load_statement(__file__, "position_at")
_NEWEST_ENTRY = load_statement(__file__, "newest_entry")
_LIST_ACCOUNTS = load_statement(__file__, "list_accounts")
_LIST_ACCOUNTS_AS_OF = load_statement(__file__, "list_accounts_as_of")
_READ_ACCOUNT = load_statement(__file__, "read_account")
_LIST_ENTRIES = load_statement(__file__, "list_entries")
_DIFFERENCES = load_statement(__file__, "differences")


class Reached(Struct, frozen=True, kw_only=True):
    """How far the journal is complete, and how far the log is, in one snapshot."""

    position: int
    """Every event up to this one is booked."""
    head: int


class PositionAt(Struct, frozen=True, kw_only=True):
    """How far the log was at a moment."""

    position: int
    """The newest that was recorded by then; 0 before the first."""
    is_ahead: bool
    """Whether the moment is still to come, so that there may be more by then."""


class AccountView(Struct, frozen=True, kw_only=True):
    """An account of a tenant in one currency. Sums are in minor units and have no upper bound."""

    tenant_id: str
    account: str
    currency: str
    debits: int
    credits: int
    entry_count: int

    @property
    def balance(self) -> int:
        """Debits less credits: what is owed to customers is below zero."""
        return self.debits - self.credits


class EntryView(Struct, frozen=True, kw_only=True):
    """An entry as one of its two accounts has it."""

    position: int
    transaction_id: str
    wallet_id: str
    wallet_version: int
    event_type: str
    side: Literal["debit", "credit"]
    other_account: str
    amount: int
    balance_after: int
    """The account's balance when everything up to this position is booked."""
    recorded_at: datetime


async def read_reached(reader: Reader) -> Reached:
    """How far the journal is complete."""
    row = await reader.fetchrow(_REACHED, LOOK_AHEAD)
    assert row is not None, "the question has always one row"
    return Reached(**row)


async def keep_reached(connection: Connection) -> Reached:
    """How far the journal is complete, which is saved, too.

    A batch looks along the log only so far, and the last one may come before there is nothing
    left to see. One transaction: else a rebuild might take over between the two, and what was
    read of the old tables be said of the new ones.
    """
    async with connection.transaction():
        reached = await read_reached(connection)
        await connection.execute(_SAVE_COMPLETENESS, reached.position)
    return reached


async def position_at(reader: Reader, moment: datetime) -> PositionAt:
    """How far the log was at a moment."""
    row = await reader.fetchrow(_POSITION_AT, moment)
    assert row is not None, "halving ends somewhere"
    return PositionAt(**row)


async def newest_entry(reader: Reader, tenant_id: str, position: int) -> int:
    """Where the tenant's newest entry at or below a position stands; 0 if it has none.

    As of there the tenant's sums are what they are as of the position.
    """
    return int(await reader.fetchval(_NEWEST_ENTRY, tenant_id, position))


async def list_accounts(reader: Reader, tenant_id: str | None = None) -> list[AccountView]:
    """Every account of a tenant, or of all, with all that is booked: also beyond `Reached`."""
    return [_account(row) for row in await reader.fetch(_LIST_ACCOUNTS, tenant_id)]


async def list_accounts_as_of(
    reader: Reader, position: int, tenant_id: str | None = None
) -> list[AccountView]:
    """The same with what happened up to a position, which must be reached."""
    rows = await reader.fetch(_LIST_ACCOUNTS_AS_OF, tenant_id, position, None, None)
    return [_account(row) for row in rows]


async def read_account(
    reader: Reader, tenant_id: str, account: str, currency: str, position: int | None = None
) -> AccountView | None:
    """One account, with all that is booked or as of a position; None if it has no entry."""
    if position is None:
        row = await reader.fetchrow(_READ_ACCOUNT, tenant_id, account, currency)
    else:
        row = await reader.fetchrow(_LIST_ACCOUNTS_AS_OF, tenant_id, position, account, currency)
    return None if row is None else _account(row)


async def list_entries(
    reader: Reader, tenant_id: str, account: str, currency: str, *, up_to: int, limit: int
) -> list[EntryView]:
    """Up to `limit` entries at or below a position, which must be reached; newest first."""
    rows = await reader.fetch(_LIST_ENTRIES, tenant_id, account, currency, up_to + 1, limit)
    if not rows:
        return []
    at_first = await read_account(reader, tenant_id, account, currency, rows[0]["position"])
    assert at_first is not None, "it has this entry"
    return _with_balances(rows, at_first.balance)


async def differences(reader: Reader) -> dict[str, int]:
    """By how much debits and credits differ, by currency: zero, unless something is broken."""
    rows = await reader.fetch(_DIFFERENCES)
    return {row["currency"]: int(row["difference"]) for row in rows}


def _account(row: asyncpg.Record) -> AccountView:
    debits, credited = row["debits"], row["credits"]
    assert isinstance(debits, Decimal), "the sums are numeric"
    return AccountView(
        tenant_id=str(row["tenant_id"]),
        account=row["account"],
        currency=row["currency"],
        debits=int(debits),
        credits=int(credited),
        entry_count=row["entry_count"],
    )


def _with_balances(rows: Sequence[asyncpg.Record], balance: int) -> list[EntryView]:
    """Newest first: the balance after an entry is the one before the entry above it."""
    entries = []
    for row in rows:
        entries.append(
            EntryView(
                position=row["position"],
                transaction_id=transaction_id(row["event_id"].hex),
                wallet_id=wallet_id(row["stream_id"].hex),
                wallet_version=row["version"],
                event_type=row["type"],
                side="debit" if row["is_debit"] else "credit",
                other_account=row["other_account"],
                amount=row["amount"],
                balance_after=balance,
                recorded_at=row["recorded_at"],
            )
        )
        balance -= row["amount"] if row["is_debit"] else -row["amount"]
    return entries
