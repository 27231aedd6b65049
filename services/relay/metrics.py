"""What the relay tells Prometheus."""

from prometheus_client import Counter, Gauge

PUBLISHED_POSITION = Gauge(
    "ledger_relay_published_position", "Everything up to this position is in Kafka."
)
HEAD_POSITION = Gauge("ledger_relay_log_head_position", "The newest position of the log.")
LAG_EVENTS = Gauge("ledger_relay_lag_events", "Events of the log that are not in Kafka yet.")
LAG_SECONDS = Gauge("ledger_relay_lag_seconds", "How long the oldest unpublished event has waited.")
PUBLISHED = Counter("ledger_relay_published_events", "Events that Kafka has acknowledged.")
IS_LEADER = Gauge("ledger_relay_is_leader", "1 while this process is the active relay.")
SEND_FAILURES = Counter(
    "ledger_relay_send_failures", "Failures of Kafka after which publishing started again."
)
