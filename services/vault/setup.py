"""What `ledger up` makes once: the key store's schema, a master key, an index key."""

import asyncio
import secrets
from datetime import datetime

from services.runtime.postgres import pool
from services.runtime.settings import Settings
from services.vault.blind_index import INDEX_KEY_BYTES
from services.vault.errors import KeyFileError
from services.vault.key_files import encode_key, write_private
from services.vault.master_keys import new_key_file
from services.vault.places import index_key_path, master_key_path
from services.vault.postgres_key_store import PostgresKeyStore
from services.vault.schema import migrate_vault
from services.vault.sealing import KEY_BYTES


async def prepare_vault(settings: Settings, now: datetime) -> list[str]:
    """Make what is missing, and say what was made.

    Raises `KeyFileError` where there are keys already and the master keys' file, or that of the
    index key, is lost: a new one would hide that.
    """
    dsn = settings.require_vault_database_url()
    applied, said = await migrate_vault(dsn)
    said = [*(f"applied {name}" for name in applied), *said]
    async with await pool(dsn, "ledger-supervisor") as connections:
        active_id = await PostgresKeyStore(connections).active_id()
    master, index = master_key_path(settings), index_key_path(settings)
    if settings.master_keys is None and settings.kms is None and not master.exists():
        if active_id is not None:
            message = (
                f"{master} is gone, and the vault has keys that its master key {active_id} "
                "wraps: put the file back"
            )
            raise KeyFileError(message)
        secret = secrets.token_bytes(KEY_BYTES)
        await asyncio.to_thread(new_key_file, master, new_master_key_id(now), secret)
        said.append(f"made {master}")
    if settings.index_key is None and not index.exists():
        if active_id is not None:
            message = (
                f"{index} is gone, and the vault has customers who are found by its key: "
                "put the file back"
            )
            raise KeyFileError(message)
        text = f"{encode_key(secrets.token_bytes(INDEX_KEY_BYTES))}\n"
        await asyncio.to_thread(write_private, index, text, replace=False)
        said.append(f"made {index}")
    return said


def new_master_key_id(now: datetime) -> str:
    """An id that says when its key was made, and that no other has."""
    return f"{now:%Y-%m-%d}-{secrets.token_hex(4)}"
