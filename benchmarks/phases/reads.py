"""Looks at wallets over HTTP, while nothing changes: each shows all that was acknowledged."""

from benchmarks.bench import Bench
from benchmarks.load import LoadResult


async def wallet_reads(bench: Bench) -> LoadResult:
    """`GET /v1/wallets/:id` as fast as the connections go."""
    return await bench.generator.run("get", bench.wallets.spread, seconds=bench.plan.get_seconds)
