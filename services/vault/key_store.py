"""The key store's port: wrapped data keys, one a customer, and who had one destroyed.

It is kept apart from the log, and backed up apart: what it forgets is forgotten.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from services.vault.customer import Customer
from services.vault.master_keys import WrappedKey


class KeptKey(Struct, frozen=True, kw_only=True):
    """A customer's key as the store has it."""

    customer: Customer
    key: WrappedKey
    created_at: datetime


class Destruction(Struct, frozen=True, kw_only=True):
    """That a customer's key was destroyed, and when (with a time zone)."""

    customer: Customer
    destroyed_at: datetime


KeyRow = KeptKey | Destruction


class Rewrapped(Struct, frozen=True, kw_only=True):
    """A key wrapped anew, with what it takes the place of."""

    customer: Customer
    was: WrappedKey
    now: WrappedKey


class KeyStore(Protocol):
    """Every call may wait, and may fail as a database does."""

    async def create(self, customer: Customer, key: WrappedKey) -> WrappedKey:
        """Store a first key; of several at once one wins, and all get that one.

        Raises `CustomerErasedError`, and `MasterKeyRetiredError` where the key is wrapped by
        another master key than the active one.
        """

    async def find(self, customer: Customer) -> WrappedKey | None:
        """A customer's key; none if there never was one. Raises `CustomerErasedError`."""

    async def use(self, customer: Customer) -> WrappedKey | None:
        """As `find`, of who is about to seal with it: it is not unused any more."""

    async def find_many(self, customers: Iterable[Customer]) -> Mapping[Customer, WrappedKey]:
        """The keys of those who have one, by one query; nothing of who was erased."""

    async def destroy(self, destructions: Iterable[Destruction]) -> int:
        """Destroy keys, for ever; says how many there were. Twice is once."""

    async def page(self, after: Customer | None, limit: int) -> Sequence[KeyRow]:
        """Rows in order, `after` not among them."""

    async def destroyed(self, after: Customer | None, limit: int) -> Sequence[Destruction]:
        """Who had a key destroyed, in order, `after` not among them."""

    async def outdated(
        self, after: Customer | None, active_id: str, limit: int
    ) -> Sequence[KeptKey]:
        """Keys that another master key wraps, in order."""

    async def rewrap(self, keys: Sequence[Rewrapped]) -> int:
        """Replace keys that still are what they were; says how many were."""

    async def restore(self, keys: Sequence[KeptKey]) -> frozenset[Customer]:
        """Put back keys of customers that have no row; says whose."""

    async def active_id(self) -> str | None:
        """The active master key; none before the first key."""

    async def activate(self, master_key_id: str) -> None:
        """Let no key be stored under another master key from now on."""

    async def count_by_master_key(self) -> Mapping[str, int]:
        """How many keys each master key wraps; none that wraps nothing."""

    async def unsettled(self, after: Customer | None, limit: int) -> Sequence[Customer]:
        """Whose keys are older than an hour and not settled, in order."""

    async def settle(self, customers: Iterable[Customer]) -> None:
        """Say that the log names these: their keys are used, and not asked about again."""

    async def remove_unused(self, customers: Iterable[Customer]) -> int:
        """Mark the keys of these as unused, and remove those that have been so for an hour.

        Says how many were removed. Who uses a marked key takes the mark off.
        """

    def maintenance(self) -> AbstractAsyncContextManager[None]:
        """The right to rotate or restore; one has it at a time, or `VaultBusyError`."""
