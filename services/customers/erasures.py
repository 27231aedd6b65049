"""Every erasure that the log has: what must be destroyed before keys of customers are used."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

from services.runtime.sql import load_statement
from services.vault.customer import Customer
from services.vault.key_store import Destruction

_READ_ERASURES: Final = load_statement(__file__, "read_erasures")
_PAGE: Final = 1_000

Fetch = Callable[[str, int, int], Awaitable[Sequence[Any]]]
"""Rows of a statement, given its two numbers."""


async def erasures_in(fetch: Fetch) -> AsyncIterator[Destruction]:
    """In the order of the log, page by page."""
    after = 0
    while rows := await fetch(_READ_ERASURES, after, _PAGE):
        for row in rows:
            customer = Customer(tenant_id=str(row["tenant_id"]), user_id=row["user_id"])
            yield Destruction(customer=customer, destroyed_at=row["recorded_at"])
        after = rows[-1]["position"]
