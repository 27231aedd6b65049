"""The calls that look at the books: accounts, an account's entries, the trial balance."""

import re
from datetime import datetime
from typing import Final, NamedTuple

from projections.trial_balance.evolve import CHART
from schemas.as_of import read_as_of
from services.gateway.answers import JSON, Answer
from services.gateway.books.reads import BookReads, BooksReading, PositionAheadError
from services.gateway.books.rendering import (
    in_order,
    place,
    render_account_page,
    render_entry_page,
    render_trial_balance,
)
from services.gateway.calls import Call, invalid_parameter
from services.gateway.credit_wallets.listing import asked_page
from services.gateway.problems import RefusedError
from services.gateway.routing import RouteTable
from services.gateway.scopes import READ

_ACCOUNT_ID: Final = re.compile(r"([a-z_]{1,64})\.([A-Z]{3})", re.ASCII)


class AccountName(NamedTuple):
    """What an account's id says."""

    account: str
    currency: str


def add_books(routes: RouteTable[Call], reads: BookReads) -> None:
    """Add the routes of the books."""
    queries = BookQueries(reads)
    routes.add("GET", "/v1/accounts", queries.accounts, scope=READ)
    routes.add("GET", "/v1/accounts/*/entries", queries.entries, scope=READ)
    routes.add("GET", "/v1/trial-balance", queries.trial_balance, scope=READ)


class BookQueries:
    """Handlers; each reads its query, asks the read model and renders what it says."""

    def __init__(self, reads: BookReads) -> None:
        self._reads = reads

    async def accounts(self, call: Call) -> Answer:
        """`GET /accounts`: 200 and a page, by the chart of accounts."""
        limit_text, after_text = call.list_query("limit", "after")
        tenant_id = call.principal.tenant_id
        asked = asked_page("accounts", (tenant_id,), limit=limit_text, after=after_text)
        after = asked.after or 0
        reading = await self._reads.accounts(tenant_id, eventual=call.eventual)
        # They are few, and this order is not the database's: all are read for every page.
        listed = [account for account in in_order(reading.accounts) if place(account) > after]
        shown, cursor = asked.cut(listed, place)
        return Answer(200, JSON, render_account_page(shown, reading.position, cursor))

    async def entries(self, call: Call) -> Answer:
        """`GET /accounts/:id/entries`: 200 and a page, newest first."""
        limit_text, after_text = call.list_query("limit", "after")
        tenant_id = call.principal.tenant_id
        filters = (tenant_id, call.parameters[0])
        asked = asked_page("entries", filters, limit=limit_text, after=after_text)
        name = named_account(call.parameters[0])
        reading = await self._reads.entries(
            tenant_id,
            name.account,
            name.currency,
            limit=asked.entries_to_read,
            before_position=asked.after,
            eventual=call.eventual,
        )
        if not reading.entries and asked.after is None:
            # Entries are never removed, but the first may be where the journal has holes yet.
            named = (tenant_id, name.account, name.currency)
            if not await self._reads.is_booked_on(*named):
                raise unknown_account()
        shown, cursor = asked.cut(reading.entries, lambda entry: entry.position)
        body = render_entry_page(shown, name.currency, reading.position, cursor)
        return Answer(200, JSON, body)

    async def trial_balance(self, call: Call) -> Answer:
        """`GET /trial-balance`: 200 and every account, now or as of a moment or a position."""
        (as_of_text,) = call.query("as_of")
        tenant_id = call.principal.tenant_id
        if as_of_text is None:
            reading = await self._reads.accounts(tenant_id, eventual=call.eventual)
            body = render_trial_balance(
                reading.accounts, as_of=None, position=reading.position, is_exact=False
            )
            return Answer(200, JSON, body)
        asked = _as_of(as_of_text)
        reading = await self._read_as_of(tenant_id, asked)
        body = render_trial_balance(
            reading.accounts, as_of=asked, position=reading.position, is_exact=True
        )
        return Answer(200, JSON, body)

    async def _read_as_of(self, tenant_id: str, asked: datetime | int) -> BooksReading:
        """The accounts as of then. Refuses what is ahead."""
        if isinstance(asked, int):
            try:
                return await self._reads.accounts_at(tenant_id, asked)
            except PositionAheadError as error:
                detail = "is ahead of the newest position"
                raise invalid_parameter("as_of", detail) from error
        reading = await self._reads.accounts_at_moment(tenant_id, asked)
        if reading is None:
            # Answered, it would be another answer once the moment has come.
            raise invalid_parameter("as_of", "is ahead of now")
        return reading


def named_account(identifier: str) -> AccountName:
    """The account that a path names. What is not in the chart of accounts cannot exist."""
    found = _ACCOUNT_ID.fullmatch(identifier)
    if found is None or found[1] not in CHART:
        raise unknown_account()
    return AccountName(found[1], found[2])


def unknown_account() -> RefusedError:
    """The 404 for an account on which nothing of the tenant was ever booked."""
    return RefusedError("account_not_found", "there is no such account")


def _as_of(text: str) -> datetime | int:
    """The moment or the position that the parameter says."""
    asked = read_as_of(text)
    if asked is None:
        raise invalid_parameter(
            "as_of",
            "must be a position, or a time as RFC 3339 has it, such as 2030-01-01T00:00:00Z",
        )
    if isinstance(asked, str):
        raise invalid_parameter(
            "as_of",
            f"may be a position or a date: write position:{text}, "
            "or a date with hyphens, such as 2030-01-01",
        )
    return asked
