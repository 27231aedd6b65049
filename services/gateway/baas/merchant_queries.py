"""The call of the BaaS API that shows the merchant's own wallet, an account of the books.

Nobody opened it, and no command names it: crediting a customer takes from it, debiting one gives
to it, and it may be below zero.
"""

from datetime import datetime
from typing import Final, NamedTuple

from services.customers.banks import Banks
from services.gateway.answers import Answer
from services.gateway.baas.amounts import CURRENCY
from services.gateway.baas.envelopes import Message, wallet_answer
from services.gateway.baas.rendering import render_merchant_wallet
from services.gateway.books.reads import BookReads
from services.gateway.calls import Call
from services.gateway.database import Database, Pool
from services.runtime.sql import load_statement

_MERCHANT: Final = load_statement(__file__, "merchant_of_tenant")
_ACCOUNT: Final = "merchant"


class _Merchant(NamedTuple):
    name: str
    created_at: datetime


class MerchantQueries:
    """The handler; it asks the books."""

    def __init__(self, books: BookReads, database: Database, banks: Banks) -> None:
        self._books = books
        self._database = database
        self._banks = banks

    async def wallet(self, call: Call) -> Answer:
        """`GET /wallets/merchants`: 200 and the merchant's own wallet in naira."""
        principal = call.principal
        merchant = await self._merchant(principal.tenant_id)
        reading = await self._books.entries(
            principal.tenant_id,
            _ACCOUNT,
            CURRENCY,
            limit=1,
            before_position=None,
            eventual=call.eventual,
        )
        newest = reading.entries[0] if reading.entries else None
        wallet = render_merchant_wallet(
            principal,
            self._banks.of(principal.environment),
            name=merchant.name,
            created_at=merchant.created_at,
            updated_at=merchant.created_at if newest is None else newest.recorded_at,
            # What customers were credited is a debit of this account: seen from the merchant,
            # that much went away.
            balance=0 if newest is None else -newest.balance_after,
        )
        return wallet_answer(200, Message.MERCHANT_WALLET_FETCHED, wallet)

    async def _merchant(self, tenant_id: str) -> _Merchant:
        async def ask(pool: Pool) -> _Merchant:
            row = await pool.fetchrow(_MERCHANT, tenant_id)
            assert row is not None, "whoever calls has a tenant, and a tenant has a merchant"
            return _Merchant(row["name"], row["created_at"])

        return await self._database.read(tenant_id, ask)
