"""What the command processor counts, for Prometheus, and a processor that is watched by it."""

from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from ledger.command_handling.batch import Plan
from ledger.command_handling.environment import Environment
from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.rules import Rules
from ledger.event_log.interface import EventLog


class ProcessorMetrics:
    """One set per process; `registry` is the process's own unless a test brings another."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.commands = Counter(
            "ledger_commands", "Commands settled.", ["outcome"], registry=registry
        )
        self.batch_commands = Histogram(
            "ledger_batch_commands",
            "Commands per batch.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "ledger_batch_seconds",
            "From taking a batch until its durable append.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )
        self.head_position = Gauge(
            "ledger_head_position", "Newest position this process has seen.", registry=registry
        )
        self.lost_races = Counter(
            "ledger_lost_races", "Batches that lost a race to another writer.", registry=registry
        )
        self.waiting_commands = Gauge(
            "ledger_waiting_commands", "Commands that wait for a batch.", registry=registry
        )
        self.settling_seconds = Gauge(
            "ledger_settling_seconds",
            "How long the batch under way has taken so far; 0 if there is none.",
            registry=registry,
        )
        self.unclear_commits = Counter(
            "ledger_unclear_commits",
            "Appends that broke off after they were sent; each is looked up afterwards.",
            registry=registry,
        )
        self.poison_commands = Counter(
            "ledger_poison_commands", "Commands that the log refused; alarm.", registry=registry
        )
        self.clock_steps = Counter(
            "ledger_clock_steps", "Batches refused because the clock jumped.", registry=registry
        )
        self.divergences = Counter(
            "ledger_log_divergences", "Times the log was found replaced; alarm.", registry=registry
        )
        self._accepted = self.commands.labels("accepted")
        self._declined = self.commands.labels("declined")
        self._replayed = self.commands.labels("replayed")

    def lost_race(self) -> None:
        """Count a batch that another writer was ahead of."""
        self.lost_races.inc()

    def watch(self, waiting: Callable[[], int], settling_s: Callable[[], float]) -> None:
        """Show how many commands wait, and for how long, by asking at the moment of the reading."""
        self.waiting_commands.set_function(waiting)
        self.settling_seconds.set_function(settling_s)

    def commit_unclear(self) -> None:
        """Count an append that broke off after it was sent."""
        self.unclear_commits.inc()

    def poisoned(self) -> None:
        """Count a command that the log refused."""
        self.poison_commands.inc()

    def clock_stepped(self) -> None:
        """Count a batch refused for a jump of the clock."""
        self.clock_steps.inc()

    def diverged(self) -> None:
        """Count a log that was found replaced."""
        self.divergences.inc()

    def settled(self, plan: Plan, seconds: float) -> None:
        """Count one batch."""
        replayed = sum(settled.replayed for settled in plan.settled)
        declined = sum(
            settled.result.status == "declined" and not settled.replayed for settled in plan.settled
        )
        self._replayed.inc(replayed)
        self._declined.inc(declined)
        self._accepted.inc(len(plan.settled) - replayed - declined)
        self.batch_commands.observe(len(plan.settled))
        self.batch_seconds.observe(seconds)
        if plan.append is not None:
            self.head_position.set(plan.append.head.last_position)


def observed_processor(
    log: EventLog, environment: Environment, rules: Rules, registry: CollectorRegistry = REGISTRY
) -> CommandProcessor:
    """A processor, not started yet, whose counts are in the registry."""
    metrics = ProcessorMetrics(registry)
    processor = CommandProcessor(log, environment, observer=metrics, rules=rules)
    metrics.watch(lambda: processor.waiting_commands, lambda: processor.patience.settling_s)
    return processor
