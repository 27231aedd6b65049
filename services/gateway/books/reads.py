"""Reading the books: as of a position that the journal has reached, or not at all.

A query of what is newest waits, as any other, until everything is booked that the log had when
it came. One as of a position waits only for that position.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from projections.trial_balance.read_model import (
    AccountView,
    EntryView,
    PositionAt,
    Reached,
    list_accounts,
    list_accounts_as_of,
    list_entries,
    newest_entry,
    position_at,
    read_account,
    read_reached,
)
from services.gateway.database import Database, Pool
from services.gateway.patience import Clock, Patience

Result = TypeVar("Result")


class PositionAheadError(Exception):
    """What was asked for lies behind the newest position of the log, which is nobody's affair."""


class BooksReading(Struct, frozen=True, kw_only=True):
    """Accounts, and the position up to which everything is in them."""

    position: int
    accounts: list[AccountView]


class EntriesReading(Struct, frozen=True, kw_only=True):
    """Some entries of an account, newest first, and the position up to which there are all."""

    position: int
    entries: list[EntryView]


class BookReads:
    """Every query of the accounts and the journal that the gateway makes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._patience = Patience(clock)

    async def accounts(self, tenant_id: str, *, eventual: bool) -> BooksReading:
        """Every account of the tenant with all that is booked."""
        reached = await self._reached(tenant_id, None, eventual=eventual)
        accounts = await self._ask(tenant_id, lambda pool: list_accounts(pool, tenant_id))
        shown = await self._own(tenant_id, reached.position)
        return BooksReading(position=shown, accounts=accounts)

    async def accounts_at(self, tenant_id: str, position: int) -> BooksReading:
        """Every account of the tenant as of a position. Raises `PositionAheadError`."""
        await self._reached(tenant_id, position, eventual=False)
        accounts = await self._ask(
            tenant_id, lambda pool: list_accounts_as_of(pool, position, tenant_id)
        )
        return BooksReading(position=position, accounts=accounts)

    async def accounts_at_moment(self, tenant_id: str, moment: datetime) -> BooksReading | None:
        """Every account of the tenant as of a moment; None if that is still to come."""
        found: PositionAt = await self._ask(tenant_id, lambda pool: position_at(pool, moment))
        if found.is_ahead:
            return None
        reading = await self.accounts_at(tenant_id, found.position)
        shown = await self._own(tenant_id, found.position)
        return BooksReading(position=shown, accounts=reading.accounts)

    async def entries(
        self,
        tenant_id: str,
        account: str,
        currency: str,
        *,
        limit: int,
        before_position: int | None,
        eventual: bool,
    ) -> EntriesReading:
        """Up to `limit` entries before a position, newest first.

        A page that follows another waits also where nobody asked to: what would be missing on
        it lies between what was seen and what will be, and nobody would look there again.
        """
        if before_position is None:
            reached = await self._reached(tenant_id, None, eventual=eventual)
            up_to = reached.position
        else:
            up_to = before_position - 1
            reached = await self._reached(tenant_id, up_to, eventual=False, up_to_head=True)
            up_to = min(up_to, reached.position)
        entries = await self._ask(
            tenant_id,
            lambda pool: list_entries(pool, tenant_id, account, currency, up_to=up_to, limit=limit),
        )
        shown = await self._own(tenant_id, reached.position)
        return EntriesReading(position=shown, entries=entries)

    async def _own(self, tenant_id: str, position: int) -> int:
        """What is said instead of a position, which would tell how much others do."""
        return await self._ask(tenant_id, lambda pool: newest_entry(pool, tenant_id, position))

    async def is_booked_on(self, tenant_id: str, account: str, currency: str) -> bool:
        """Whether the account has an entry, be it where the journal is not complete yet."""
        found = await self._ask(
            tenant_id, lambda pool: read_account(pool, tenant_id, account, currency)
        )
        return found is not None

    async def _reached(
        self, tenant_id: str, position: int | None, *, eventual: bool, up_to_head: bool = False
    ) -> Reached:
        """How far the journal is complete, once that is far enough; no position: to the head.

        Raises `PositionAheadError`; with `up_to_head` the head is far enough in its stead.
        """

        async def ask() -> Reached:
            return await self._ask(tenant_id, read_reached)

        reached = await ask()
        if eventual:
            return reached
        if position is not None and position > reached.head and not up_to_head:
            raise PositionAheadError
        target = reached.head if position is None else min(position, reached.head)

        def caught_up(now: Reached) -> bool:
            return now.position >= target

        return await self._patience.until(ask, caught_up, reached)

    async def _ask(self, tenant_id: str, question: Callable[[Pool], Awaitable[Result]]) -> Result:
        return await self._database.read(tenant_id, question)
