"""The gateway's composition root: makes every part, and starts and stops them in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import REGISTRY, CollectorRegistry

from ledger.command_handling.patience import Patience
from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.rules import Rules
from ledger.event_log.postgres import PostgresEventLog
from ledger.tenants import Environment
from services.customers.banks import Bank, Banks
from services.gateway.application import Gateway, GatewayServer
from services.gateway.audit.queries import add_audit_log
from services.gateway.authentication import Authenticator
from services.gateway.baas.dialect import BASE, BaasDialect
from services.gateway.baas.routes import BaasParts, add_baas
from services.gateway.baas.sealed_people import SealedPeople
from services.gateway.baas.utility_bills import UtilityBills
from services.gateway.baas.vault_door import VaultDoor, vault_door
from services.gateway.books.queries import add_books
from services.gateway.books.reads import BookReads
from services.gateway.calls import Call
from services.gateway.checkout.routes import add_checkout
from services.gateway.credit_wallets.review_queries import ReviewQueries
from services.gateway.credit_wallets.routes import add_credit_wallets
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.database import Database
from services.gateway.dialects import CreditWalletsDialect
from services.gateway.docs import public_documents
from services.gateway.metrics import RequestMetrics
from services.gateway.payments.providers import (
    PaymentProviders,
    PaymentSettings,
    payment_providers,
    payment_settings,
)
from services.gateway.public_routes import add_public_routes
from services.gateway.rate_limits.allowances import RateLimits
from services.gateway.rate_limits.exchange import shared_limits
from services.gateway.reads import Reads
from services.gateway.request_ids import RequestIds
from services.gateway.routing import RouteTable
from services.gateway.topup_door import TopupDoor, public_url_of
from services.identity.sandbox import SandboxVerifier
from services.identity.verifier import IdentityVerifier
from services.runtime.addresses import ListenError
from services.runtime.environment import SystemEnvironment
from services.runtime.health import HealthServer, ShownHealth
from services.runtime.processor_metrics import observed_processor
from services.runtime.rules import BUILT_IN_RULES, rules_of
from services.runtime.settings import Settings

SHUTDOWN_SECONDS: Final = 10.0
_PROBE_SECONDS: Final = 1.0
_BACKLOG: Final = 1024
_VERIFIERS: Final[dict[Environment, IdentityVerifier]] = {"sandbox": SandboxVerifier()}
"""Who verifies identities. For live nobody does, until a provider is connected here."""

_log = structlog.get_logger(__name__)


async def run(settings: Settings) -> None:
    """Serve until cancelled."""
    serving = gateway_on(
        settings.require_database_url(),
        host=settings.http_host,
        port=settings.http_port,
        public_url=public_url_of(settings),
        settings=settings,
        payments=payment_settings(settings),
        rules=rules_of(settings),
    )
    async with serving as port:
        _log.info("gateway_ready", host=settings.http_host, port=port)
        await asyncio.Event().wait()


@asynccontextmanager
async def gateway_on(
    dsn: str,
    *,
    host: str,
    port: int,
    public_url: str,
    settings: Settings | None = None,
    payments: PaymentSettings | None = None,
    registry: CollectorRegistry = REGISTRY,
    rules: Rules = BUILT_IN_RULES,
) -> AsyncIterator[int]:
    """A gateway that serves inside the block, on the port that it gives (0: any free one).

    `public_url` is where customers reach it, without a slash at the end; `settings` say where the
    vault is and where health is shown; without `payments` there are no top-ups. Leaving stops
    accepting, answers every call that was taken in, and then stops the ledger.
    """
    settings = settings or Settings()
    environment = SystemEnvironment()
    async with AsyncExitStack() as stack:
        log = PostgresEventLog(dsn)
        stack.push_async_callback(log.close)
        processor = observed_processor(log, environment, rules, registry)
        await processor.start()
        stack.push_async_callback(processor.stop)
        database = Database(dsn)
        stack.push_async_callback(database.close)
        limits = await stack.enter_async_context(
            shared_limits(settings.default_rate_limit(), database, environment, registry)
        )
        readiness = Readiness(database, environment, processor.patience)
        await readiness.probe()
        prober = asyncio.create_task(readiness.keep_probing(), name="readiness")
        stack.callback(prober.cancel)
        await stack.enter_async_context(HealthServer.of(settings, readiness.reasons, registry))
        providers = await stack.enter_async_context(payment_providers(payments))
        door = TopupDoor(
            public_url=public_url,
            is_available=providers.is_available,
            try_to_stop_taking=providers.try_to_stop_taking,
        )
        vault = vault_door(settings, database, registry)
        stack.push_async_callback(vault.close)
        gateway = make_gateway(
            environment,
            processor,
            database,
            readiness,
            registry,
            limits=limits,
            settings=settings,
            vault=vault,
            door=door,
            providers=providers,
        )
        runner = await serve(gateway, host, port)
        stack.push_async_callback(runner.cleanup)
        stack.callback(readiness.stop)
        yield runner.addresses[0][1]


def make_gateway(
    environment: SystemEnvironment,
    processor: CommandProcessor,
    database: Database,
    readiness: "Readiness",
    registry: CollectorRegistry,
    *,
    limits: RateLimits,
    settings: Settings,
    vault: VaultDoor,
    door: TopupDoor,
    providers: PaymentProviders,
) -> Gateway:
    """Connect the parts that answer requests."""
    routes: RouteTable[Call] = RouteTable()
    reads = Reads(database, environment)
    people = SealedPeople(vault)
    bills = UtilityBills(vault, environment.random_bytes)
    banks = Banks(live=Bank(name=settings.bank_name, code=settings.bank_code))
    add_credit_wallets(
        routes,
        processor,
        reads,
        door=door,
        reviews=ReviewQueries(reads, people, bills),
        stopping=readiness.stopping,
        bank_code_of=lambda environment: banks.of(environment).code,
    )
    add_checkout(
        routes,
        processor=processor,
        database=database,
        reads=reads,
        providers=providers,
        public_url=door.public_url,
        registry=registry,
        clock=environment,
    )
    books = BookReads(database, environment)
    add_books(routes, books)
    add_audit_log(routes, database)
    health = None if settings.health_port else ShownHealth(registry, readiness.reasons)
    add_public_routes(routes, public_documents(), health)
    add_baas(
        routes,
        BaasParts(
            settlement=Settlement(processor),
            reads=reads,
            books=books,
            database=database,
            people=people,
            bills=bills,
            verifiers=_VERIFIERS.get,
            banks=banks,
            today=lambda: datetime.now(UTC).date(),
            clock=environment,
            random_bytes=environment.random_bytes,
        ),
    )
    return _gateway(routes, environment, database, limits, registry)


def _gateway(
    routes: RouteTable[Call],
    environment: SystemEnvironment,
    database: Database,
    limits: RateLimits,
    registry: CollectorRegistry,
) -> Gateway:
    metrics = RequestMetrics()
    registry.register(metrics)
    authenticator = Authenticator(database.find_credential, environment.monotonic)
    return Gateway(
        routes=routes,
        dialect=CreditWalletsDialect(authenticator),
        others={f"{BASE}/": BaasDialect(authenticator)},
        request_ids=RequestIds(environment.random_bytes(8)),
        metrics=metrics,
        limits=limits,
        monotonic=environment.monotonic,
    )


async def serve(gateway: Gateway, host: str, port: int) -> web.ServerRunner:
    """Listen. Cleaning the runner up stops accepting and lets calls under way finish.

    Raises `ListenError`.
    """
    runner = web.ServerRunner(GatewayServer(gateway), shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=_BACKLOG)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise ListenError("LEDGER_HTTP_HOST and LEDGER_HTTP_PORT", host, port, error) from error
    return runner


class Readiness:
    """Whether calls can be served: the database answers, and the process is not stopping."""

    def __init__(
        self, database: Database, environment: SystemEnvironment, patience: Patience
    ) -> None:
        self._database = database
        self._environment = environment
        self._patience = patience
        self._reasons = ["the database was not asked yet"]
        self.stopping = asyncio.Event()

    def reasons(self) -> list[str]:
        """Why the gateway is not ready; empty when it is."""
        reasons = list(self._reasons)
        if self._patience.is_lost:
            reasons.append("the log does not answer")
        if self.stopping.is_set():
            reasons.append("the gateway is stopping")
        return reasons

    def stop(self) -> None:
        """From now on the gateway is not ready, and streams come to their end."""
        self.stopping.set()

    async def probe(self) -> None:
        """Ask the database for a sign of life."""
        self._reasons = await self._database.problems()

    async def keep_probing(self) -> None:
        """Ask again once a second."""
        while True:
            await self._environment.sleep(_PROBE_SECONDS)
            await self.probe()
