"""What the gateway shows of the vault: whether it is open, and what could not be done with it."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge


class VaultMetrics:
    """A gauge and a counter in a registry, for one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge(
            "ledger_vault_open",
            "1 while the vault is open and its last use succeeded, else 0.",
            registry=registry,
        )
        self._failures = Counter(
            "ledger_vault_failures",
            "Times that the vault could not be opened or used; alarm.",
            registry=registry,
        )

    def watch(self, is_open: Callable[[], bool]) -> None:
        """Show whether it is open, by asking at the moment of the reading."""
        self._open.set_function(lambda: float(is_open()))

    def failed(self) -> None:
        """Count a use or an opening that failed."""
        self._failures.inc()
