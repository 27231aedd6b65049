"""One merchant's calls to a gateway that runs as a process of its own."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import aiohttp

from ledger.tenants.store import MERCHANT_SCOPES
from services.runtime.administration import administering
from tests.specs.running_gateway import basic


class Merchant(NamedTuple):
    """A sandbox's tenant, and the Authorization header that speaks for it."""

    tenant_id: str
    authorization: str

    @classmethod
    async def made_in(cls, dsn: str) -> Self:
        """Make one in a migrated database."""
        async with administering(dsn, "operator:test") as administrator:
            tenant_id = (await administrator.create_merchant("shop")).sandbox_tenant_id
            secret = await administrator.create_credential(tenant_id, MERCHANT_SCOPES)
        return cls(tenant_id, basic(*secret))


class ShopCalls:
    """Calls that must succeed. `url` is the gateway's, without a path."""

    def __init__(self, url: str, authorization: str) -> None:
        self._url = url
        self._headers = {"Authorization": authorization}

    async def open_wallet(self, customer_id: str = "cus_1") -> str:
        """Open a wallet and name it."""
        body = {"customer_id": customer_id, "currency": "GHS"}
        wallet = await self._call("POST", "/wallets", body)
        return str(wallet["id"])

    async def credit(self, wallet_id: str, amount: int, reference: str) -> None:
        """Credit a wallet."""
        body = {"amount": amount, "reference": reference}
        await self._call("POST", f"/wallets/{wallet_id}/credit", body)

    async def balance(self, wallet_id: str) -> int:
        """What the wallet has."""
        return int((await self._call("GET", f"/wallets/{wallet_id}"))["balance"])

    async def references(self, wallet_id: str) -> list[str]:
        """Of the wallet's transactions, the newest first."""
        page = await self._call("GET", f"/wallets/{wallet_id}/transactions")
        return [each["reference"] for each in page["data"]]

    async def status(self, path: str) -> int:
        """What a GET under /v1 is answered with, good or not."""
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.get(f"{self._url}/v1{path}") as answer,
        ):
            return answer.status

    async def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        async with (
            aiohttp.ClientSession(headers=self._headers, raise_for_status=True) as session,
            session.request(method, f"{self._url}/v1{path}", json=body) as answer,
        ):
            return await answer.json()
