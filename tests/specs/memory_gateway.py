"""A gateway on a log in memory that can be stopped or broken: only `POST /v1/batch`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import aiohttp
import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry

from ledger.command_handling.processor import CommandProcessor
from ledger.event_log.interface import LogUnavailableError
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from ledger.tenants.limits import RateLimit
from ledger.tenants.store import MERCHANT_SCOPES, Credential, hash_secret
from schemas.commands import Command, CreateWallet
from services.gateway.application import Gateway
from services.gateway.authentication import Authenticator
from services.gateway.calls import Call
from services.gateway.credit_wallets.batch_commands import BatchCommands
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.dialects import CreditWalletsDialect
from services.gateway.main import serve
from services.gateway.metrics import RequestMetrics
from services.gateway.problems import ReadsUnavailableError
from services.gateway.rate_limits.allowances import RateLimits
from services.gateway.rate_limits.metrics import RateLimitMetrics
from services.gateway.request_ids import RequestIds
from services.gateway.routing import RouteTable
from tests.specs.running_gateway import Reply, basic
from tests.specs.world import TENANT, SeededEnvironment, submission

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
KEY_ID, SECRET = "key_" + "0a" * 12, "secret"
_AMPLE = RateLimit(per_s=1_000_000, burst=1_000_000)


class BreakingLog(MemoryEventLog):
    """A log that goes away when it is told to, and may take the fate of a commit with it."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.is_away = False
        self.goes_away_in_a_commit = False

    @asynccontextmanager
    async def exclusively(self) -> AsyncIterator[Any]:
        """See `EventLog`."""
        if self.is_away:
            raise LogUnavailableError("the log is away")
        if self.goes_away_in_a_commit:
            self.is_away = True
            self.fate = "committed"
        async with super().exclusively() as turn:
            yield turn


class HastyEnvironment(SeededEnvironment):
    """Waiting takes next to no time, but counts as much; the time of day goes with it."""

    def __init__(self) -> None:
        super().__init__(0)
        self._slept_s = 0.0

    def monotonic(self) -> float:
        """Seconds, those that were slept through too."""
        return super().monotonic() + self._slept_s

    def time_of_day(self) -> datetime:
        """As the log's clock has it."""
        return _BEGINNING + timedelta(seconds=self.monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait a little."""
        self._slept_s += seconds
        await asyncio.sleep(0.001)


class OneCredential:
    """The credential of who calls, which can be revoked, and can be out of reach."""

    def __init__(self) -> None:
        self.is_revoked = False
        self.is_away = False
        self.is_asked_for = asyncio.Event()
        self.may_be_told = asyncio.Event()
        self.may_be_told.set()

    async def find(self, key_id: str) -> Credential:
        """As it is stored now."""
        self.is_asked_for.set()
        await self.may_be_told.wait()
        if self.is_away:
            raise ReadsUnavailableError("the credentials cannot be read")
        found = await _find(key_id)
        if not self.is_revoked:
            return found
        return msgspec.structs.replace(found, revoked_at=_BEGINNING)


class MemoryGateway(NamedTuple):
    """The gateway, and what stands behind it."""

    port: int
    log: BreakingLog
    processor: CommandProcessor
    session: aiohttp.ClientSession
    environment: HastyEnvironment
    credential: OneCredential
    limits: RateLimits
    server: web.Server

    def authorization(self) -> str:
        """The header's value for who may call."""
        return basic(KEY_ID, SECRET)

    async def open_wallet(self) -> str:
        """Open a wallet and name it."""
        command = CreateWallet(customer_id="customer", currency="GHS")
        settled = await self.processor.submit(submission(command))
        assert settled.result.wallet is not None
        return settled.result.wallet.id

    def hand_in(self, commands: Sequence[Command]) -> None:
        """Let commands wait, as single calls do. Nobody asks what they come to."""
        for command in commands:
            self.processor.enqueue(submission(command))

    async def opened(
        self, content_type: str, content_length: int | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which the head of a `POST /v1/batch` was sent; chunks are to come."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        framing = f"Content-Length: {content_length}"
        if content_length is None:
            framing = "Transfer-Encoding: chunked"
        head = (
            f"POST /v1/batch HTTP/1.1\r\nHost: x\r\n{framing}\r\n"
            f"Content-Type: {content_type}\r\nAuthorization: {self.authorization()}\r\n\r\n"
        )
        writer.write(head.encode())
        return reader, writer

    async def batch(
        self, body: object | bytes, content_type: str = "application/json", key: str | None = None
    ) -> Reply:
        """A `POST /v1/batch`, with an Idempotency-Key if one is given."""
        headers = {"Authorization": self.authorization(), "Content-Type": content_type}
        if key is not None:
            headers["Idempotency-Key"] = key
        async with self.session.post(
            f"http://127.0.0.1:{self.port}/v1/batch",
            data=body if isinstance(body, bytes) else msgspec.json.encode(body),
            headers=headers,
        ) as response:
            return Reply(response.status, response.headers.copy(), await response.read())


@asynccontextmanager
async def memory_gateway() -> AsyncIterator[MemoryGateway]:
    """A gateway that serves inside the block."""
    environment = HastyEnvironment()
    log = BreakingLog(MemoryStore(environment.time_of_day, turn_limit_s=60))
    processor = CommandProcessor(log, environment)
    await processor.start()
    routes: RouteTable[Call] = RouteTable()
    batches = BatchCommands(Settlement(processor), asyncio.Event())
    routes.add("POST", "/v1/batch", batches.batch, scope="wallets:write")
    metrics = RequestMetrics()
    registry = CollectorRegistry()
    registry.register(metrics)
    credential = OneCredential()
    limits = RateLimits(_AMPLE, environment.monotonic, RateLimitMetrics(registry))
    gateway = Gateway(
        routes=routes,
        dialect=CreditWalletsDialect(Authenticator(credential.find, environment.monotonic)),
        others={},
        request_ids=RequestIds(bytes(8)),
        metrics=metrics,
        limits=limits,
        monotonic=environment.monotonic,
    )
    runner = await serve(gateway, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession() as session:
            port = runner.addresses[0][1]
            server = runner.server
            assert server is not None
            yield MemoryGateway(
                port, log, processor, session, environment, credential, limits, server
            )
    finally:
        await runner.cleanup()
        await processor.stop()


async def _find(_: str) -> Credential:
    return Credential(
        key_id=KEY_ID,
        tenant_id=TENANT,
        merchant_id="merchant",
        environment="sandbox",
        secret_hash=hash_secret(SECRET),
        scopes=MERCHANT_SCOPES,
        revoked_at=None,
        redirect_origins=frozenset(),
    )


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that nothing tells of."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)
