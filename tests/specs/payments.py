"""A payment provider's side of a test: its secrets, its signed callbacks, and a listener."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from services.gateway.payments.providers import PaymentSettings
from services.runtime.settings import SecretText, Settings
from services.sandbox_provider.main import provider_on
from tests.specs.running_gateway import Reply, RunningGateway

API_KEY = "api-key"
CALLBACK_SECRET = "callback-secret"
_KEY = SecretText(API_KEY)
_SECRET = SecretText(CALLBACK_SECRET)
CALLBACKS = "/payments/sandbox/callbacks"


def payments_at(url: str) -> PaymentSettings:
    """What a gateway is told of the provider at this URL."""
    return PaymentSettings(provider_url=url, api_key=_KEY, callback_secret=_SECRET)


@asynccontextmanager
async def running_provider(home: Path) -> AsyncIterator[str]:
    """A sandbox provider in this process; its URL."""
    settings = Settings(home=home, payment_api_key=_KEY, payment_callback_secret=_SECRET)
    async with provider_on(settings, port=0) as (port, _):
        yield f"http://127.0.0.1:{port}"


def told(topup_id: str, **other: Any) -> dict[str, Any]:
    """The body of a callback that tells of a payment of 500 GHS."""
    return {
        "type": "payment.succeeded",
        "payment_id": "pay_1",
        "topup_id": topup_id,
        "amount": 500,
        "currency": "GHS",
        "created_at": "2026-11-22T02:00:00.000+00:00",
    } | other


async def send_callback(
    gateway: RunningGateway, body: object, *, secret: str = CALLBACK_SECRET, age: int = 0
) -> Reply:
    """Send a callback that was signed so many seconds ago."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    timestamp = str(int(time.time()) - age)
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + data, hashlib.sha256)
    headers = {
        "Provider-Timestamp": timestamp,
        "Provider-Signature": f"v1={digest.hexdigest()}",
    }
    return await gateway.call("POST", CALLBACKS, data=data, headers=headers, who=None)


class Listener:
    """Where callbacks are sent: answers what it is told to, and keeps what came."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = []
        """The statuses of the next answers; 200 where there is none."""
        self.came: list[tuple[str, str, bytes]] = []
        """Timestamp, signature and body of each."""

    async def take(self, request: web.Request) -> web.Response:
        """Take one callback."""
        headers = request.headers
        stamp = (headers["Provider-Timestamp"], headers["Provider-Signature"])
        self.came.append((*stamp, await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """A listener inside the block."""
    listener = Listener()
    application = web.Application()
    application.add_routes([web.post("/callbacks", listener.take)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callbacks"
        yield listener
    finally:
        await runner.cleanup()
