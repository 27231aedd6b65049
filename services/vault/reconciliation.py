"""Before the vault serves: what was destroyed once is destroyed, whatever was restored since.

Three say what was destroyed: the list, the log, and the key store itself. Afterwards list and
store have all of it.
"""

import asyncio
from collections.abc import AsyncIterable

from msgspec import Struct

from services.vault.destroyed import DestroyedList
from services.vault.key_store import Destruction, KeyStore
from services.vault.paging import in_pages

_PAGE = 1000


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What had to be done. All three are zero where nothing was restored or lost."""

    destroyed_again: int
    """Keys that were back in the store."""
    listed_from_store: int
    """Erasures that the store knew and the list did not: the list was lost or replaced."""
    listed_from_log: int
    """Erasures that the log knew and the list did not."""


async def reconcile(
    store: KeyStore, destroyed: DestroyedList, in_log: AsyncIterable[Destruction]
) -> Reconciliation:
    """Destroy what is back; complete the list. Repeating it changes nothing more."""
    await asyncio.to_thread(destroyed.open)
    listed_from_store = 0
    after = None
    while page := await store.destroyed(after, _PAGE):
        listed_from_store += await asyncio.to_thread(destroyed.add, page)
        after = page[-1].customer
    listed_from_log = 0
    batch: list[Destruction] = []
    async for erasure in in_log:
        batch.append(erasure)
        if len(batch) == _PAGE:
            listed_from_log += await asyncio.to_thread(destroyed.add, batch)
            batch = []
    listed_from_log += await asyncio.to_thread(destroyed.add, batch)
    destroyed_again = 0
    for listed in in_pages(await asyncio.to_thread(destroyed.destructions), _PAGE):
        destroyed_again += await store.destroy(listed)
    return Reconciliation(
        destroyed_again=destroyed_again,
        listed_from_store=listed_from_store,
        listed_from_log=listed_from_log,
    )
