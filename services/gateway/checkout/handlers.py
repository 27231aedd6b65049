"""The calls that a customer's browser makes. The top-up's id is all that it has to show."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from ledger.command_handling.errors import CommandHandlingError, PoisonCommandError
from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.submission import Submission
from schemas.commands import CancelTopup
from services.gateway.answers import Answer, header
from services.gateway.calls import Call
from services.gateway.checkout.landing import landing_url
from services.gateway.checkout.pages import (
    Link,
    message_page,
    not_paid_here_page,
    over_page,
    pay_page,
    waiting_page,
)
from services.gateway.checkout.shown_topup import ShownTopup, ShownTopups
from services.gateway.checkout.watch import Watch
from services.gateway.patience import Clock
from services.gateway.payments.callbacks import callback_path
from services.gateway.payments.metrics import PaymentMetrics
from services.gateway.payments.provider import PaymentWish, ProviderUnavailableError
from services.gateway.payments.providers import PaymentProviders
from services.gateway.problems import ReadModelBehindError, ReadsUnavailableError
from services.gateway.routing import RouteTable

_LOOKS_BEFORE_LEAVING: Final = 3
_LOOKS_SHOWN: Final = 30
_LONGEST_NAME: Final = 255
_REFRESH_SECONDS: Final = 2
_NO_STORE: Final = header("Cache-Control", "no-store") + header("Referrer-Policy", "no-referrer")
_AWAY: Final = (
    CommandHandlingError,
    ProviderUnavailableError,
    ReadModelBehindError,
    ReadsUnavailableError,
)

_log = structlog.get_logger(__name__)

Handler = Callable[[Call, ShownTopup], Awaitable[Answer]]


class Checkout:
    """Handlers. Where something cannot be reached they say so, and nothing is lost."""

    def __init__(
        self,
        *,
        topups: ShownTopups,
        providers: PaymentProviders,
        processor: CommandProcessor,
        metrics: PaymentMetrics,
        clock: Clock,
        public_url: str,
    ) -> None:
        self._topups = topups
        self._providers = providers
        self._processor = processor
        self._metrics = metrics
        self._clock = clock
        self._public_url = public_url
        self._watch = Watch(topups.find, clock)
        self._asked: dict[str, asyncio.Task[bool]] = {}

    def add_to(self, routes: RouteTable[Call]) -> None:
        """Add every route."""
        for method, pattern, handler in (
            ("GET", "/checkout/*", self.show),
            ("POST", "/checkout/*/pay", self.pay),
            ("POST", "/checkout/*/cancel", self.cancel),
            ("GET", "/checkout/*/return", self.come_back),
        ):
            routes.add(method, pattern, self._of_topup(handler), scope=None)

    async def show(self, _: Call, topup: ShownTopup) -> Answer:
        """`GET /checkout/:id`: the page to pay or cancel, or what became of it."""
        if topup.is_over:
            return over_page(topup)
        provider = self._providers.of(topup.environment)
        return (
            not_paid_here_page(topup) if provider is None else pay_page(topup, provider.page_origin)
        )

    async def pay(self, _: Call, topup: ShownTopup) -> Answer:
        """`POST /checkout/:id/pay`: 303 to the provider's page; each time to the same session."""
        if topup.is_over:
            return self._see(self._url(topup))
        provider = self._providers.of(topup.environment)
        if provider is None:
            return not_paid_here_page(topup)
        session = await provider.open_session(
            PaymentWish(
                topup_id=topup.view.id,
                amount=topup.view.amount,
                currency=topup.view.currency,
                # A name has no limit here, and one at the provider.
                merchant=topup.merchant[:_LONGEST_NAME],
                description=topup.view.description,
                return_url=self._url(topup, "/return"),
                callback_url=self._public_url + callback_path(provider),
                expires_at=topup.view.expires_at,
            )
        )
        return self._see(self._url(topup, "/return") if session.is_paid else session.url)

    async def cancel(self, call: Call, topup: ShownTopup) -> Answer:
        """`POST /checkout/:id/cancel`: 303 to the merchant.

        First it is made sure that the provider takes no payment any more.
        """
        if topup.is_over:
            return self._see(self._url(topup))
        if not await self._providers.stop_taking(topup.environment, topup.view.id):
            return self._see(self._url(topup, "/return"))
        settled = await self._processor.submit(
            Submission(
                tenant_id=topup.tenant_id,
                command=CancelTopup(topup_id=topup.view.id),
                # Anybody may ask, and often: it is decided, and recorded, once.
                command_id=f"checkout-cancel/{topup.view.id}",
                who="customer",
                correlation_id=call.correlation_id,
            )
        )
        if settled.result.rejection is not None:
            # It has just ended otherwise; its page says how.
            return self._see(self._url(topup))
        return self._see(landing_url(topup.view, "cancelled"))

    async def come_back(self, call: Call, topup: ShownTopup) -> Answer:
        """`GET /checkout/:id/return`: 303 to the merchant, once it is known how it ended."""
        latest = await self._watch.once_over(topup)
        if latest.is_over and not await self._is_paid_all_the_same(call, latest):
            return self._see(landing_url(latest.view, latest.status))
        (look_text,) = call.query("look")
        is_number = look_text is not None and look_text.isascii() and look_text.isdigit()
        look = min(int(look_text[:3]), _LOOKS_SHOWN) if look_text and is_number else 0
        return waiting_page(
            latest,
            again=f"return?look={min(look + 1, _LOOKS_SHOWN)}",
            pause_seconds=_REFRESH_SECONDS if look < _LOOKS_SHOWN else 10 * _REFRESH_SECONDS,
            may_leave=look >= _LOOKS_BEFORE_LEAVING,
        )

    async def _is_paid_all_the_same(self, call: Call, topup: ShownTopup) -> bool:
        """Whether the customer has paid for what was cancelled or expired meanwhile.

        Such a payment is credited when it is told; until then it is not to be said that there
        was none. Where the provider does not say, what the ledger knows has to do.
        """
        if topup.status not in {"cancelled", "expired"}:
            return False
        topup_id = topup.view.id
        asked = self._asked.get(topup_id)
        if asked is None:
            # One question for all browsers that come meanwhile.
            asked = asyncio.create_task(self._providers.stop_taking(topup.environment, topup_id))
            self._asked[topup_id] = asked
            asked.add_done_callback(lambda _: self._asked.pop(topup_id))
        try:
            return not await asyncio.shield(asked)
        except ProviderUnavailableError as error:
            self._note(call, error)
            return False

    def _see(self, url: str) -> Answer:
        """303. The back button is not to show what the customer leaves as it was.

        Chromium keeps even what must not be stored, unless a cookie has changed meanwhile; so
        one does, which says nothing.
        """
        moment = f"left={self._clock.monotonic():.6f}"
        cookie = header("Set-Cookie", f"{moment}; Path=/; HttpOnly; SameSite=Lax")
        return Answer(303, header("Location", url) + cookie + _NO_STORE)

    def _url(self, topup: ShownTopup, rest: str = "") -> str:
        return f"{self._public_url}/checkout/{topup.view.id}{rest}"

    def _of_topup(self, handler: Handler) -> Callable[[Call], Awaitable[Answer]]:
        """The handler of a call, which gets the top-up that the path names."""

        async def answer(call: Call) -> Answer:
            try:
                topup_id = call.parameters[0]
                topup = self._watch.seen(topup_id) if handler == self.come_back else None
                topup = topup or await self._topups.find(topup_id)
                if topup is None:
                    return _not_found()
                return await handler(call, topup)
            except PoisonCommandError:
                raise
            except _AWAY as error:
                self._note(call, error)
                return _try_again(self._public_url, call.parameters[0])

        return answer

    def _note(self, call: Call, error: Exception) -> None:
        if isinstance(error, ProviderUnavailableError):
            self._metrics.provider_failures.inc()
        _log.warning("checkout_failed", request_id=call.request_id, error=repr(error))


def _not_found() -> Answer:
    text = "There is nothing to pay under this address. Check it, or ask who sent it to you."
    return message_page(404, "Not found", text)


def _try_again(public_url: str, topup_id: str) -> Answer:
    text = "This cannot be done at the moment. Nothing was lost: please try again shortly."
    # The id comes from the path: as part of a URL it must not be more than a segment.
    url = f"{public_url}/checkout/{topup_id}"
    return message_page(503, "Please try again", text, links=[Link(url, "Try again")])
