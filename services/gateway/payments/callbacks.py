"""Callbacks: what a payment provider tells becomes a command.

A 2xx means that it need not be told again. What the wallet could not take is recorded as
unapplied, and that is a 2xx as well.
"""

import asyncio
from collections.abc import Callable
from typing import Final, assert_never

import msgspec
import structlog

from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.submission import Submission
from schemas.commands import CancelTopup, CompleteTopup
from schemas.rejections import TopupUnknown
from services.gateway.answers import JSON, Answer
from services.gateway.calls import Call
from services.gateway.payments.metrics import PaymentMetrics
from services.gateway.payments.provider import (
    ForgedCallbackError,
    PaymentNews,
    PaymentProvider,
    UnreadableCallbackError,
)
from services.gateway.payments.providers import PaymentProviders
from services.gateway.payments.topups import FoundTopup, Topups
from services.gateway.problems import RefusedError
from services.gateway.requests import malformed, read_body
from services.gateway.routing import RouteTable

MAX_CALLBACK_BYTES: Final = 16 * 1024
MAX_READ_SECONDS: Final = 10.0
"""How long a callback's body may take to come."""
_log = structlog.get_logger(__name__)


def callback_path(provider: PaymentProvider) -> str:
    """Where a provider sends its callbacks."""
    return f"/payments/{provider.name}/callbacks"


def add_callbacks(
    routes: RouteTable[Call],
    providers: PaymentProviders,
    *,
    topups: Topups,
    processor: CommandProcessor,
    metrics: PaymentMetrics,
    now: Callable[[], float],
) -> None:
    """Add the route of each provider that is set up. `now` is in seconds since 1970."""
    if providers.sandbox is not None:
        callbacks = Callbacks(
            providers.sandbox,
            providers,
            topups=topups,
            processor=processor,
            metrics=metrics,
            now=now,
        )
        routes.add("POST", callback_path(providers.sandbox), callbacks.take, scope=None)


class Callbacks:
    """The callbacks of one provider."""

    def __init__(
        self,
        provider: PaymentProvider,
        providers: PaymentProviders,
        *,
        topups: Topups,
        processor: CommandProcessor,
        metrics: PaymentMetrics,
        now: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._providers = providers
        self._topups = topups
        self._processor = processor
        self._metrics = metrics
        self._now = now

    async def take(self, call: Call) -> Answer:
        """`POST /payments/:provider/callbacks`: 200 and what it came to.

        401 where it is not signed, 400 where it makes no sense, 404 where there is no such
        top-up, 403 where it is not this provider's.
        """
        headers = call.request.headers
        if not all(name in headers for name in self._provider.callback_headers):
            # Anybody may connect; for who does not even claim to sign nothing is kept.
            raise self._forged("it is not signed")
        body = await self._body_of(call)
        try:
            news = self._provider.read_callback(headers, body, self._now())
        except ForgedCallbackError as error:
            raise self._forged(str(error)) from error
        except UnreadableCallbackError as error:
            self._count("unreadable")
            raise malformed(str(error)) from error
        topup = await self._topups.find(news.topup_id)
        if topup is None:
            raise self._unknown()
        if self._providers.of(topup.environment) is not self._provider:
            self._count("not_its_own")
            raise RefusedError("forbidden", "the provider does not take this top-up's payments")
        outcome = await self._apply(call, topup, news)
        self._count(outcome)
        _log.info(
            "callback_taken",
            request_id=call.request_id,
            outcome=outcome,
            topup_id=news.topup_id,
            payment_id=news.payment_id,
        )
        return Answer(200, JSON, msgspec.json.encode({"outcome": outcome}))

    async def _body_of(self, call: Call) -> bytes:
        try:
            async with asyncio.timeout(MAX_READ_SECONDS):
                return await read_body(call.request, MAX_CALLBACK_BYTES)
        except TimeoutError:
            self._count("unreadable")
            detail = f"the body did not come within {MAX_READ_SECONDS:g} seconds"
            raise malformed(detail) from None

    async def _apply(self, call: Call, topup: FoundTopup, news: PaymentNews) -> str:
        match news.kind:
            case "succeeded":
                return await self._complete(call, topup, news)
            case "failed":
                # The customer may try again, so nothing has become of the top-up yet.
                return "failed"
            case "cancelled":
                return await self._cancel(call, topup)
            case _:
                assert_never(news.kind)

    async def _complete(self, call: Call, topup: FoundTopup, news: PaymentNews) -> str:
        assert news.payment_id is not None, "a payment has a name"
        command = CompleteTopup(
            topup_id=topup.topup_id,
            payment_id=news.payment_id,
            amount=news.amount,
            currency=news.currency,
        )
        settled = await self._processor.submit(self._submission(call, topup, command))
        if isinstance(settled.result.rejection, TopupUnknown):
            raise self._unknown()
        if settled.result.rejection is not None:
            return "unapplied"
        # A payment that was told before is accepted again, and makes no transaction.
        return "credited" if settled.result.transaction is not None else "known"

    async def _cancel(self, call: Call, topup: FoundTopup) -> str:
        command = CancelTopup(topup_id=topup.topup_id)
        # However often it is told, it is decided, and recorded, once.
        command_id = f"provider-cancel/{topup.topup_id}"
        await self._processor.submit(self._submission(call, topup, command, command_id))
        # One that is over already is none the less told.
        return "cancelled"

    def _submission(
        self,
        call: Call,
        topup: FoundTopup,
        command: CompleteTopup | CancelTopup,
        command_id: str | None = None,
    ) -> Submission:
        return Submission(
            tenant_id=topup.tenant_id,
            command=command,
            command_id=command_id,
            who=f"provider:{self._provider.name}",
            correlation_id=call.correlation_id,
        )

    def _forged(self, why: str) -> RefusedError:
        self._count("forged")
        return RefusedError(
            "unauthorized",
            f"the callback is refused: {why}",
            headers=(("WWW-Authenticate", "Provider-Signature"),),
        )

    def _unknown(self) -> RefusedError:
        self._count("unknown")
        return RefusedError("topup_not_found", "there is no such top-up")

    def _count(self, outcome: str) -> None:
        self._metrics.callbacks.labels(self._provider.name, outcome).inc()
