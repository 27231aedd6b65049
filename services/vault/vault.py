"""The vault: customers' data keys, each made once, used, and destroyed once for ever.

No key is kept in memory between calls: what is destroyed is gone with the next call, in every
process.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from services.vault.customer import Customer
from services.vault.destroyed import DestroyedList
from services.vault.errors import CustomerErasedError, MasterKeyRetiredError
from services.vault.key_store import Destruction, KeyStore
from services.vault.master_keys import MasterKeys, WrappedKey
from services.vault.sealing import KEY_BYTES, NONCE_BYTES, DataKey
from services.vault.unused_keys import NamedOf, check_log, settle_keys

WRAPPING = "wrapping"
"""The purpose in the context that a data key is wrapped with."""

_CREATE_TRIES = 5
_AT_ONCE = 32


class Vault:
    """Made by `opening.open_vault`, which destroys first what a restore brought back."""

    def __init__(
        self,
        store: KeyStore,
        master_keys: MasterKeys,
        destroyed: DestroyedList,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._master_keys = master_keys
        self._destroyed = destroyed
        self._random_bytes = random_bytes

    def nonce(self) -> bytes:
        """A nonce for one seal."""
        return self._random_bytes(NONCE_BYTES)

    async def obtain_key(self, customer: Customer) -> DataKey:
        """The customer's key, made if there is none. Raises `CustomerErasedError`.

        What is sealed under it has to be in the log within the hour, or the key may go.
        """
        found = await self._known(customer, await self._store.use(customer))
        if found is None:
            found = await self._create(customer)
        return await self._master_keys.unwrap(found, customer.context(WRAPPING))

    async def find_key(self, customer: Customer) -> DataKey | None:
        """The key; none if there never was one. Raises `CustomerErasedError`."""
        found = await self._known(customer, await self._store.find(customer))
        if found is None:
            return None
        return await self._master_keys.unwrap(found, customer.context(WRAPPING))

    async def find_keys(self, customers: Iterable[Customer]) -> Mapping[Customer, DataKey]:
        """The keys of those who have one, by one query; nothing of who was erased."""
        found = await self._store.find_many(customers)
        erased = await asyncio.to_thread(self._erased_of, found)
        living = [customer for customer in found if customer not in erased]
        taking = asyncio.Semaphore(_AT_ONCE)

        async def unwrapped(customer: Customer) -> DataKey:
            async with taking:
                return await self._master_keys.unwrap(found[customer], customer.context(WRAPPING))

        # A KMS is remote: one after the other, a list of wallets would take seconds.
        keys = await asyncio.gather(*map(unwrapped, living))
        return dict(zip(living, keys, strict=True))

    async def erase(self, customer: Customer, at: datetime) -> bool:
        """Destroy the key for ever; says whether there was one. Twice is once.

        Also who has no key gets none any more. When it fails, it is to be called again: from
        the moment that the list has the customer, no key is given out.
        """
        destruction = Destruction(customer=customer, destroyed_at=at)
        await asyncio.to_thread(self._destroyed.add, [destruction])
        return await self._store.destroy([destruction]) > 0

    async def erased_of(self, customers: Iterable[Customer]) -> set[Customer]:
        """Which of these were erased."""
        return await asyncio.to_thread(self._erased_of, customers)

    async def settle_keys(self, named_of: NamedOf) -> int:
        """Remove keys that have been nobody's for an hour; says how many. See `unused_keys`."""
        return await settle_keys(self._store, named_of)

    async def check_log(self, named_of: NamedOf) -> None:
        """Raise `LeftoversUnclearError` where the log is not that of this vault."""
        await check_log(self._store, named_of)

    async def _known(self, customer: Customer, found: WrappedKey | None) -> WrappedKey | None:
        # After the look into the store, which may have been restored a moment ago.
        if await asyncio.to_thread(self._destroyed.covers, customer):
            raise CustomerErasedError(customer)
        return found

    async def _create(self, customer: Customer) -> WrappedKey:
        fresh = DataKey(self._random_bytes(KEY_BYTES))
        context = customer.context(WRAPPING)
        master_key_id = await self._master_keys.active_id()
        tries = _CREATE_TRIES
        while True:
            wrapped = await self._master_keys.wrap(fresh, context, master_key_id)
            try:
                return await self._store.create(customer, wrapped)
            except MasterKeyRetiredError as retired:
                tries -= 1
                if not tries:
                    raise
                # A rotation has just begun, or this process has not heard of it.
                master_key_id = retired.active_id

    def _erased_of(self, customers: Iterable[Customer]) -> set[Customer]:
        return {customer for customer in customers if self._destroyed.covers(customer)}
