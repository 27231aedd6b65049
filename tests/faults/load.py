"""Debits without a pause, over HTTP and over Kafka, while something else is being broken.

Each debit has a reference of its own and is repeated with it until it is acknowledged,
as a careful client does. What was acknowledged is remembered, to be looked for in the log.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import NamedTuple, Self
from uuid import uuid4

import aiohttp
import msgspec

from schemas.commands import DebitWallet
from schemas.results import CommandResult
from services.client import CommandClient, NotPublishedError, ResultTimeoutError
from tests.specs.running_stack import PATIENCE_S, RunningStack

CONNECTIONS = 32
WALLETS = 8
CREDIT = 10**9
_RETRY_PAUSE_S = 0.1
# A client that asks again at once leaves the processes that are tested no processor.
_PAUSE_S = 0.01
_HTTP_TIMEOUT = aiohttp.ClientTimeout(total=10)
_RESULT_TIMEOUT_S = 10.0
_CHANCE = random.SystemRandom()


class Acknowledged(NamedTuple):
    """What a client was told of a debit: the transaction and the balance that it led to."""

    transaction_id: str
    balance_after: int


class Debit(NamedTuple):
    """A debit to make."""

    wallet_id: str
    amount: int
    reference: str


Send = Callable[[Debit], Awaitable[Acknowledged | None]]
"""Ask for a debit once. None: it is not known what came of it, so ask again."""


class UnexpectedAnswerError(Exception):
    """An answer that no fault excuses."""


class Load:
    """Senders at work, as long as the `async with` lasts; it ends when all is acknowledged."""

    def __init__(self, stack: RunningStack, *senders: Send) -> None:
        """Each sender is one client, which sends one debit at a time."""
        self.stack = stack
        self.wallets: list[str] = []
        self.acknowledged: dict[Debit, Acknowledged] = {}
        self._senders = senders
        self._workers: list[asyncio.Task[None]] = []
        self._is_over = False
        self._progress = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self.wallets = [await open_wallet(self.stack, CREDIT) for _ in range(WALLETS)]
        self._workers = [asyncio.create_task(self._work(send)) for send in self._senders]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over = True
        if error is not None:
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
            return
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self._workers)

    async def more(self, count: int) -> None:
        """Come back when that many more debits are acknowledged."""
        target = len(self.acknowledged) + count
        async with asyncio.timeout(PATIENCE_S), self._progress:
            await self._progress.wait_for(
                lambda: len(self.acknowledged) >= target or any(w.done() for w in self._workers)
            )
        for worker in self._workers:
            if worker.done():
                worker.result()

    async def _work(self, send: Send) -> None:
        while not self._is_over:
            debit = Debit(_CHANCE.choice(self.wallets), _CHANCE.randint(1, 9), uuid4().hex)
            try:
                self.acknowledged[debit] = await _until_acknowledged(send, debit)
            finally:
                async with self._progress:
                    self._progress.notify_all()
            await asyncio.sleep(_PAUSE_S)


async def _until_acknowledged(send: Send, debit: Debit) -> Acknowledged:
    while True:
        answer = await send(debit)
        if answer is not None:
            return answer
        await asyncio.sleep(_RETRY_PAUSE_S)


@asynccontextmanager
async def over_http(stack: RunningStack, *urls: str) -> AsyncIterator[list[Send]]:
    """32 clients over HTTP. With several gateways each try goes to any of them."""
    headers = {"Authorization": stack.authorization, "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers, timeout=_HTTP_TIMEOUT) as session:

        async def send(debit: Debit) -> Acknowledged | None:
            url = _CHANCE.choice(urls or (stack.url,))
            body = msgspec.json.encode({"amount": debit.amount, "reference": debit.reference})
            try:
                async with session.post(
                    f"{url}/v1/wallets/{debit.wallet_id}/debit", data=body
                ) as answer:
                    status, text = answer.status, await answer.text()
            except (aiohttp.ClientError, TimeoutError):
                return None
            if status == 503:
                return None
            if status != 200:
                raise UnexpectedAnswerError(f"{status} {text}")
            shown = msgspec.json.decode(text)
            return Acknowledged(shown["id"], shown["balance_after"])

        yield [send] * CONNECTIONS


@asynccontextmanager
async def over_kafka(stack: RunningStack, clients: int = 16) -> AsyncIterator[list[Send]]:
    """That many callers of one command client."""
    sandbox = stack.sandbox
    async with CommandClient(sandbox["KAFKA_BOOTSTRAP"], sandbox["TENANT_ID"], "/faults") as client:

        async def send(debit: Debit) -> Acknowledged | None:
            command = DebitWallet(
                wallet_id=debit.wallet_id, amount=debit.amount, reference=debit.reference
            )
            try:
                result = await client.execute(
                    command, command_id=debit.reference, timeout_s=_RESULT_TIMEOUT_S
                )
            except (ResultTimeoutError, NotPublishedError):
                return None
            return _acknowledged(result)

        yield [send] * clients


def _acknowledged(result: CommandResult) -> Acknowledged:
    if result.status != "accepted" or result.transaction is None:
        raise UnexpectedAnswerError(repr(result))
    return Acknowledged(result.transaction.id, result.transaction.balance_after)


async def open_wallet(stack: RunningStack, credit: int) -> str:
    """A wallet of a new customer with that much in it."""
    async with aiohttp.ClientSession(headers={"Authorization": stack.authorization}) as session:
        wallets = f"{stack.url}/v1/wallets"
        opening = {"customer_id": uuid4().hex, "currency": "GHS"}
        async with session.post(wallets, json=opening) as answer:
            assert answer.status == 201, await answer.text()
            wallet_id: str = (await answer.json())["id"]
        crediting = {"amount": credit, "reference": uuid4().hex}
        async with session.post(f"{wallets}/{wallet_id}/credit", json=crediting) as answer:
            assert answer.status == 200, await answer.text()
    return wallet_id


async def show_balances(stack: RunningStack, wallets: Sequence[str]) -> list[int]:
    """What a GET of each wallet shows."""
    balances = []
    async with aiohttp.ClientSession(headers={"Authorization": stack.authorization}) as session:
        for wallet_id in wallets:
            async with session.get(f"{stack.url}/v1/wallets/{wallet_id}") as answer:
                assert answer.status == 200, await answer.text()
                balances.append((await answer.json())["balance"])
    return balances
