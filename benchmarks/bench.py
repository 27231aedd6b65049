"""What the phases work with: one stack, its wallets, the load, and how far everything got."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from benchmarks.load import Generator
from benchmarks.measurement import Say
from benchmarks.plan import Plan
from benchmarks.processes import cpu_seconds
from benchmarks.progress import Progress
from benchmarks.stack import Stack
from benchmarks.wallets import Wallets


class CpuUse(Struct):
    """CPU seconds by process, filled in when the work that they are for is done."""

    seconds: dict[str, float] = {}

    def microseconds_per(self, commands: int) -> dict[str, float]:
        """Divided among the commands that it was spent on."""
        return {name: spent * 1e6 / max(commands, 1) for name, spent in self.seconds.items()}


class Bench(Struct, frozen=True, kw_only=True):
    """Everything that one run has at hand."""

    plan: Plan
    stack: Stack
    wallets: Wallets
    generator: Generator
    progress: Progress
    say: Say

    @asynccontextmanager
    async def counting_cpu(self) -> AsyncIterator[CpuUse]:
        """Count what is done within, and after it until the read models show all of it."""
        pids = self.stack.pids()
        before = cpu_seconds(pids)
        use = CpuUse()
        yield use
        await self.progress.until_caught_up()
        after = cpu_seconds(pids)
        use.seconds = {name: after[name] - before[name] for name in pids}
