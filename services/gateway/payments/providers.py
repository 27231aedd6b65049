"""Which provider takes payments for whom. Live has none yet: a real one is made and added here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_never

import aiohttp
from msgspec import Struct

from ledger.tenants import Environment
from services.gateway.payments.provider import PaymentProvider
from services.gateway.payments.sandbox import SandboxProvider
from services.runtime.settings import Settings


class PaymentSettings(Struct, frozen=True, kw_only=True):
    """Where the sandbox provider is, and what is shared with it."""

    provider_url: str
    api_key: str
    callback_secret: str


def payment_settings(settings: Settings) -> PaymentSettings | None:
    """What the settings say of payments; none where no provider is named.

    Raises `SettingsError` where one is named and a secret is missing.
    """
    if settings.payment_provider_url is None:
        return None
    api_key, callback_secret = settings.require_payment_secrets()
    return PaymentSettings(
        provider_url=settings.payment_provider_url,
        api_key=api_key,
        callback_secret=callback_secret,
    )


class PaymentProviders(Struct, frozen=True, kw_only=True):
    """The provider of each environment."""

    sandbox: PaymentProvider | None = None

    def of(self, environment: Environment) -> PaymentProvider | None:
        """Who takes payments for tenants of this environment."""
        match environment:
            case "sandbox":
                return self.sandbox
            case "live":
                return None
            case _:
                assert_never(environment)

    def is_available(self, environment: Environment) -> bool:
        """Whether somebody does."""
        return self.of(environment) is not None


@asynccontextmanager
async def payment_providers(settings: PaymentSettings | None) -> AsyncIterator[PaymentProviders]:
    """The providers that are set up, with the connections that they need."""
    if settings is None:
        yield PaymentProviders()
        return
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        sandbox = SandboxProvider(
            client,
            url=settings.provider_url,
            api_key=settings.api_key,
            callback_secret=settings.callback_secret,
        )
        yield PaymentProviders(sandbox=sandbox)
