"""A merchant who holds the contract in hand: the few words that its checks are written in."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from tests.end_to_end.curl import Curl, merchant
from tests.specs.running_gateway import Reply
from tests.specs.running_stack import RunningStack


class Merchant(NamedTuple):
    """The sandbox's merchant on a running stack, calling by curl."""

    stack: RunningStack
    curl: Curl

    async def get(self, path: str) -> Any:
        """What a GET under /v1 shows."""
        reply = await self.curl.get(path)
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json"), reply
        return reply.json

    async def post(self, path: str, body: object = None, status: int = 200) -> Any:
        """What a POST under /v1 is answered."""
        reply = await self.curl.post(path, body)
        assert (reply.status, reply.headers["Content-Type"]) == (status, "application/json"), reply
        return reply.json

    async def open(self, balance: int = 0, *, currency: str = "GHS", customer: str = "") -> str:
        """Open a wallet, put money in, and name it."""
        body = {"customer_id": customer or f"cus_{uuid4().hex}", "currency": currency}
        wallet = str((await self.post("/wallets", body, 201))["id"])
        if balance:
            await self.credit(wallet, balance)
        return wallet

    async def credit(self, wallet: str, amount: int, **more: object) -> Any:
        """Put money in."""
        return await self.post(f"/wallets/{wallet}/credit", money(amount, **more))

    async def debit(self, wallet: str, amount: int, **more: object) -> Any:
        """Take money out."""
        return await self.post(f"/wallets/{wallet}/debit", money(amount, **more))

    async def refused(self, path: str, body: object, status: int, code: str) -> Reply:
        """A POST that is refused so; the problem."""
        reply = await self.curl.post(path, body)
        assert (reply.status, reply.code) == (status, code), reply
        return reply

    async def balance(self, wallet: str) -> int:
        """What the wallet shows."""
        return int((await self.get(f"/wallets/{wallet}"))["balance"])

    async def history(self, wallet: str, query: str = "") -> list[dict[str, Any]]:
        """The first page of the wallet's transactions."""
        page = await self.get(f"/wallets/{wallet}/transactions{query}")
        return list(page["data"])

    async def version(self, wallet: str) -> str:
        """The wallet's stream version, which every event raises."""
        return str((await self.curl.get(f"/wallets/{wallet}")).headers["ETag"])


Check = Callable[[Merchant], Awaitable[None]]


def contract_merchant(stack: RunningStack) -> Merchant:
    """The sandbox's merchant."""
    return Merchant(stack, merchant(stack))


def money(amount: int, **more: object) -> dict[str, object]:
    """The body of a movement, with a reference of its own unless one is given."""
    return {"amount": amount, "description": "Airtime", "reference": uuid4().hex, **more}


def soon(seconds: float = 1.0) -> str:
    """A moment shortly ahead, as RFC 3339 has it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
