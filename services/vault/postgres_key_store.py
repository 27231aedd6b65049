"""The key store in PostgreSQL, in a database of its own."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg

from services.runtime.postgres import Pool
from services.runtime.sql import load_statement
from services.vault.customer import Customer
from services.vault.errors import CustomerErasedError, MasterKeyRetiredError, VaultBusyError
from services.vault.key_store import Destruction, KeptKey, KeyRow, Rewrapped
from services.vault.master_keys import WrappedKey

_MAINTENANCE = int.from_bytes(b"vault", "big")
_NOBODY = "00000000-0000-0000-0000-000000000000"

_CREATE = load_statement(__file__, "create_key")
_FIND = load_statement(__file__, "find_keys")
_USE = load_statement(__file__, "use_key")
_UNSETTLED = load_statement(__file__, "page_unsettled")
_SETTLE = load_statement(__file__, "settle_keys")
_MARK_UNUSED = load_statement(__file__, "mark_unused")
_REMOVE_UNUSED = load_statement(__file__, "remove_unused")
_DESTROY = load_statement(__file__, "destroy_keys")
_PAGE = load_statement(__file__, "page_rows")
_DESTROYED = load_statement(__file__, "page_destroyed")
_OUTDATED = load_statement(__file__, "page_outdated")
_REWRAP = load_statement(__file__, "rewrap_keys")
_RESTORE = load_statement(__file__, "restore_keys")
_COUNT = load_statement(__file__, "count_by_master_key")
_WRAPPED_BY = load_statement(__file__, "keys_of_master_key")
_CHECK_INDEX = load_statement(__file__, "check_index_key")
_READ_ACTIVE = load_statement(__file__, "read_active")
_HOLD_ACTIVE = load_statement(__file__, "hold_active")
_ADOPT_ACTIVE = load_statement(__file__, "adopt_active")
_SET_ACTIVE = load_statement(__file__, "set_active")
_TRY_LOCK = load_statement(__file__, "try_lock_maintenance")
_UNLOCK = load_statement(__file__, "unlock_maintenance")


class PostgresKeyStore:
    """Raises what asyncpg raises besides what the port says."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(self, customer: Customer, key: WrappedKey) -> WrappedKey:
        """Store a first key, or get the one that won."""
        async with self._pool.acquire() as connection, connection.transaction():
            active = await connection.fetchval(_HOLD_ACTIVE)
            if active is None:
                await connection.execute(_ADOPT_ACTIVE, key.master_key_id)
                active = await connection.fetchval(_HOLD_ACTIVE)
            if active != key.master_key_id:
                raise MasterKeyRetiredError(key.master_key_id, active)
            kept = await connection.fetchrow(
                _CREATE, customer.tenant_id, customer.user_id, key.master_key_id, key.wrapped
            )
        if kept is None:
            raise CustomerErasedError(customer)
        return _key(kept)

    async def find(self, customer: Customer) -> WrappedKey | None:
        """One customer's key. Raises `CustomerErasedError`."""
        row = await self._pool.fetchrow(_FIND, [customer.tenant_id], [customer.user_id])
        if row is None:
            return None
        if row["destroyed_at"] is not None:
            raise CustomerErasedError(customer)
        return _key(row)

    async def use(self, customer: Customer) -> WrappedKey | None:
        """As `find`; one that is marked as unused is so no more."""
        row = await self._pool.fetchrow(_FIND, [customer.tenant_id], [customer.user_id])
        if row is not None and row["unused_since"] is not None:
            row = await self._pool.fetchrow(_USE, customer.tenant_id, customer.user_id)
            # Destroyed since, or removed: the next call tells which.
            return await self.find(customer) if row is None else _key(row)
        if row is None:
            return None
        if row["destroyed_at"] is not None:
            raise CustomerErasedError(customer)
        return _key(row)

    async def find_many(self, customers: Iterable[Customer]) -> Mapping[Customer, WrappedKey]:
        """The keys of those who have one."""
        tenants, users = _ids(set(customers))
        rows = map(_row, await self._pool.fetch(_FIND, tenants, users))
        return {row.customer: row.key for row in rows if isinstance(row, KeptKey)}

    async def destroy(self, destructions: Iterable[Destruction]) -> int:
        """Destroy keys; says how many there were."""
        moments = {each.customer: each.destroyed_at for each in destructions}
        tenants, users = _ids(moments)
        rows = await self._pool.fetch(_DESTROY, tenants, users, list(moments.values()))
        return sum(row["had_key"] for row in rows)

    async def page(self, after: Customer | None, limit: int) -> Sequence[KeyRow]:
        """Rows in order."""
        rows = await self._pool.fetch(_PAGE, *_place(after), limit)
        return [_row(row) for row in rows]

    async def destroyed(self, after: Customer | None, limit: int) -> Sequence[Destruction]:
        """Who had a key destroyed, in order."""
        rows = await self._pool.fetch(_DESTROYED, *_place(after), limit)
        return [
            Destruction(customer=_customer(row), destroyed_at=row["destroyed_at"]) for row in rows
        ]

    async def outdated(
        self, after: Customer | None, active_id: str, limit: int
    ) -> Sequence[KeptKey]:
        """Keys that another master key wraps, in order."""
        rows = await self._pool.fetch(_OUTDATED, *_place(after), active_id, limit)
        return [row for row in map(_row, rows) if isinstance(row, KeptKey)]

    async def rewrap(self, keys: Sequence[Rewrapped]) -> int:
        """Replace keys that still are what they were."""
        tenants, users = _ids(each.customer for each in keys)
        status = await self._pool.execute(
            _REWRAP,
            tenants,
            users,
            [each.was.wrapped for each in keys],
            [each.now.master_key_id for each in keys],
            [each.now.wrapped for each in keys],
        )
        return int(status.rpartition(" ")[2])

    async def restore(self, keys: Sequence[KeptKey]) -> frozenset[Customer]:
        """Put back keys of customers that have no row."""
        tenants, users = _ids(each.customer for each in keys)
        rows = await self._pool.fetch(
            _RESTORE,
            tenants,
            users,
            [each.key.master_key_id for each in keys],
            [each.key.wrapped for each in keys],
            [each.created_at for each in keys],
        )
        return frozenset(map(_customer, rows))

    async def active_id(self) -> str | None:
        """The active master key."""
        found: str | None = await self._pool.fetchval(_READ_ACTIVE)
        return found

    async def activate(self, master_key_id: str) -> None:
        """Let no key be stored under another master key from now on."""
        await self._pool.execute(_SET_ACTIVE, master_key_id)

    async def count_by_master_key(self) -> Mapping[str, int]:
        """How many keys each master key wraps."""
        return {row["master_key_id"]: row["keys"] for row in await self._pool.fetch(_COUNT)}

    async def unsettled(self, after: Customer | None, limit: int) -> Sequence[Customer]:
        """Whose keys are older than an hour and not settled, in order."""
        return [_customer(row) for row in await self._pool.fetch(_UNSETTLED, *_place(after), limit)]

    async def settle(self, customers: Iterable[Customer]) -> None:
        """Say that the log names these."""
        await self._pool.execute(_SETTLE, *_ids(customers))

    async def remove_unused(self, customers: Iterable[Customer]) -> int:
        """Mark as unused; remove what has been marked for an hour."""
        ids = _ids(customers)
        removed = await self._pool.execute(_REMOVE_UNUSED, *ids)
        await self._pool.execute(_MARK_UNUSED, *ids)
        return int(removed.rpartition(" ")[2])

    async def wrapped_by(self, master_key_id: str, limit: int) -> Sequence[KeptKey]:
        """Some keys that a master key wraps."""
        rows = await self._pool.fetch(_WRAPPED_BY, master_key_id, limit)
        return [row for row in map(_row, rows) if isinstance(row, KeptKey)]

    async def index_check(self, check: bytes) -> bytes:
        """The check of the index key in use; this one, if there was none."""
        found: bytes | None = await self._pool.fetchval(_CHECK_INDEX, check)
        # Nothing, where another process has adopted one at the same moment.
        return await self.index_check(check) if found is None else found

    @asynccontextmanager
    async def maintenance(self) -> AsyncIterator[None]:
        """A session-wide lock, on a connection that is kept for as long."""
        async with self._pool.acquire() as connection:
            if not await connection.fetchval(_TRY_LOCK, _MAINTENANCE):
                message = "another rotation or restore is under way; wait for its end"
                raise VaultBusyError(message)
            try:
                yield
            finally:
                if not connection.is_closed():
                    await connection.execute(_UNLOCK, _MAINTENANCE)


def _ids(customers: Iterable[Customer]) -> tuple[list[str], list[str]]:
    listed = list(customers)
    return [each.tenant_id for each in listed], [each.user_id for each in listed]


def _place(after: Customer | None) -> tuple[str, str]:
    return (_NOBODY, _NOBODY) if after is None else (after.tenant_id, after.user_id)


def _customer(row: asyncpg.Record) -> Customer:
    return Customer(tenant_id=str(row["tenant_id"]), user_id=str(row["user_id"]))


def _key(row: asyncpg.Record) -> WrappedKey:
    return WrappedKey(master_key_id=row["master_key_id"], wrapped=row["wrapped_key"])


def _row(row: asyncpg.Record) -> KeyRow:
    if row["destroyed_at"] is not None:
        return Destruction(customer=_customer(row), destroyed_at=row["destroyed_at"])
    return KeptKey(
        customer=_customer(row),
        key=_key(row),
        created_at=row["created_at"],
    )
