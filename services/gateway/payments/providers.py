"""Which provider takes payments for whom. Live has none yet: a real one is made and added here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, assert_never

import aiohttp
import structlog
from msgspec import Struct

from ledger.tenants import Environment
from services.gateway.payments.provider import PaymentProvider, ProviderUnavailableError
from services.gateway.payments.sandbox import SandboxProvider
from services.runtime.settings import SecretText, Settings

_SOON_SECONDS: Final = 2.0
_log = structlog.get_logger(__name__)


class PaymentSettings(Struct, frozen=True, kw_only=True):
    """Where the sandbox provider is, and what is shared with it."""

    provider_url: str
    api_key: SecretText
    callback_secret: SecretText


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

    async def stop_taking(self, environment: Environment, topup_id: str) -> bool:
        """See that a top-up is not paid for any more; False if it is paid already.

        Raises `ProviderUnavailableError`.
        """
        provider = self.of(environment)
        return provider is None or await provider.cancel_session(topup_id)

    async def try_to_stop_taking(self, environment: Environment, topup_id: str) -> None:
        """The same, as far as it can be had soon. A failure is logged only."""
        try:
            async with asyncio.timeout(_SOON_SECONDS):
                await self.stop_taking(environment, topup_id)
        except (ProviderUnavailableError, TimeoutError) as error:
            _log.warning("session_not_cancelled", topup_id=topup_id, error=repr(error))


@asynccontextmanager
async def payment_providers(settings: PaymentSettings | None) -> AsyncIterator[PaymentProviders]:
    """The providers that are set up, with the connections that they need."""
    if settings is None:
        yield PaymentProviders()
        return
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as client:
        sandbox = SandboxProvider(
            client,
            url=settings.provider_url,
            api_key=settings.api_key.expose(),
            callback_secret=settings.callback_secret.expose(),
        )
        yield PaymentProviders(sandbox=sandbox)
