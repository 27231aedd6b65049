"""What the intake counts, as Prometheus metrics of this process."""

from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from services.intake.messages import RefusalReason

CONSUMED = Counter("ledger_intake_consumed", "Messages read from the commands topic.")
RESULTS = Counter(
    "ledger_intake_results",
    "Results that Kafka acknowledged, by what the ledger answered.",
    ["status"],
)
REJECTED = Counter(
    "ledger_intake_rejected",
    "Messages that were sent to the rejected topic, by reason.",
    ["reason"],
)
REPLAYED = Counter(
    "ledger_intake_replayed", "Results that were sent again for a repeated command id."
)
RETRIES = Counter(
    "ledger_intake_retries", "Rounds of retries while something was away, by what.", ["what"]
)
LAG = Gauge("ledger_intake_lag", "Messages behind the end of the commands topic.", ["partition"])
BATCH_SECONDS = Histogram(
    "ledger_intake_batch_seconds",
    "From reading a batch of commands until its offsets are committed.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

# So that the first of each is seen to rise.
for reason in get_args(RefusalReason):
    REJECTED.labels(reason)
