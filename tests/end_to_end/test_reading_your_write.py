"""A client that writes and looks at once sees what it wrote, also while others write."""

import asyncio
from uuid import uuid4

import aiohttp

from tests.specs.running_stack import RunningStack

CLIENTS = 24
WRITES = 25
CREDIT = 10_000
_RETRY_PAUSE_S = 0.05


async def test_every_write_is_seen_by_the_reads_after_it(stack: RunningStack) -> None:
    async with aiohttp.ClientSession(
        f"{stack.url}/v1/", headers={"Authorization": stack.authorization}
    ) as session:
        clients = [_Client(session, number) for number in range(CLIENTS)]
        await asyncio.gather(*(client.write_and_look() for client in clients))


class _Client:
    """The only one who writes to its wallet, so it knows exactly what must be there."""

    def __init__(self, session: aiohttp.ClientSession, number: int) -> None:
        self._session = session
        self._customer = f"cus_{uuid4().hex}_{number}"

    async def write_and_look(self) -> None:
        opening = {"customer_id": self._customer, "currency": "GHS"}
        async with self._session.post("wallets", json=opening) as answer:
            wallet = (await answer.json())["id"]
            version = 1
            assert answer.headers["ETag"] == f'"{version}"'
        balance = 0
        for number in range(WRITES):
            verb, change = ("debit", -7) if number else ("credit", CREDIT)
            body = {"amount": abs(change), "reference": uuid4().hex}
            async with self._session.post(f"wallets/{wallet}/{verb}", json=body) as answer:
                assert answer.status == 200, await answer.text()
                transaction = await answer.json()
            balance, version = balance + change, version + 1
            assert transaction["balance_after"] == balance

            shown, etag = await self._look(f"wallets/{wallet}")
            assert (shown["balance"], etag) == (balance, f'"{version}"')
            # Lists are of another read model, or of none where a customer is named.
            page, etag = await self._look(f"wallets/{wallet}/transactions?limit=1")
            assert (page["data"], etag) == ([transaction], f'"{version}"')
            page, _ = await self._look(f"wallets?customer_id={self._customer}")
            assert page["data"] == [shown]

    async def _look(self, path: str) -> tuple[dict[str, object], str | None]:
        """What a GET shows. It may say that it cannot, but never show something older."""
        while True:
            async with self._session.get(path) as answer:
                shown = await answer.json(content_type=None)
                if answer.status == 200:
                    return shown, answer.headers.get("ETag")
                assert (answer.status, shown["code"]) == (503, "read_model_behind")
                assert "Retry-After" in answer.headers
            await asyncio.sleep(_RETRY_PAUSE_S)
