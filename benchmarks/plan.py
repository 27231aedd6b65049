"""The plan: how long everything is measured, in full or just to see that the bench works."""

from msgspec import Struct


class Plan(Struct, frozen=True, kw_only=True):
    """Durations and sizes of one run. The defaults are the full run, of about twelve minutes."""

    pgbench_scale: int = 10
    pgbench_clients: int = 32
    pgbench_seconds: int = 20
    append_seconds: float = 10
    events_per_append: int = 100
    more_append_seconds: float = 5
    """For each of the other yardsticks of the append."""
    events_per_large_append: int = 1_000
    connections: int = 64
    wallets: int = 10_000
    warm_up_seconds: int = 3
    burst_seconds: int = 15
    probes: int = 4
    probe_seconds: int = 20
    sustained_seconds: int = 60
    sustained_tries: int = 4
    commands: int = 150_000
    get_seconds: int = 10
    movement_seconds: int = 10
    """For holds, transfers and batches, each."""
    commands_per_batch: int = 1_000
    batch_connections: int = 4
    latency_seconds: int = 20
    visibility_seconds: int = 30
    visibility_probes_per_second: float = 30
    backlog: int = 220_000
    gateway_commands: int = 1_000_000
    """The gateway's memory is looked at when it has settled this many."""


FULL = Plan()
QUICK = Plan(
    pgbench_seconds=3,
    append_seconds=1,
    more_append_seconds=1,
    wallets=1_000,
    warm_up_seconds=1,
    burst_seconds=3,
    probes=1,
    probe_seconds=5,
    sustained_seconds=6,
    sustained_tries=2,
    commands=10_000,
    get_seconds=2,
    movement_seconds=3,
    latency_seconds=3,
    visibility_seconds=5,
    backlog=20_000,
    gateway_commands=0,
)
