"""The checkout's part of the route table: the customers' pages and the providers' callbacks."""

import time

from prometheus_client import CollectorRegistry

from ledger.command_handling.processor import CommandProcessor
from services.gateway.calls import Call
from services.gateway.checkout.handlers import Checkout
from services.gateway.checkout.shown_topup import ShownTopups
from services.gateway.database import Database
from services.gateway.patience import Clock
from services.gateway.payments.callbacks import add_callbacks
from services.gateway.payments.metrics import PaymentMetrics
from services.gateway.payments.providers import PaymentProviders
from services.gateway.payments.topups import Topups
from services.gateway.reads import Reads
from services.gateway.routing import RouteTable


def add_checkout(
    routes: RouteTable[Call],
    *,
    processor: CommandProcessor,
    database: Database,
    reads: Reads,
    providers: PaymentProviders,
    public_url: str,
    registry: CollectorRegistry,
    clock: Clock,
) -> None:
    """Add every route. `public_url` is where customers, and providers, reach this gateway."""
    metrics = PaymentMetrics(registry)
    topups = Topups(database)
    checkout = Checkout(
        topups=ShownTopups(topups, reads),
        providers=providers,
        processor=processor,
        metrics=metrics,
        clock=clock,
        public_url=public_url,
    )
    checkout.add_to(routes)
    add_callbacks(
        routes, providers, topups=topups, processor=processor, metrics=metrics, now=time.time
    )
