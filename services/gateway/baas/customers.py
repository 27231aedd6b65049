"""Customers and their wallets in naira, found by what the append itself wrote."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from schemas.identifiers import hex_of, wallet_id
from services.gateway.baas.amounts import CURRENCY
from services.gateway.database import Database, Pool
from services.runtime.sql import load_statement

_RESOLVE: Final = load_statement(__file__, "resolve_customer")
_WALLETS: Final = load_statement(__file__, "wallets_of_customer")
_OWNERS: Final = load_statement(__file__, "owners")
_LIST: Final = load_statement(__file__, "list_wallets")
_OWNER: Final = load_statement(__file__, "owner_of_identity")
_OF_COMMAND: Final = load_statement(__file__, "customer_of_command")
_OF_ACCOUNT: Final = load_statement(__file__, "wallet_of_account")
_MADE_REFERENCE: Final = load_statement(__file__, "find_made_reference")


class WalletPage(NamedTuple):
    """Some wallets of a tenant, the newest first, and how many there are in all."""

    wallet_ids: list[str]
    total_items: int


class Account(NamedTuple):
    """The wallet that has an account number, and its customer as a UUID."""

    wallet_id: str
    user_id: str


class Decided(NamedTuple):
    """Whose wallet a command was about; or that its person was a customer already."""

    user_id: str | None
    was_taken: bool


class KnownReference(NamedTuple):
    """The reference with which a call was decided before, if it was; and the time now."""

    reference: str | None
    unix_seconds: int


class Customers:
    """Finds them. Raises `ReadsUnavailableError` while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def resolve(
        self, tenant_id: str, user_id: str, *, reference: str | None, command_id: str | None
    ) -> str | None:
        """The wallet that a call about the customer is about; the same again, if it is repeated."""

        async def ask(pool: Pool) -> str | None:
            found = await pool.fetchval(
                _RESOLVE, tenant_id, user_id, CURRENCY, reference, command_id
            )
            return None if found is None else wallet_id(found.hex)

        return await self._database.read(tenant_id, ask)

    async def wallets(self, tenant_id: str, user_id: str) -> list[str]:
        """The customer's wallets: the open one first, then the one that was closed last."""

        async def ask(pool: Pool) -> list[str]:
            rows = await pool.fetch(_WALLETS, tenant_id, user_id, CURRENCY)
            return [wallet_id(row["wallet_id"].hex) for row in rows]

        return await self._database.read(tenant_id, ask)

    async def owners(self, tenant_id: str, wallet_ids: Sequence[str]) -> dict[str, str]:
        """Whose the wallets are, as UUIDs; those that are not the tenant's are left out."""

        async def ask(pool: Pool) -> dict[str, str]:
            rows = await pool.fetch(
                _OWNERS, tenant_id, CURRENCY, [hex_of(each) for each in wallet_ids]
            )
            return {wallet_id(row["wallet_id"].hex): str(row["user_id"]) for row in rows}

        return await self._database.read(tenant_id, ask)

    async def of_identity(self, tenant_id: str, index: bytes) -> str | None:
        """The customer whom a blind index belongs to, as a UUID."""

        async def ask(pool: Pool) -> str | None:
            found = await pool.fetchval(_OWNER, tenant_id, index)
            return None if found is None else str(found)

        return await self._database.read(tenant_id, ask)

    async def of_command(self, tenant_id: str, command_id: str) -> Decided | None:
        """What a command of this id has come to, if it was decided."""

        async def ask(pool: Pool) -> Decided | None:
            row = await pool.fetchrow(_OF_COMMAND, tenant_id, command_id)
            if row is None:
                return None
            user_id = row["user_id"]
            return Decided(None if user_id is None else str(user_id), was_taken=row["was_taken"])

        return await self._database.read(tenant_id, ask)

    async def of_account(self, tenant_id: str, account_number: str) -> Account | None:
        """The wallet of an account number, and whose it is."""

        async def ask(pool: Pool) -> Account | None:
            row = await pool.fetchrow(_OF_ACCOUNT, tenant_id, account_number)
            if row is None:
                return None
            return Account(wallet_id(row["wallet_id"].hex), str(row["user_id"]))

        return await self._database.read(tenant_id, ask)

    async def list_wallets(self, tenant_id: str, limit: int, offset: int) -> WalletPage:
        """A page of the tenant's wallets, as the read model has them."""

        async def ask(pool: Pool) -> WalletPage:
            rows = await pool.fetch(_LIST, tenant_id, CURRENCY, limit, offset)
            return WalletPage(
                [wallet_id(row["wallet_id"].hex) for row in rows if row["wallet_id"] is not None],
                rows[0]["total_items"],
            )

        return await self._database.read(tenant_id, ask)

    async def known_reference(self, tenant_id: str, command_id: str | None) -> KnownReference:
        """With which reference the command of this id was decided."""

        async def ask(pool: Pool) -> KnownReference:
            row = await pool.fetchrow(_MADE_REFERENCE, tenant_id, command_id)
            assert row is not None, "there is always a row"
            return KnownReference(row["reference"], row["unix_seconds"])

        return await self._database.read(tenant_id, ask)
