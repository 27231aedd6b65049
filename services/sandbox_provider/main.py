"""The sandbox provider's composition root: `ledger sandbox-provider`."""

import asyncio
import random
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp
import structlog
from aiohttp import web

from services.runtime.addresses import ListenError
from services.runtime.health import health_routes
from services.runtime.settings import Settings
from services.sandbox_provider.deliveries import Deliveries
from services.sandbox_provider.door import MAX_BODY_BYTES, Door, with_patience
from services.sandbox_provider.store import SessionStore

_SHUTDOWN_SECONDS: Final = 5.0
_log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Serve until cancelled. Raises `ListenError`; `SettingsError` where a secret is missing."""
    async with provider_on(settings, port=settings.sandbox_provider_port) as (port, deliveries):
        _log.info("sandbox_provider_ready", host=settings.http_host, port=port)
        await deliveries


@asynccontextmanager
async def provider_on(
    settings: Settings, *, port: int
) -> AsyncIterator[tuple[int, "asyncio.Task[None]"]]:
    """A provider that serves inside the block: its port (0: any free one), and its deliveries.

    Its memory is `sandbox-provider/sessions.sqlite` under LEDGER_HOME.
    """
    api_key, secret = settings.require_payment_secrets()
    folder = settings.home.expanduser() / "sandbox-provider"
    async with AsyncExitStack() as stack:
        store = SessionStore(folder / "sessions.sqlite")
        stack.callback(store.close)
        client = await stack.enter_async_context(aiohttp.ClientSession())
        chance = random.SystemRandom().random
        deliveries = Deliveries(store, client, secret.expose(), now=time.time, chance=chance)
        door = Door(
            store,
            api_key.expose(),
            now=time.time,
            random_hex=lambda: secrets.token_hex(16),
            wake=deliveries.wake,
        )
        application = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[with_patience])
        application.add_routes([*door.routes(), *health_routes(lambda: _problems(store))])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, settings.http_host, port).start()
        except OSError as error:
            named = "LEDGER_HTTP_HOST and LEDGER_SANDBOX_PROVIDER_PORT"
            raise ListenError(named, settings.http_host, port, error) from error
        sending: asyncio.Task[None] = asyncio.create_task(deliveries.run(), name="deliveries")
        stack.push_async_callback(_ended, sending)
        yield runner.addresses[0][1], sending


def _problems(store: SessionStore) -> list[str]:
    try:
        store.waiting()
    except sqlite3.Error as error:
        return [f"the sessions cannot be read: {error}"]
    return []


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
