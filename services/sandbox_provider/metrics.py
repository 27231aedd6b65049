"""What the sandbox provider tells Prometheus."""

from prometheus_client import Counter, Gauge

SESSIONS = Counter(
    "ledger_sandbox_provider_sessions", "Sessions asked for, by whether there was one.", ["what"]
)
PAYMENTS = Counter(
    "ledger_sandbox_provider_payments", "Payments that were tried, by the card's effect.", ["card"]
)
CALLBACKS = Counter(
    "ledger_sandbox_provider_callbacks", "Attempts to tell of a payment, by outcome.", ["outcome"]
)
WAITING = Gauge("ledger_sandbox_provider_waiting_callbacks", "Callbacks that are still to be sent.")
