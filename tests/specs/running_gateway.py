"""A gateway in this process, on real PostgreSQL, and a client that calls it over HTTP."""

import base64
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal, NamedTuple

import aiohttp
import asyncpg
import msgspec
from prometheus_client import CollectorRegistry

from ledger.tenants.administrator import Administrator
from ledger.tenants.store import (
    MERCHANT_SCOPES,
    SCOPES,
    Merchant,
    Secret,
)
from projections.log import read_log
from projections.registry import PROJECTIONS
from projections.runner import Runner
from services.gateway.main import gateway_on
from services.gateway.payments.providers import PaymentSettings
from services.runtime.administration import administering
from services.runtime.settings import Settings

Who = Literal["merchant", "admin", "writer", "reader", "stranger", "live"]
OPERATOR = "operator:test"
PUBLIC_URL = "https://pay.example.com"
"""Where customers reach the gateway, as it is told."""
FAST = {"Ledger-Consistency": "eventual"}


class Reply(NamedTuple):
    """What the gateway answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """A problem's code."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        return str(self.json["code"])


class RunningGateway:
    """The client, with the credentials of several.

    `merchant` may do what merchants may, `admin` all, `writer` not transfer, `reader` only
    read; `stranger` is another merchant. All are sandbox tenants but `live`, the merchant's other.
    """

    def __init__(
        self,
        port: int,
        session: aiohttp.ClientSession,
        connection: "asyncpg.Connection[asyncpg.Record]",
        *,
        administrator: Administrator,
        secrets: Mapping[Who, Secret],
        merchant: Merchant,
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.connection = connection
        self.administrator = administrator
        self.secrets = secrets
        self.merchant = merchant
        self._session = session
        self._projected: dict[str, int] = {}
        self.begun = 0
        """The log's newest position when the merchants and their credentials were made."""

    def authorization(self, who: Who = "merchant") -> str:
        """The header's value for one of them."""
        return basic(*self.secrets[who])

    async def call(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        data: bytes | AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        who: Who | None = "merchant",
    ) -> Reply:
        """Make a call. `json` is sent as JSON, `data` as it is."""
        sent: dict[str, str] = {}
        if who is not None:
            sent["Authorization"] = self.authorization(who)
        if json is not None or data is not None:
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        body = msgspec.json.encode(json) if json is not None else data
        # aiohttp warns of large bodies that are not read bit by bit.
        streamed = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self._session.request(
            method,
            self.url + path,
            data=streamed,
            headers=sent,
            skip_auto_headers=["Content-Type"],
            allow_redirects=False,
        ) as response:
            return Reply(response.status, response.headers.copy(), await response.read())

    async def get(self, path: str, **options: Any) -> Reply:
        """A GET under /v1."""
        return await self.call("GET", f"/v1{path}", **options)

    async def post(self, path: str, json: object = None, **options: Any) -> Reply:
        """A POST under /v1."""
        return await self.call("POST", f"/v1{path}", json, **options)

    async def open_wallet(self, customer_id: str = "cus_1", currency: str = "GHS") -> str:
        """Open a wallet and name it."""
        reply = await self.post("/wallets", {"customer_id": customer_id, "currency": currency})
        assert reply.status == 201, reply
        return str(reply.json["id"])

    async def credit(self, wallet_id: str, amount: int, reference: str) -> Reply:
        """Credit a wallet."""
        reply = await self.post(
            f"/wallets/{wallet_id}/credit", {"amount": amount, "reference": reference}
        )
        assert reply.status == 200, reply
        return reply

    async def place_hold(self, wallet_id: str, amount: int, reference: str, **more: object) -> str:
        """Place a hold and name it."""
        body = {"amount": amount, "reference": reference, **more}
        reply = await self.post(f"/wallets/{wallet_id}/holds", body)
        assert reply.status == 201, reply
        return str(reply.json["id"])

    async def create_topup(self, wallet_id: str, amount: int, **more: object) -> str:
        """Ask for a payment, and name the top-up."""
        body = {"amount": amount, "redirect_url": "https://shop.example/thanks", **more}
        reply = await self.post(f"/wallets/{wallet_id}/topups", body)
        assert reply.status == 201, reply
        return str(reply.json["id"])

    async def position(self) -> int:
        """The log's newest position."""
        return int(await self.connection.fetchval("SELECT coalesce(max(position), 0) FROM events"))

    async def appends(self) -> int:
        """How many appends there were."""
        return int(await self.connection.fetchval("SELECT count(*) FROM appends"))

    async def revoke(self, who: Who) -> None:
        """Revoke one's credential."""
        assert await self.administrator.revoke_credential(self.secrets[who].key_id)

    async def project(self, *names: str) -> None:
        """Bring read models, all unless named, up to the log as it stands now."""
        head = await self.position()
        for name in names or tuple(PROJECTIONS):
            if self._projected.get(name, 0) == head:
                continue
            runner = Runner(PROJECTIONS[name], self.connection)
            page = await read_log(self.connection, self._projected.get(name, 0), head)
            await runner.apply(page.events, [])
            self._projected[name] = head


def basic(key_id: str, secret: str) -> str:
    """An Authorization header's value."""
    return f"Basic {base64.b64encode(f'{key_id}:{secret}'.encode()).decode()}"


@asynccontextmanager
async def running_gateway(
    dsn: str, payments: PaymentSettings | None = None, settings: Settings | None = None
) -> AsyncIterator[RunningGateway]:
    """A gateway on a migrated database, with two merchants."""
    async with AsyncExitStack() as stack:
        connection = await asyncpg.connect(dsn)
        stack.push_async_callback(connection.close)
        administrator = await stack.enter_async_context(administering(dsn, OPERATOR))
        merchant = await administrator.create_merchant("merchant")
        stranger = await administrator.create_merchant("stranger")
        scopes: dict[Who, frozenset[str]] = {
            "merchant": MERCHANT_SCOPES,
            "admin": SCOPES,
            "writer": frozenset({"wallets:read", "wallets:write"}),
            "reader": frozenset({"wallets:read"}),
        }
        create = administrator.create_credential
        secrets: dict[Who, Secret] = {
            who: await create(merchant.sandbox_tenant_id, allowed)
            for who, allowed in scopes.items()
        }
        secrets["stranger"] = await create(stranger.sandbox_tenant_id, MERCHANT_SCOPES)
        secrets["live"] = await create(merchant.live_tenant_id, MERCHANT_SCOPES)
        serving = gateway_on(
            dsn,
            host="127.0.0.1",
            port=0,
            public_url=PUBLIC_URL,
            settings=settings or Settings(),
            payments=payments,
            registry=CollectorRegistry(),
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        port = await stack.enter_async_context(serving)
        gateway = RunningGateway(
            port,
            session,
            connection,
            administrator=administrator,
            secrets=secrets,
            merchant=merchant,
        )
        gateway.begun = await gateway.position()
        yield gateway
