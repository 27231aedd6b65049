"""What the sandbox provider tells Prometheus."""

from prometheus_client import Counter, Gauge

SESSIONS = Counter(
    "ledger_sandbox_provider_sessions", "Sessions requested, by whether one existed.", ["what"]
)
PAYMENTS = Counter(
    "ledger_sandbox_provider_payments", "Attempted payments, by the card's effect.", ["card"]
)
CALLBACKS = Counter(
    "ledger_sandbox_provider_callbacks", "Attempts to deliver a callback, by outcome.", ["outcome"]
)
WAITING = Gauge("ledger_sandbox_provider_waiting_callbacks", "Callbacks that are not sent yet.")
