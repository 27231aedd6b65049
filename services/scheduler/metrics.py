"""What the scheduler tells Prometheus."""

import math

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED = Counter(
    "ledger_scheduler_published_commands",
    "Commands that lapse what is due, acknowledged by Kafka.",
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
OLDEST_SNAPSHOT_SECONDS = Gauge(
    "ledger_oldest_snapshot_seconds",
    "How long the oldest snapshot of the database has been held; alarm.",
)
# Not known is not none.
OLDEST_SNAPSHOT_SECONDS.set(math.nan)
REMOVED = Counter(
    "ledger_scheduler_removed_leftovers",
    "Leftovers removed from the vault, by kind.",
    ["what"],
)
FAILURES = Counter(
    "ledger_scheduler_failures", "Failures after which it reconnected, by what failed.", ["what"]
)
