"""What a projector tells Prometheus, and why it is not ready when it is not."""

from prometheus_client import Counter, Gauge, Histogram

APPLIED = Counter(
    "ledger_projector_applied_events", "Events that took effect on rows.", ["projection"]
)
DROPPED = Counter(
    "ledger_projector_dropped_events", "Events that had been folded before.", ["projection"]
)
FETCHED = Counter(
    "ledger_projector_fetched_events",
    "Events that Kafka did not deliver and the log had.",
    ["projection"],
)
LOST_CHECKPOINTS = Counter(
    "ledger_projector_lost_checkpoints",
    "Batches discarded because another process had the partition.",
    ["projection"],
)
CHECKPOINT_POSITION = Gauge(
    "ledger_projector_checkpoint_position", "The newest event that was folded.", ["projection"]
)
LAG_EVENTS = Gauge(
    "ledger_projector_lag_events",
    "The relay's published position minus the position up to which all is folded.",
    ["projection"],
)
BATCH_SECONDS = Histogram(
    "ledger_projector_batch_seconds",
    "From receiving a batch until its commit.",
    ["projection"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
TRIAL_BALANCE_DIFFERENCE = Gauge(
    "ledger_trial_balance_difference",
    "By how much debits and credits of all accounts differ, in minor units; alarm above 0.",
    ["currency"],
)
TRIAL_BALANCE_POSITION = Gauge(
    "ledger_trial_balance_position", "Everything up to this position is booked, for all wallets."
)
TRIAL_BALANCE_LAG = Gauge(
    "ledger_trial_balance_lag_events",
    "The newest position of the log minus the position up to which everything is booked.",
)


class Readiness:
    """Ready once it has caught up, for as long as it is connected and Kafka answers."""

    def __init__(self) -> None:
        self.connected = False
        self.caught_up = False
        self.doing = "starting"
        """What it is at, in words, while it is not ready."""
        self.silence: str | None = None
        """What Kafka does not tell although it is connected, in words."""

    def reasons(self) -> list[str]:
        """Why this process is not ready; empty if it is."""
        if not (self.connected and self.caught_up):
            return [self.doing]
        return [] if self.silence is None else [self.silence]
