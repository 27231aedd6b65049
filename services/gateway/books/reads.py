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
    position_at,
    read_reached,
)
from services.gateway.database import Database, Pool
from services.gateway.patience import Clock, Patience
from services.gateway.problems import ReadModelBehindError

Result = TypeVar("Result")


class PositionAheadError(Exception):
    """What was asked for lies behind the newest position of the log, which is `head`."""

    def __init__(self, head: int) -> None:
        super().__init__(f"the newest position is {head}")
        self.head = head


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
        reached = await self._reached(None, eventual=eventual)
        accounts = await self._ask(lambda pool: list_accounts(pool, tenant_id))
        return BooksReading(position=reached.position, accounts=accounts)

    async def accounts_at(self, tenant_id: str, position: int) -> BooksReading:
        """Every account of the tenant as of a position. Raises `PositionAheadError`."""
        await self._reached(position, eventual=False)
        accounts = await self._ask(lambda pool: list_accounts_as_of(pool, position, tenant_id))
        return BooksReading(position=position, accounts=accounts)

    async def position_at(self, moment: datetime) -> PositionAt:
        """The newest position that was recorded by a moment."""
        return await self._ask(lambda pool: position_at(pool, moment))

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
        """Up to `limit` entries before a position, newest first."""
        reached = await self._reached(None, eventual=eventual or before_position is not None)
        up_to = reached.position
        if before_position is not None:
            up_to = min(up_to, before_position - 1)
        entries = await self._ask(
            lambda pool: list_entries(pool, tenant_id, account, currency, up_to=up_to, limit=limit)
        )
        return EntriesReading(position=reached.position, entries=entries)

    async def _reached(self, position: int | None, *, eventual: bool) -> Reached:
        """How far the journal is complete, once that is far enough; no position: to the head."""

        async def ask() -> Reached:
            return await self._ask(read_reached)

        reached = await ask()
        if eventual:
            return reached
        if position is not None and position > reached.head:
            raise PositionAheadError(reached.head)
        target = reached.head if position is None else position

        def caught_up(now: Reached) -> bool:
            return now.position >= target

        if not caught_up(reached):
            reached = await self._patience.wait(ask, caught_up, reached)
        if not caught_up(reached):
            raise ReadModelBehindError
        return reached

    async def _ask(self, question: Callable[[Pool], Awaitable[Result]]) -> Result:
        return await self._database.read(question)
