"""Opening the vault: connections, keys, and what a restore brought back destroyed, in order.

Nobody gets a vault in another way, so none serves before that.
"""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager

import structlog
from msgspec import Struct

from services.runtime.environment import SystemEnvironment
from services.runtime.postgres import pool
from services.runtime.settings import Settings
from services.vault import places
from services.vault.destroyed import DestroyedList
from services.vault.key_store import Destruction
from services.vault.master_keys import MasterKeys
from services.vault.postgres_key_store import PostgresKeyStore
from services.vault.reconciliation import Reconciliation, reconcile
from services.vault.self_check import check_index_key, check_master_key
from services.vault.vault import Vault

_log = structlog.get_logger()


class Parts(Struct, frozen=True, kw_only=True):
    """What a vault is made of, for who maintains it."""

    store: PostgresKeyStore
    master_keys: MasterKeys
    destroyed: DestroyedList


@asynccontextmanager
async def open_parts(settings: Settings, name: str) -> AsyncIterator[Parts]:
    """Connect, as `name`. Raises `VaultError`, `SettingsError`, and what asyncpg raises."""
    dsn = settings.require_vault_database_url()
    async with places.open_master_keys(settings, SystemEnvironment().random_bytes) as master_keys:
        connections = await pool(dsn, name)
        try:
            yield Parts(
                store=PostgresKeyStore(connections),
                master_keys=master_keys,
                destroyed=places.destroyed_list(settings),
            )
        finally:
            await connections.close()


@asynccontextmanager
async def open_vault(
    settings: Settings, name: str, erasures_in_log: AsyncIterable[Destruction]
) -> AsyncIterator[Vault]:
    """A vault that serves. Raises also `DestroyedListError`, and where a key is another."""
    async with open_parts(settings, name) as parts:
        done = await reconcile(parts.store, parts.destroyed, erasures_in_log)
        _tell(done)
        for master_key_id in await parts.store.count_by_master_key():
            await check_master_key(parts.store, parts.master_keys, master_key_id)
        # Whoever only erases needs none; who looks for people is refused without one.
        if places.has_index_key(settings):
            await check_index_key(parts.store, places.blind_index(settings))
        yield Vault(
            parts.store, parts.master_keys, parts.destroyed, SystemEnvironment().random_bytes
        )


def _tell(done: Reconciliation) -> None:
    if done.destroyed_again or done.listed_from_store or done.listed_from_log:
        _log.warning(
            "vault_reconciled",
            destroyed_again=done.destroyed_again,
            listed_from_store=done.listed_from_store,
            listed_from_log=done.listed_from_log,
        )
