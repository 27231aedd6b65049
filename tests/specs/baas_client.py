"""A client of the BaaS API, beside that of the Credit Wallets API, on one gateway."""

from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from services.gateway.baas.identifiers import uuid_of, wallet_of
from tests.specs.running_gateway import Reply, RunningGateway, Who, running_gateway
from tests.specs.vault_line import VaultLine

UNKNOWN = "00000000-0000-4000-8000-00000000dead"
"""A UUID that names nothing."""


class BaasClient:
    """Calls under `/baas/v1`, with the API keys of the gateway's several callers."""

    def __init__(self, gateway: RunningGateway, vault: VaultLine | None = None) -> None:
        self.gateway = gateway
        self._vault = vault

    @property
    def vault(self) -> VaultLine:
        """The gateway's vault."""
        assert self._vault is not None, "this gateway has none"
        return self._vault

    def api_key(self, who: Who = "merchant") -> str:
        """The key of one of them."""
        return self.gateway.secrets[who].api_key()

    async def call(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        who: Who | None = "merchant",
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> Reply:
        """Make a call; without `who` no key is sent."""
        key = {} if who is None else {"X-API-Key": self.api_key(who)}
        return await self.gateway.call(
            method,
            f"/baas/v1{path}",
            json,
            data=data,
            headers=key | dict(headers or {}),
            who=None,
        )

    async def get(self, path: str, **options: Any) -> Reply:
        """A GET."""
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: object = None, **options: Any) -> Reply:
        """A POST."""
        return await self.call("POST", path, json, **options)

    async def open_wallet(
        self, customer_id: str = "cus_1", currency: str = "NGN"
    ) -> tuple[str, str]:
        """Open a wallet through the Credit Wallets API; its customer and itself, as UUIDs."""
        body = {"customer_id": customer_id, "currency": currency}
        reply = await self.gateway.post("/wallets", body)
        assert reply.status == 201, reply
        return reply.json["user_id"], uuid_of(reply.json["id"])

    async def credit(self, user_id: str, amount: float, reference: str) -> Any:
        """Credit a customer; the transaction."""
        body = {"amount": amount, "customer_id": user_id, "reference": reference}
        reply = await self.post("/wallets/credit", body)
        assert reply.status == 201, reply
        return reply.json["data"]


def in_credit_wallets(wallet_uuid: str) -> str:
    """A wallet's id as the other contract spells it."""
    return wallet_of(wallet_uuid)


def failure(reply: Reply) -> tuple[int, str, dict[str, str]]:
    """Status, message and fields of a well-formed failure."""
    body = reply.json
    assert list(body) == ["success", "statusCode", "message", "errors"], body
    assert (body["success"], body["statusCode"]) == (False, reply.status)
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Request-Id"]
    leaked = (b"Traceback", b"asyncpg", b"SELECT", b"msgspec")
    assert not any(word in reply.body for word in leaked)
    return (
        reply.status,
        body["message"],
        {error["field"]: error["message"] for error in body["errors"]},
    )


def metadata_of(transaction: Mapping[str, Any]) -> str:
    """A transaction's metadata as JSON text."""
    return b64decode(transaction["metadata"]).decode()


@asynccontextmanager
async def baas_with_vault(
    database: str, vault_database: str, home: Path
) -> AsyncIterator[BaasClient]:
    """A gateway with a vault of its own."""
    line = VaultLine(vault_database, home)
    await line.prepare()
    async with running_gateway(database, settings=line.settings) as gateway:
        yield BaasClient(gateway, line)
