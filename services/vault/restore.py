"""Putting back a backup's keys, without one that was destroyed.

Nothing that the store has is replaced: a backup only adds what is missing.
"""

import asyncio
from collections.abc import AsyncIterable
from pathlib import Path

from msgspec import Struct

from services.vault.backup import PAGE, check_backup, read_backup
from services.vault.destroyed import DestroyedList
from services.vault.errors import BackupError
from services.vault.key_store import Destruction, KeptKey, KeyStore
from services.vault.master_keys import MasterKeys
from services.vault.paging import in_pages
from services.vault.reconciliation import reconcile


class Restored(Struct, frozen=True, kw_only=True):
    """What became of the backup's keys."""

    put_back: int
    destroyed: int
    """Keys that the backup had, and that are not put back, for they were destroyed."""
    there_already: int


async def restore(
    store: KeyStore,
    master_keys: MasterKeys,
    destroyed: DestroyedList,
    path: Path,
    in_log: AsyncIterable[Destruction],
) -> Restored:
    """Put back what is missing. May be repeated.

    Raises `BackupError` before anything is changed where the file is not whole, or a master
    key is not at hand; `VaultBusyError`.
    """
    async with store.maintenance():
        for master_key_id in sorted(await asyncio.to_thread(check_backup, path)):
            if not await master_keys.knows(master_key_id):
                message = (
                    f"{path} has keys that the master key {master_key_id} wraps, and that is "
                    "not at hand: add its line again, above the others"
                )
                raise BackupError(message)
        await reconcile(store, destroyed, in_log)
        put_back = erased = seen = 0
        for rows in in_pages(read_backup(path), PAGE):
            # What the backup knows of destructions counts too, whatever happened to the list.
            gone = [row for row in rows if isinstance(row, Destruction)]
            await asyncio.to_thread(destroyed.add, gone)
            await store.destroy(gone)
            keys = [row for row in rows if isinstance(row, KeptKey)]
            seen += len(keys)
            living = [key for key in keys if not destroyed.covers(key.customer)]
            erased += len(keys) - len(living)
            put_back += len(await store.restore(living))
        if await store.active_id() is None:
            await store.activate(await master_keys.active_id())
    return Restored(put_back=put_back, destroyed=erased, there_already=seen - erased - put_back)
