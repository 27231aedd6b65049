"""`ledger up`: servers, schema, topics, sandbox merchant and processes, in this order.

Stopping goes the other way: first who takes commands, and payments, then relay, projectors and
scheduler, then Kafka, then PostgreSQL.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import aiohttp
import msgspec

from services.runtime.addresses import host_in_url
from services.runtime.database_roles import LEDGER_ROLES, grant_if_possible
from services.runtime.migrations import MigrationError, apply_migrations
from services.runtime.outages import DatabaseOutageError, reach
from services.runtime.postgres import LOST, connect
from services.runtime.settings import SecretText, Settings
from services.runtime.topics import TopicUnavailableError, ensure_topics, ledger_topics
from services.supervisor.children import Child, ChildSpec, stop_together
from services.supervisor.database_logins import PROCESS_ROLES, VAULT_LOGIN, make_logins
from services.supervisor.embedded_kafka import EmbeddedKafka
from services.supervisor.embedded_postgres import EmbeddedPostgres
from services.supervisor.home import HomeInUseError, HomeLock, limit_logs
from services.supervisor.payment_secrets import payment_secrets
from services.supervisor.ports import PortTakenError, RememberedPorts, is_free
from services.supervisor.processes import OwnedProcess, ProcessFailedError
from services.supervisor.sandbox import Addresses, write_sandbox
from services.vault.errors import VaultError
from services.vault.schema import ensure_database
from services.vault.setup import prepare_vault

Server = EmbeddedPostgres | EmbeddedKafka
Say = Callable[[str], None]

_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to be shown, not listened on
"""Where this machine reaches itself, for who listens on every address."""
_VAULT_DATABASE = "vault"
_USES_VAULT = frozenset({"gateway", "scheduler"})
"""Nobody else is told where it is."""
_POLL_SECONDS = 0.2
_START_SECONDS = 120
_IMPATIENCE_SECONDS = 5
_HOUSEKEEPING_SECONDS = 10
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 15.0

_FRONT = {"gateway": ("gateway",), "intake": ("intake",)}
"""Who takes commands: first to stop."""
_PROVIDER = {"sandbox-provider": ("sandbox-provider",)}
"""Who takes payments, unless another provider is named. Customers wait for it."""
_BACKGROUND = {
    "relay": ("relay",),
    "projector-balances": ("projector", "balances"),
    "projector-transactions": ("projector", "transactions"),
    "projector-trial_balance": ("projector", "trial_balance"),
    "scheduler": ("scheduler",),
}
"""Whom nobody waits for: stands back a little, so that commands are answered first."""

_FAILURES = (
    *(DatabaseOutageError, HomeInUseError, MigrationError, PortTakenError, ProcessFailedError),
    *(TopicUnavailableError, VaultError, *LOST),
)


async def run(settings: Settings) -> int:
    """Run everything until cancelled. Returns 1, having said why, if it cannot start."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {text}", flush=True)

    home = settings.home.expanduser().resolve()
    try:
        with HomeLock(home):
            stack = Stack(msgspec.structs.replace(settings, home=home), say)
            try:
                await stack.start()
                await stack.watch()
            finally:
                # A second Ctrl-C must not leave half of it running.
                await asyncio.shield(stack.stop())
    except _FAILURES as error:
        print(f"ledger: {error}", flush=True)
        return 1


class Stack:
    """Everything that `ledger up` starts, on one LEDGER_HOME."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._settings = settings
        self._home = settings.home
        self._say = say
        self._ports = RememberedPorts(self._home)
        self._servers: list[Server] = []
        self._front: list[Child] = []
        self._background: list[Child] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._payments: dict[str, str] = {}
        self._logins: dict[str, str] = {}
        """The database's DSN of each process, where the server is our own."""

    async def start(self) -> None:
        """Start everything and wait until all of it is ready."""
        self._stop_leftovers()
        limit_logs(self._home, self._say)
        if not is_free(self._settings.http_port, self._settings.http_host):
            message = (
                f"port {self._settings.http_port} on {self._settings.http_host} is taken; "
                "choose another with LEDGER_HTTP_PORT"
            )
            raise PortTakenError(message)
        await self._look_at_databases()
        await self._start_servers()
        await self._prepare()
        self._start_children()
        await self._until_ready()
        self._say(
            f"ready: {self._url()} (documentation: /docs; "
            f"credentials: . {_shown(self._home / 'sandbox.env')}; "
            f"logs: {_shown(self._home / 'logs')}; Ctrl-C stops)"
        )

    async def watch(self) -> NoReturn:
        """Start again what dies, until cancelled."""
        self._tasks.extend(asyncio.create_task(self._keep_running(s)) for s in self._servers)
        async with aiohttp.ClientSession() as session:
            while True:
                # These never end by themselves: one that did must not fail in silence.
                ended, _ = await asyncio.wait(
                    self._tasks,
                    timeout=_HOUSEKEEPING_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in ended:
                    task.result()
                limit_logs(self._home, self._say)
                for child in self._children():
                    await child.reasons_not_ready(session)

    async def stop(self) -> None:
        """Stop everything that was started, in order."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not self._servers and not self._front:
            return
        self._say("stopping")
        await stop_together(self._front)
        await stop_together(self._background)
        for server in sorted(self._servers, key=_last_is_postgres):
            server.stop()
        self._say("stopped")

    def _stop_leftovers(self) -> None:
        """An earlier supervisor that was killed may have left processes behind."""
        for name in (*_FRONT, *_PROVIDER, *_BACKGROUND, "kafka"):
            if OwnedProcess(self._home, name).stop_leftover():
                self._say(f"stopped {name}, left over from an earlier start")

    async def _look_at_databases(self) -> None:
        """Those that are somebody else's, before anything is started."""
        settings, name = self._settings, "ledger-supervisor"
        if settings.database_url is not None:
            dsn = settings.require_database_url()
            await (await reach(dsn, name, "LEDGER_DATABASE_URL")).close()
        if settings.vault_database_url is not None:
            dsn = settings.require_vault_database_url()
            await (await reach(dsn, name, "LEDGER_VAULT_DATABASE_URL")).close()

    async def _start_servers(self) -> None:
        settings = self._settings
        kafka = EmbeddedKafka(self._home, jars=settings.kafka_jars, say=self._say)
        postgres = EmbeddedPostgres(self._home, account=settings.postgres_user, say=self._say)
        if settings.database_url is None:
            # Said before Kafka's first start, which takes seconds.
            postgres.check_prerequisites()
        if settings.kafka_bootstrap is None:
            self._say("Kafka: starting")
            self._launch(kafka)
        if settings.database_url is None:
            self._say("PostgreSQL: starting")
            self._launch(postgres)
        for server in self._servers:
            await self._until_up(server)
        self._settings = msgspec.structs.replace(
            settings,
            kafka_bootstrap=settings.kafka_bootstrap or kafka.bootstrap,
            database_url=settings.database_url or SecretText(postgres.dsn),
        )
        if postgres in self._servers and settings.vault_database_url is None:
            await ensure_database(postgres.dsn, _VAULT_DATABASE)
            vault_url = SecretText(postgres.dsn_of(_VAULT_DATABASE))
            self._settings = msgspec.structs.replace(self._settings, vault_database_url=vault_url)

    def _launch(self, server: Server) -> None:
        self._servers.append(server)
        server.launch()

    async def _until_up(self, server: Server) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not server.is_ready():
            if time.monotonic() > deadline:
                raise server.process.failure("did not get ready")
            await asyncio.sleep(_POLL_SECONDS)

    async def _prepare(self) -> None:
        database_url = self._settings.require_database_url()
        connection = await connect(database_url, "ledger-supervisor")
        try:
            for name in await apply_migrations(connection):
                self._say(f"schema: applied {name}")
            for said in await grant_if_possible(connection, LEDGER_ROLES):
                self._say(f"schema: {said}")
        finally:
            await connection.close()
        vault_url = self._settings.vault_database_url
        if vault_url is None:
            self._say("vault: left out, for LEDGER_VAULT_DATABASE_URL is not set")
        else:
            for said in await prepare_vault(self._settings, datetime.now(UTC)):
                self._say(f"vault: {said}")
        await self._make_logins()
        await ensure_topics(self._settings, ledger_topics(self._settings))
        await write_sandbox(
            self._home,
            Addresses(
                url=self._url(),
                kafka_bootstrap=self._settings.require_kafka_bootstrap(),
                database_url=database_url,
                vault_database_url=vault_url.expose() if vault_url else None,
            ),
        )

    async def _make_logins(self) -> None:
        """Let each process have a login of its own with a server of our own, and only that."""
        for server in self._servers:
            if isinstance(server, EmbeddedPostgres):
                self._logins = await make_logins(self._home, server.dsn, PROCESS_ROLES)
                vault_url = server.dsn_of(_VAULT_DATABASE)
                if self._settings.vault_database_url == SecretText(vault_url):
                    self._logins |= await make_logins(self._home, vault_url, VAULT_LOGIN)

    def _start_children(self) -> None:
        self._ports.remember("gateway", self._settings.http_port)
        front = dict(_FRONT)
        if self._settings.payment_provider_url is None:
            front |= _PROVIDER
            self._payments = self._provider_variables()
        self._say(f"starting {', '.join([*front, *_BACKGROUND])}")
        self._front = [self._child(name, words, 0) for name, words in front.items()]
        niceness = self._settings.background_nice
        self._background = [
            self._child(name, words, niceness) for name, words in _BACKGROUND.items()
        ]
        self._tasks.extend(asyncio.create_task(child.keep_running()) for child in self._children())

    def _provider_variables(self) -> dict[str, str]:
        """What the sandbox provider and the gateway are told of each other."""
        port = self._ports.take("sandbox-provider")
        return {
            "LEDGER_PAYMENT_PROVIDER_URL": self._url(port),
            "LEDGER_SANDBOX_PROVIDER_PORT": str(port),
            **payment_secrets(self._home),
        }

    def _vault_url(self) -> str:
        given = self._settings.vault_database_url
        return self._logins.get("vault") or (given.expose() if given else "")

    def _child(self, name: str, arguments: tuple[str, ...], niceness: int) -> Child:
        # These two show their health where they serve everything else.
        is_gateway, is_provider = name == "gateway", name in _PROVIDER
        environment = {
            "LEDGER_DATABASE_URL": self._settings.require_database_url(),
            "LEDGER_KAFKA_BOOTSTRAP": self._settings.require_kafka_bootstrap(),
            "LEDGER_VAULT_DATABASE_URL": self._vault_url() if name in _USES_VAULT else "",
            "LEDGER_HEALTH_PORT": "0",
        }
        if self._logins:
            # Who needs no database is told of none, and nobody of the superuser's login.
            environment["LEDGER_DATABASE_URL"] = self._logins.get(name, "")
        if name in self._logins:
            environment[f"LEDGER_DATABASE_URL_{arguments[0].upper()}"] = ""
        if is_gateway or is_provider:
            url = self._url() if is_gateway else self._payments["LEDGER_PAYMENT_PROVIDER_URL"]
            public_url = self._settings.public_url or self._url()
            environment |= {"LEDGER_PUBLIC_URL": public_url, **self._payments}
        else:
            port = self._ports.take(name)
            url = _url_of(self._settings.health_host, port)
            environment["LEDGER_HEALTH_PORT"] = str(port)
        spec = ChildSpec(
            name=name,
            arguments=arguments,
            url=url,
            environment=environment,
            niceness=niceness,
        )
        return Child(self._home, spec, self._say)

    async def _until_ready(self) -> None:
        waiting = self._children()
        impatient_at = time.monotonic() + _IMPATIENCE_SECONDS
        async with aiohttp.ClientSession() as session:
            while waiting:
                reasons = {child: await child.reasons_not_ready(session) for child in waiting}
                waiting = [child for child, why in reasons.items() if why]
                if waiting and time.monotonic() > impatient_at:
                    impatient_at = time.monotonic() + _IMPATIENCE_SECONDS
                    shown = "; ".join(f"{c.name}: {', '.join(reasons[c])}" for c in waiting)
                    self._say(f"waiting for {shown}")
                await asyncio.sleep(_POLL_SECONDS if waiting else 0)

    async def _keep_running(self, server: Server) -> None:
        """Start a server again whenever it has ended."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            if server.process.is_running():
                continue
            self._say(f"{server.process.failure('ended')}\n  starting it again")
            try:
                server.launch()
                await self._until_up(server)
                pause = _FIRST_PAUSE_SECONDS
            except (ProcessFailedError, OSError) as error:
                self._say(str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _children(self) -> list[Child]:
        return [*self._front, *self._background]

    def _url(self, port: int | None = None) -> str:
        """Where the gateway is, or who else listens on the same address."""
        return _url_of(self._settings.http_host, port or self._settings.http_port)


def _url_of(host: str, port: int) -> str:
    return f"http://{host_in_url(_HERE.get(host, host))}:{port}"


def _last_is_postgres(server: Server) -> bool:
    return isinstance(server, EmbeddedPostgres)


def _shown(path: Path) -> str:
    """A path as a person would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
