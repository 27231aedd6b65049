"""A vault with a database, key files and a list of the test's own, opened as often as wanted."""

import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.runtime.settings import SecretText, Settings
from services.vault.customer import Customer
from services.vault.key_store import Destruction
from services.vault.opening import Parts, open_parts, open_vault
from services.vault.places import master_key_path
from services.vault.sealing import DataKey, fingerprint
from services.vault.setup import prepare_vault
from services.vault.vault import Vault

TENANT = "0b6f0c1e-5a34-4d3e-9a6b-52b1f2f5c001"
NOW = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)

NOTHING_LEFT = (
    "unused keys      0 removed\ndocuments        0 removed\nbroken uploads   0 removed\n"
)
"""What `ledger vault reconcile` says where nothing is left over."""


def somebody(tenant_id: str = TENANT) -> Customer:
    """A customer whom no other test knows."""
    return Customer(tenant_id=tenant_id, user_id=str(uuid4()))


def same(first: DataKey, second: DataKey) -> bool:
    """Whether two keys are one."""
    return fingerprint(first, b"") == fingerprint(second, b"")


async def erasures(customers: Iterable[Customer]) -> AsyncIterator[Destruction]:
    """A log that has erased these."""
    for customer in customers:
        yield Destruction(customer=customer, destroyed_at=NOW)


class VaultLine:
    """One vault. `open` is what a process does; two of them at a time are two processes."""

    def __init__(self, dsn: str, home: Path) -> None:
        self.home = home
        self.settings = Settings(home=home, vault_database_url=SecretText(dsn))

    async def prepare(self) -> None:
        """Schema, master key and index key."""
        await prepare_vault(self.settings, NOW)

    def open(self, erased_in_log: Iterable[Customer] = ()) -> AbstractAsyncContextManager[Vault]:
        """A vault that serves."""
        return open_vault(self.settings, "test", erasures(erased_in_log))

    def parts(self) -> AbstractAsyncContextManager[Parts]:
        """What maintains it."""
        return open_parts(self.settings, "test")

    def environment(self) -> dict[str, str]:
        """The settings as the command line reads them."""
        dsn = self.settings.require_vault_database_url()
        return {"LEDGER_HOME": str(self.home), "LEDGER_VAULT_DATABASE_URL": dsn}

    def master_key_ids(self) -> list[str]:
        """The ids in the file, the active one last."""
        lines = master_key_path(self.settings).read_text().splitlines()
        return [line.split()[0] for line in lines]

    async def fetch(self, sql: str, *arguments: object) -> list[Any]:
        """Rows from the key store."""
        connection = await asyncpg.connect(self.settings.require_vault_database_url())
        try:
            return list(await connection.fetch(sql, *arguments))
        finally:
            await connection.close()

    async def dump(self) -> str:
        """Everything that the database's tables hold, as text; binary in hexadecimal."""
        tables = await self.fetch(
            "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'"
        )
        rows = [await self.fetch(f"SELECT t::text FROM {name} AS t") for (name,) in tables]  # noqa: S608
        return "\n".join(row[0] for of_table in rows for row in of_table)

    async def spoil_key(self, user_id: str) -> None:
        """Let a customer's key open no more, as a bad disk leaves it."""
        await self.fetch(
            "UPDATE customer_keys SET wrapped_key = overlay(wrapped_key PLACING $2 FROM 20) "
            "WHERE user_id = $1",
            *(UUID(user_id), bytes(8)),
        )

    async def copy_rows(self) -> list[Any]:
        """The rows of keys, as a physical backup would have them."""
        return await self.fetch("SELECT * FROM customer_keys")

    async def put_back(self, rows: list[Any]) -> None:
        """Restore the database to those rows, behind everybody's back."""
        connection = await asyncpg.connect(self.settings.require_vault_database_url())
        try:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute("DELETE FROM customer_keys")
            await connection.copy_records_to_table("customer_keys", records=rows)
        finally:
            await connection.close()


def random_key() -> DataKey:
    """A data key of nobody."""
    return DataKey(os.urandom(32))
