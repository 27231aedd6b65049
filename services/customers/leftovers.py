"""What nobody needs any more: documents that no event names, unfinished uploads, unused keys.

They are left by processes that were killed, by erasures that were stopped, and by enrolments
that lost a race. What is younger than an hour may be somebody's who is at work, and stays.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
from msgspec import Struct

from services.customers.erasures import erasures_in
from services.customers.known_people import unseal_person
from services.runtime.postgres import Connection, connect
from services.runtime.settings import Settings
from services.runtime.sql import load_statement
from services.vault.customer import Customer
from services.vault.document_store import DocumentStore
from services.vault.errors import CustomerErasedError, LeftoversUnclearError, SealBrokenError
from services.vault.opening import open_vault
from services.vault.places import document_store
from services.vault.sealing import DataKey
from services.vault.vault import Vault

_FIND_NAMED: Final = load_statement(__file__, "find_named")
_READ_TIER_THREE: Final = load_statement(__file__, "read_tier_three")
_PAGE: Final = 500
_YOUNG: Final = timedelta(hours=1)

Named = dict[str, Customer]
"""Documents that are somebody's, and whose."""


class Removed(Struct, frozen=True, kw_only=True):
    """What was left over and is gone."""

    keys: int
    documents: int
    uploads: int
    """Of which only a part had come."""


class Leftovers:
    """Finds and removes them, as often as wanted. It remembers which documents are needed."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self._named: Named = {}

    async def remove(self) -> Removed:
        """Remove what there is, of the vault and the log that the settings name.

        Raises `LeftoversUnclearError`, `VaultError`, `SettingsError`, `OSError` and what asyncpg
        raises; what was removed until then was left over, and the next call goes on.
        """
        before = datetime.now(UTC) - _YOUNG
        async with AsyncExitStack() as stack:
            connection = await connect(self._settings.require_database_url(), self._name)
            stack.push_async_callback(connection.close)
            erasures = erasures_in(connection.fetch)
            vault = await stack.enter_async_context(
                open_vault(self._settings, f"{self._name}-vault", erasures)
            )
            store = document_store(self._settings)
            stack.push_async_callback(store.close)

            log = _Log(connection)
            keys = await vault.settle_keys(log.named_of)
            uploads = await store.remove_unfinished(before)
            documents = await self._remove_documents(vault, store, log, before)
        return Removed(keys=keys, documents=documents, uploads=uploads)

    async def _remove_documents(
        self, vault: Vault, store: DocumentStore, log: "_Log", before: datetime
    ) -> int:
        # The store before the log: what is named afterwards is younger than the hour.
        there = {name async for name in store.names(before)}
        erased = await vault.erased_of(set(self._named.values()))
        needed = {name for name, customer in self._named.items() if customer not in erased}
        if there <= needed:
            return 0
        self._named = await _named_documents(vault, log)
        left = sorted(there - self._named.keys())
        if left:
            await vault.check_log(log.named_of)
        return sum([await store.delete(name) for name in left])


class _Log:
    """What the log says of customers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def named_of(self, customers: Sequence[Customer]) -> set[Customer]:
        """Which of these it names."""
        tenants = [each.tenant_id for each in customers]
        users = [each.user_id for each in customers]
        rows = await self._connection.fetch(_FIND_NAMED, tenants, users)
        return {_customer(row["tenant_id"], row["user_id"]) for row in rows}

    async def tier_three(self, after: int) -> Sequence[asyncpg.Record]:
        """A page of who was sealed for tier three, after a position."""
        rows: list[asyncpg.Record] = await self._connection.fetch(_READ_TIER_THREE, after, _PAGE)
        return rows


async def _named_documents(vault: Vault, log: _Log) -> Named:
    """The documents of everybody who was not erased, by what the log says of them, unsealed."""
    named: Named = {}
    after = 0
    while rows := await log.tier_three(after):
        sealed = [(_customer(row["tenant_id"], row["user_id"]), row["identity"]) for row in rows]
        keys = await _keys_of(vault, {customer for customer, _ in sealed})
        missing = {customer for customer, _ in sealed if customer not in keys}
        if lost := missing - await vault.erased_of(missing):
            message = (
                f"the vault lacks keys, of customer {min(lost).user_id} for one, so it cannot be "
                "told which documents are whose: restore a backup of the keys, or erase who has "
                "lost theirs. No document is removed"
            )
            raise LeftoversUnclearError(message)
        for customer, identity in sealed:
            if customer in keys:
                bill = _bill_of(keys[customer], customer, identity)
                if bill is not None:
                    named[bill] = customer
        after = rows[-1]["position"]
    return named


async def _keys_of(vault: Vault, customers: set[Customer]) -> Mapping[Customer, DataKey]:
    """The keys of those who have one. Raises `LeftoversUnclearError` where one is spoiled."""
    try:
        return await vault.find_keys(customers)
    except SealBrokenError:
        found = [(each, await _key_of(vault, each)) for each in sorted(customers)]
    return {customer: key for customer, key in found if key is not None}


async def _key_of(vault: Vault, customer: Customer) -> DataKey | None:
    try:
        return await vault.find_key(customer)
    except CustomerErasedError:
        return None
    except SealBrokenError:
        raise _spoiled("the key", customer) from None


def _bill_of(key: DataKey, customer: Customer, identity: str) -> str | None:
    try:
        return unseal_person(key, customer, identity).utility_bill
    except SealBrokenError:
        raise _spoiled("what is sealed", customer) from None


def _spoiled(what: str, customer: Customer) -> LeftoversUnclearError:
    return LeftoversUnclearError(
        f"{what} of customer {customer.user_id} of {customer.tenant_id} is spoiled, so it cannot "
        "be told which documents are theirs: restore the database that has it from a copy where "
        "it is whole, or erase the customer. No document is removed"
    )


def _customer(tenant_id: object, user_id: object) -> Customer:
    return Customer(tenant_id=str(tenant_id), user_id=str(user_id))
