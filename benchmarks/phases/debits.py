"""Debits over HTTP: as a burst, over many wallets and on one; and as fast as lasts.

What lasts is the largest rate at which both read models stay within one second of the log.
"""

import asyncio
import time

from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.load import LoadResult, Run
from benchmarks.measurement import MeasurementError

MOST_LAG_SECONDS = 1.0
_FIRST_SHARE = 0.6
_STEP_BACK = 0.93
_REACHED = 0.97
"""A rate counts as reached when this share of it was acknowledged."""
_SETTLING_SECONDS = 2.0
_SAMPLE_SECONDS = 0.1


class Burst(Struct, frozen=True, kw_only=True):
    """One burst, and what it cost until the read models had caught up."""

    load: LoadResult
    cpu_us_per_command: dict[str, float]


class Probe(Struct, frozen=True, kw_only=True):
    """One rate that was tried, and whether it lasted."""

    asked_per_second: float
    seconds: int
    load: LoadResult
    most_lag_seconds: dict[str, float]

    @property
    def held(self) -> bool:
        """Whether the rate was reached and both read models kept up."""
        reached = self.load.per_second >= _REACHED * self.asked_per_second
        return reached and max(self.most_lag_seconds.values()) <= MOST_LAG_SECONDS


class Sustained(Struct, frozen=True, kw_only=True):
    """The search for the rate that lasts; the last probe is the one that did, if any."""

    probes: list[Probe]
    cpu_us_per_command: dict[str, float]

    @property
    def per_second(self) -> float:
        """The acknowledged rate of the full time; 0 where no rate lasted."""
        last = self.probes[-1]
        return last.load.per_second if last.held else 0.0


async def burst(bench: Bench, wallets: list[str]) -> Burst:
    """Debits as fast as the connections go."""
    async with bench.counting_cpu() as cpu:
        load = await bench.generator.run("debit", wallets, seconds=bench.plan.burst_seconds)
    if load.refused or load.broken:
        bench.say(f"  {load.refused} refused, {load.broken} broken")
    return Burst(load=load, cpu_us_per_command=cpu.microseconds_per(load.acknowledged))


async def sustained(bench: Bench, burst_per_second: float) -> Sustained:
    """Narrow the rate down by short probes, then hold it for the full time."""
    plan = bench.plan
    probes = []
    lasting, too_much = 0.0, burst_per_second
    rate = _FIRST_SHARE * burst_per_second
    for _ in range(plan.probes):
        probe = await _probe(bench, rate, plan.probe_seconds)
        probes.append(probe)
        if probe.held:
            lasting = rate
        else:
            too_much = rate
        rate = (lasting + too_much) / 2
    rate = lasting or rate
    cpu_us_per_command: dict[str, float] = {}
    for _ in range(plan.sustained_tries):
        async with bench.counting_cpu() as cpu:
            probe = await _probe(bench, rate, plan.sustained_seconds)
        probes.append(probe)
        cpu_us_per_command = cpu.microseconds_per(probe.load.acknowledged)
        if probe.held:
            break
        rate *= _STEP_BACK
    return Sustained(probes=probes, cpu_us_per_command=cpu_us_per_command)


async def at_rate(bench: Bench, per_second: float) -> LoadResult:
    """The latency of debits at a rate."""
    load = await bench.generator.run(
        "debit", bench.wallets.spread, seconds=bench.plan.latency_seconds, per_second=per_second
    )
    await bench.progress.until_caught_up()
    return load


async def _probe(bench: Bench, rate: float, seconds: int) -> Probe:
    """Hold a rate, for as long as the read models keep up."""
    spread = bench.wallets.spread
    async with bench.generator.running("debit", spread, seconds=seconds, per_second=rate) as run:
        lag, load = await asyncio.gather(_most_lag(bench, run), run.finish())
    probe = Probe(asked_per_second=rate, seconds=seconds, load=load, most_lag_seconds=lag)
    shown = ", ".join(f"{name} {behind:.2f} s" for name, behind in sorted(lag.items()))
    bench.say(
        f"  {rate:,.0f}/s asked, {load.per_second:,.0f}/s acknowledged, most behind: {shown} "
        f"({'held' if probe.held else 'not held'})"
    )
    await bench.progress.until_caught_up()
    return probe


async def _most_lag(bench: Bench, run: Run) -> dict[str, float]:
    """The largest lag of each projection, until the run ends; a run that has failed is ended."""
    began = time.monotonic()
    most: dict[str, float] = {}
    while not run.is_over:
        await asyncio.sleep(_SAMPLE_SECONDS)
        if time.monotonic() - began < _SETTLING_SECONDS:
            continue
        for projection, seconds in (await bench.progress.lag_seconds()).items():
            most[projection] = max(most.get(projection, 0.0), seconds)
        if max(most.values()) > MOST_LAG_SECONDS:
            run.interrupt()
            return most
    if not most:
        raise MeasurementError("the load ended before the lag of the read models was looked at")
    return most
