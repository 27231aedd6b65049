"""Holds, transfers and batches over HTTP, as fast as they go."""

from benchmarks.bench import Bench
from benchmarks.load import Kind, LoadResult


async def movements(bench: Bench, kind: Kind) -> LoadResult:
    """A burst of one kind over all wallets, until the read models show it."""
    seconds = bench.plan.movement_seconds
    load = await bench.generator.run(kind, bench.wallets.spread, seconds=seconds)
    if load.refused or load.broken:
        bench.say(f"  {load.refused} refused, {load.broken} broken")
    await bench.progress.until_caught_up()
    return load
