"""What the gateway counts of payments."""

from prometheus_client import CollectorRegistry, Counter


class PaymentMetrics:
    """Counters in a registry, for one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.callbacks = Counter(
            "ledger_payment_callbacks",
            "Callbacks of payment providers, by outcome.",
            ["provider", "outcome"],
            registry=registry,
        )
        self.provider_failures = Counter(
            "ledger_payment_provider_failures",
            "Calls that a payment provider did not answer as agreed.",
            registry=registry,
        )
