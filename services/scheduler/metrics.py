"""What the scheduler tells Prometheus, and why it is not ready when it is not."""

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED = Counter(
    "ledger_scheduler_published_commands",
    "Commands to let lapse what is due, acknowledged by Kafka.",
)
LATENESS_SECONDS = Histogram(
    "ledger_scheduler_lateness_seconds",
    "From the moment that something was due to the command's publication.",
    buckets=(0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800, 3600),
)
OUTSTANDING = Gauge(
    "ledger_scheduler_outstanding_commands",
    "Commands whose effect the read model does not show yet.",
)
FAILURES = Counter(
    "ledger_scheduler_failures", "Failures after which it connected again, by what.", ["what"]
)


class Readiness:
    """Whether both connections are fine."""

    def __init__(self) -> None:
        self.postgres: str | None = "not connected yet"
        self.kafka: str | None = "not connected yet"

    def reasons(self) -> list[str]:
        """Why this process is not ready; empty if it is."""
        named = (("PostgreSQL", self.postgres), ("Kafka", self.kafka))
        return [f"{name}: {reason}" for name, reason in named if reason is not None]
