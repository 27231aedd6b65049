"""What the gateway counts of rate limits."""

from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter

Limited = Literal["calls", "commands", "failed_authentications"]
"""Of what there was too much: calls of a credential, commands in its batches, wrong credentials."""


class RateLimitMetrics:
    """Counters in a registry, for one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.limited = Counter(
            "ledger_gateway_rate_limited",
            "Requests that were answered 429, by the limit that they exceeded.",
            ["reason"],
            registry=registry,
        )
        self.failed_exchanges = Counter(
            "ledger_gateway_usage_exchange_failures",
            "Times that the use of credentials could not be shared with the other gateways.",
            registry=registry,
        )
        for reason in get_args(Limited):
            self.limited.labels(reason)

    def count_limited(self, reason: Limited) -> None:
        """Count a request that was refused."""
        self.limited.labels(reason).inc()
