"""Keys of people who did not become customers: an enrolment that lost a race, or was declined.

Such a key has sealed nothing that anybody kept. It is not destroyed, which would be for ever:
the same call, repeated, may still enrol the person. It is removed, in two steps an hour apart,
so that whoever seals with it meanwhile keeps it.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence

from services.vault.customer import Customer
from services.vault.errors import LeftoversUnclearError
from services.vault.key_store import KeyStore

_PAGE = 1000

NamedOf = Callable[[Sequence[Customer]], Awaitable[Collection[Customer]]]
"""Which of these customers the log names, erased or not."""


async def settle_keys(store: KeyStore, named_of: NamedOf) -> int:
    """Settle the keys of more than an hour: used, marked, or removed; says how many of the last.

    Raises `LeftoversUnclearError` where the log knows nobody of the store: it is another one.
    """
    removed = 0
    after = None
    is_checked = False
    while page := await store.unsettled(after, _PAGE):
        # The store before the log: a key that is marked when this page is read, and whose
        # customer the log does not name afterwards, has not been used in between.
        named = await named_of(page)
        unnamed = [customer for customer in page if customer not in named]
        await store.settle(named)
        if unnamed and not is_checked:
            await check_log(store, named_of)
            is_checked = True
        removed += await store.remove_unused(unnamed)
        after = page[-1]
    return removed


async def check_log(store: KeyStore, named_of: NamedOf) -> None:
    """Raise `LeftoversUnclearError` where the log names nobody of the store: it is another one."""
    rows = await store.page(None, _PAGE)
    if not await named_of([row.customer for row in rows]):
        message = (
            "the log names nobody whose key the vault has: is it this vault's log? "
            "No key and no document is removed"
        )
        raise LeftoversUnclearError(message)
