"""Several gateways' rate limits on one clock, with a dict for the table through which they talk."""

from prometheus_client import CollectorRegistry

from ledger.tenants.limits import RateLimit
from services.gateway.authentication import Principal
from services.gateway.problems import RefusedError
from services.gateway.rate_limits.allowances import RateLimits
from services.gateway.rate_limits.metrics import RateLimitMetrics

KEY_ID = "key"


class HandClock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now


def principal(key_id: str, limit: RateLimit | None = None, used_units: int = 0) -> Principal:
    """Who calls by this credential."""
    return Principal(
        tenant_id="tenant",
        merchant_id="merchant",
        key_id=key_id,
        scopes=frozenset(),
        who=f"client:{key_id}",
        environment="sandbox",
        redirect_origins=frozenset(),
        rate_limit=limit,
        used_units=used_units,
    )


class GatewaysInMemory:
    """Gateways by number, and one credential with which all of them are called."""

    def __init__(self, count: int, limit: RateLimit) -> None:
        self.clock = HandClock()
        self.limits = [
            RateLimits(limit, self.clock.monotonic, RateLimitMetrics(CollectorRegistry()))
            for _ in range(count)
        ]
        self.table: dict[str, int] = {}

    def principal(self) -> Principal:
        """The credential as it would be read now."""
        return principal(KEY_ID, used_units=self.table.get(KEY_ID, 0))

    def call(self, gateway: int, times: int, caller: Principal | None = None) -> int:
        """Make calls; how many were let through."""
        let_through = 0
        for _ in range(times):
            try:
                self.limits[gateway].of(caller or self.principal()).take_call()
            except RefusedError:
                continue
            let_through += 1
        return let_through

    def batch(self, gateway: int, commands: int) -> int:
        """Send a batch; how many units were let through, that of the call too."""
        if not self.call(gateway, 1):
            return 0
        try:
            self.limits[gateway].of(self.principal()).take_commands(commands)
        except RefusedError:
            return 1
        return 1 + commands

    def exchange(self, gateway: int) -> None:
        """Tell and hear, as the statement on the table does."""
        report = self.limits[gateway].report()
        for used in report.used:
            self.table[used.key_id] = self.table.get(used.key_id, 0) + used.units
        keys = [*(used.key_id for used in report.used), *report.asked]
        self.limits[gateway].hear(report, {key: self.table.get(key, 0) for key in keys})
