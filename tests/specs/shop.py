"""A merchant with a site of its own, whose customer pays for top-ups in a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import aiohttp
from aiohttp import web

from tests.specs.browser import Browser
from tests.specs.running_stack import RunningStack, eventually

CARDS = {
    "good": "4242 4242 4242 4242",
    "declined": "4000 0000 0000 0002",
    "slow": "4000 0000 0000 0010",
    "duplicate": "4000 0000 0000 0028",
    "late": "4000 0000 0000 0036",
    "forged": "4000 0000 0000 0044",
}


class Landing(NamedTuple):
    """What the merchant's site was asked for: `paid` or `cancelled`, and what the query says."""

    page: str
    topup_id: str
    status: str


class Shop:
    """The merchant's server, its site, and its customer's browser."""

    def __init__(
        self, stack: RunningStack, api: aiohttp.ClientSession, browser: Browser, site: str
    ) -> None:
        self.stack = stack
        self.browser = browser
        self.site = site
        self._api = api
        self.wallet_id = ""
        self.topup: dict[str, Any] = {}

    async def open_wallet(self) -> None:
        """A new customer's wallet."""
        wallet = await self._call("POST", "/wallets", customer_id=uuid4().hex, currency="GHS")
        self.wallet_id = wallet["id"]

    async def ask_for(self, amount: int, *, seconds: float | None = None, **more: Any) -> None:
        """Make a top-up, and open its page in the browser."""
        if seconds is not None:
            more["expires_at"] = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        body = {
            "amount": amount,
            "redirect_url": f"{self.site}/paid?basket=7#end",
            "cancel_url": f"{self.site}/cancelled",
            **more,
        }
        self.topup = await self._call("POST", f"/wallets/{self.wallet_id}/topups", **body)
        await self.browser.open(self.topup["checkout_url"])

    async def pay_with(self, card: str) -> None:
        """On the provider's page: write a card's number and pay."""
        await self.browser.type_into("Card number", CARDS[card])
        await self.browser.click(self.pay_button)

    @property
    def pay_button(self) -> str:
        """What the button says, on both pages."""
        return f"Pay GH₵{self.topup['amount'] / 100:.2f}"

    async def landing(self) -> Landing:
        """Where the customer has come out; it may take a while. Anything else of it is as given."""
        await eventually(self._has_landed, "the browser is on the merchant's site")
        parts = urlsplit(await self.browser.url())
        query = parse_qs(parts.query)
        page = parts.path.removeprefix("/")
        if page == "paid":
            assert query.pop("basket") == ["7"]
            assert parts.fragment == "end"
        (topup_id,), (status,) = query.pop("topup_id"), query.pop("status")
        assert query == {}
        return Landing(page, topup_id, status)

    async def _has_landed(self) -> bool:
        return (await self.browser.url()).startswith(self.site)

    async def lands(self, page: str, status: str) -> None:
        """The customer comes out on a page of the merchant's with this news of the top-up."""
        assert await self.landing() == Landing(page, self.topup["id"], status)

    async def balance(self) -> int:
        """The wallet's balance."""
        return int((await self._call("GET", f"/wallets/{self.wallet_id}"))["balance"])

    async def balance_becomes(self, balance: int) -> None:
        """Come back when the wallet has this balance."""

        async def has_it() -> bool:
            return await self.balance() == balance

        await eventually(has_it, f"the balance is {balance}")

    async def status(self) -> str:
        """The top-up's status."""
        return str((await self._call("GET", f"/topups/{self.topup['id']}"))["status"])

    async def credits(self) -> list[int]:
        """What each payment brought in."""
        page = await self._call("GET", f"/wallets/{self.wallet_id}/transactions?type=topup")
        return [line["amount"] for line in page["data"]]

    async def callbacks(self, outcome: str) -> float:
        """How many callbacks have come to this, as the gateway counts."""
        line = f'ledger_payment_callbacks_total{{outcome="{outcome}",provider="sandbox"}} '
        async with self._api.get("/metrics") as answer:
            for text in (await answer.text()).splitlines():
                if text.startswith(line):
                    return float(text.removeprefix(line))
        return 0.0

    async def call(self, method: str, path: str, **body: Any) -> Any:
        """What the merchant's server asks for, under /v1."""
        return await self._call(method, path, **body)

    async def _call(self, method: str, path: str, **body: Any) -> Any:
        async with self._api.request(method, f"/v1{path}", json=body or None) as answer:
            shown = await answer.json()
            assert answer.status < 300, shown
            return shown


@asynccontextmanager
async def open_shop(stack: RunningStack, browser: Browser) -> AsyncIterator[Shop]:
    """A shop with one customer, open inside the block."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(
            text=f"<title>Shop</title><h1>{request.path}</h1>", content_type="text/html"
        )

    async def moved(request: web.Request) -> web.Response:
        # To another host, as from a domain to its www.
        port = request.url.port
        raise web.HTTPFound(f"http://localhost:{port}/moved?{request.query_string}")

    site = web.Application()
    site.add_routes([web.get("/old", moved), web.get("/{page}", page)])
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    headers = {"Authorization": stack.authorization}
    try:
        async with aiohttp.ClientSession(stack.url, headers=headers) as api:
            shop = Shop(stack, api, browser, f"http://127.0.0.1:{runner.addresses[0][1]}")
            await shop.open_wallet()
            yield shop
    finally:
        await runner.cleanup()
