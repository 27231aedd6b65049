"""One run from beginning to end: every phase in order, each figure into the report."""

from msgspec import Struct

from benchmarks import machine
from benchmarks.bench import Bench
from benchmarks.figures import Figure, at_least, at_most, times
from benchmarks.load import Generator
from benchmarks.measurement import Say
from benchmarks.money import close_books, verify
from benchmarks.phases import database, debits, reads
from benchmarks.phases.catching_up import catching_up
from benchmarks.phases.commands import settle_backlog
from benchmarks.phases.database import Appending
from benchmarks.phases.movements import movements
from benchmarks.phases.visibility import visibility
from benchmarks.plan import Plan
from benchmarks.processes import resident_mb
from benchmarks.progress import PROJECTIONS, Progress, watching
from benchmarks.report import Report
from benchmarks.stack import PROCESSES, Stack
from benchmarks.wallets import open_wallets

_INDEX = "events_by_id"
_DATABASE = "the database alone"
_COMMANDS = "commands"
_FOLLOWING = "following the log"
_CPU = "CPU per debit over HTTP"
_MEMORY = "resident memory at the end"

_LONGEST_AGEING_SECONDS = 240


class _Yardsticks(Struct, frozen=True, kw_only=True):
    """What others are held against."""

    tpcb: Figure
    append: Figure
    append_of_commands: Figure
    """With the commands' ids, which those over Kafka have."""
    append_large: Figure


async def run(stack: Stack, plan: Plan, report: Report, say: Say) -> None:
    """Measure everything on a stack that has just been started. Raises `MeasurementError`."""
    async with watching(stack) as progress:
        report.machine = await machine.describe(stack.home, progress)
        if report.machine.forgets:
            say(f"NOTE: {stack.home} lies in memory; durability costs nothing here")
        pids = stack.pids()
        yardsticks = await _database(stack, plan, report, say)
        bench = await _prepare(stack, plan, progress, say)
        burst, cpu_in_burst = await _burst(bench, report, yardsticks)
        sustained = await _sustained(bench, report, yardsticks, burst, cpu_in_burst)
        accepted = await _through_kafka(bench, report, yardsticks)
        await _movements(bench, report, yardsticks)
        await _reads(bench, report, burst)
        await _visibility(bench, report, sustained.value / 2)
        await _latency(bench, report, burst.value / 2)
        accepted += await _catching_up(bench, report)
        await _memory(bench, report, burst)
        say("adding up the money")
        report.books = await close_books(bench, accepted)
        say("ledger verify")
        report.verdict = await verify(bench)
        report.restarted = [name for name, pid in stack.pids().items() if pids[name] != pid]


async def _database(stack: Stack, plan: Plan, report: Report, say: Say) -> _Yardsticks:
    say(f"pgbench, -s {plan.pgbench_scale} -c {plan.pgbench_clients}")
    tpcb = Figure(
        key="pgbench_tpcb",
        name="pgbench, TPC-B-like",
        value=await database.pgbench_tps(stack, plan),
        unit="tps",
    )
    say(f"  {tpcb.value:,.0f} tps; appends")
    report.add(_DATABASE, tpcb)
    few, many = plan.events_per_append, plan.events_per_large_append
    seconds, more_seconds = plan.append_seconds, plan.more_append_seconds
    appendings = {
        # An event and its reference: what a debit writes that has no Idempotency-Key.
        "append": ("", Appending(events=few, seconds=seconds)),
        "append_of_commands": (
            ", each with a command id",
            Appending(events=few, seconds=more_seconds, with_command_ids=True),
        ),
        "append_without_index": (
            f" without the index {_INDEX}",
            Appending(events=few, seconds=more_seconds, without_index=_INDEX),
        ),
        "append_large": ("", Appending(events=many, seconds=more_seconds)),
    }
    found = {}
    for key, (what, appending) in appendings.items():
        name = f"appends of {appending.events:,} events{what}"
        value = await database.appended_events_per_second(stack, appending)
        note = "one connection; an event, its reference" + (
            " and its command id" if appending.with_command_ids else ""
        )
        found[key] = Figure(key=key, name=name, value=value, unit="events/s", note=note)
        say(f"  {name}: {value:,.0f} events/s")
        report.add(_DATABASE, found[key])
    return _Yardsticks(
        tpcb=tpcb,
        append=found["append"],
        append_of_commands=found["append_of_commands"],
        append_large=found["append_large"],
    )


async def _prepare(stack: Stack, plan: Plan, progress: Progress, say: Say) -> Bench:
    say(f"opening {plan.wallets:,} wallets")
    wallets = await open_wallets(stack, plan.wallets)
    generator = Generator(stack, plan)
    bench = Bench(
        plan=plan, stack=stack, wallets=wallets, generator=generator, progress=progress, say=say
    )
    say("warming up")
    await generator.run("debit", wallets.spread, seconds=plan.warm_up_seconds)
    await progress.until_caught_up()
    return bench


async def _burst(
    bench: Bench, report: Report, yardsticks: _Yardsticks
) -> tuple[Figure, dict[str, float]]:
    wallets = bench.wallets
    bench.say(f"burst of debits over {len(wallets.spread):,} wallets")
    before = machine.cpu_ticks()
    spread = await debits.burst(bench, wallets.spread)
    report.usage_in_burst = machine.usage_since(before)
    burst = Figure(
        key="http_debits_burst",
        name="HTTP debits, burst",
        value=spread.load.per_second,
        unit="/s",
        target=times(2, yardsticks.tpcb, "TPC-B"),
        note=f"p50 {spread.load.p50_ms:.1f} ms, p99 {spread.load.p99_ms:.1f} ms",
    )
    bench.say(f"  {burst.value:,.0f}/s; burst on one wallet")
    one = await debits.burst(bench, [wallets.hot])
    hot = Figure(
        key="http_debits_one_wallet",
        name="HTTP debits, one hot wallet",
        value=one.load.per_second,
        unit="/s",
        target=times(0.9, burst, "spread out"),
        note=f"p50 {one.load.p50_ms:.1f} ms, p99 {one.load.p99_ms:.1f} ms",
    )
    bench.say(f"  {hot.value:,.0f}/s")
    report.add(_COMMANDS, burst, hot)
    generator_us = spread.load.generator_cpu_seconds * 1e6 / spread.load.answered
    return burst, {**spread.cpu_us_per_command, "wrk": generator_us}


async def _sustained(
    bench: Bench,
    report: Report,
    yardsticks: _Yardsticks,
    burst: Figure,
    cpu_in_burst: dict[str, float],
) -> Figure:
    bench.say("the rate that the read models follow within a second")
    found = await debits.sustained(bench, burst.value)
    report.probes = found.probes
    last = found.probes[-1]
    most = max(last.most_lag_seconds.values())
    figure = Figure(
        key="http_debits_sustained",
        name="HTTP debits, sustained",
        value=found.per_second,
        unit="/s",
        target=times(1.2, yardsticks.tpcb, "TPC-B"),
        note=f"at most {most:.2f} s behind in {last.seconds} s"
        + ("" if last.held else f": {last.load.per_second:,.0f}/s did not last"),
    )
    report.add(_COMMANDS, figure)
    load = last.load
    cpu = {
        **found.cpu_us_per_command,
        "wrk": load.generator_cpu_seconds * 1e6 / max(load.answered, 1),
    }
    for name in (*PROCESSES, "wrk"):
        report.add(_CPU, _cpu_figure(name, cpu_in_burst[name], cpu[name]))
    report.add(_CPU, _cpu_figure("all", sum(cpu_in_burst.values()), sum(cpu.values())))
    return figure


def _cpu_figure(name: str, burst_us: float, sustained_us: float) -> Figure:
    return Figure(
        key=f"cpu_{name}",
        name=name,
        value=burst_us,
        unit="µs",
        note=f"sustained: {sustained_us:,.1f} µs",
    )


async def _through_kafka(bench: Bench, report: Report, yardsticks: _Yardsticks) -> int:
    bench.say(f"{bench.plan.commands:,} commands through Kafka")
    async with bench.counting_cpu() as cpu:
        settled = await settle_backlog(bench, bench.plan.commands, "bench-command-")
    cost_us = cpu.microseconds_per(settled.accepted)
    bench.say(f"  {settled.per_second:,.0f}/s")
    figure = Figure(
        key="kafka_commands",
        name="commands through Kafka",
        value=settled.per_second,
        unit="/s",
        target=times(0.3, yardsticks.append, "appends"),
        note=f"{settled.per_second / yardsticks.append_of_commands.value:.2f} of the appends with "
        f"command ids; CPU each: intake {cost_us['intake']:.0f} µs, "
        f"postgres {cost_us['postgres']:.0f} µs",
    )
    report.add(_COMMANDS, figure)
    return settled.accepted


async def _movements(bench: Bench, report: Report, yardsticks: _Yardsticks) -> None:
    size = bench.plan.commands_per_batch
    bench.say("holds, each placed and captured; transfers; batches")
    holds = await movements(bench, "hold")
    transfers = await movements(bench, "transfer")
    batches = await movements(bench, "batch")
    figures = [
        Figure(
            key="http_holds",
            name="holds, placed and captured",
            value=holds.captured / holds.seconds,
            unit="pairs/s",
            note=f"p50 {holds.p50_ms:.1f} ms, p99 {holds.p99_ms:.1f} ms of each call",
        ),
        Figure(
            key="http_transfers",
            name="transfers",
            value=transfers.per_second,
            unit="/s",
            note=f"p50 {transfers.p50_ms:.1f} ms, p99 {transfers.p99_ms:.1f} ms",
        ),
        Figure(
            key="http_batches",
            name=f"debits in batches of {size:,}",
            value=size * batches.per_second,
            unit="/s",
            target=times(0.4, yardsticks.append_large, f"appends of {size:,}"),
            note=f"p50 {batches.p50_ms:.0f} ms, p99 {batches.p99_ms:.0f} ms of each batch, "
            f"{bench.plan.batch_connections} at a time",
        ),
    ]
    for figure in figures:
        bench.say(f"  {figure.name}: {figure.value:,.0f} {figure.unit}")
    report.add(_COMMANDS, *figures)


async def _reads(bench: Bench, report: Report, burst: Figure) -> None:
    bench.say("GET of a wallet")
    load = await reads.wallet_reads(bench)
    bench.say(f"  {load.per_second:,.0f}/s")
    figure = Figure(
        key="get_wallet",
        name="GET of a wallet",
        value=load.per_second,
        unit="/s",
        target=times(1, burst, "burst"),
        note=f"p50 {load.p50_ms:.1f} ms, p99 {load.p99_ms:.1f} ms",
    )
    report.add(_COMMANDS, figure)


async def _visibility(bench: Bench, report: Report, per_second: float) -> None:
    # Where no rate lasted, something is still to be learned at a rate that nobody would mind.
    per_second = per_second or 500
    bench.say(f"acknowledged to visible, at {per_second:,.0f}/s")
    found = await visibility(bench, per_second)
    for place, delay in found.delays.items():
        bench.say(f"  {place}: p50 {delay.p50_ms:.1f} ms, p99 {delay.p99_ms:.1f} ms")
        figure = Figure(
            key=f"visible_{place.lower()}_p99",
            name=f"acknowledged to visible in {place}, p99",
            value=delay.p99_ms,
            unit="ms",
            target=at_most(100) if place in PROJECTIONS else None,
            note=f"p50 {delay.p50_ms:.1f} ms, at {found.load.per_second:,.0f}/s",
        )
        report.add(_FOLLOWING, figure)


async def _latency(bench: Bench, report: Report, per_second: float) -> None:
    bench.say(f"latency of a debit at {per_second:,.0f}/s")
    load = await debits.at_rate(bench, per_second)
    bench.say(f"  p50 {load.p50_ms:.1f} ms, p99 {load.p99_ms:.1f} ms")
    figure = Figure(
        key="debit_latency_p99",
        name="a debit at half the burst rate, p99",
        value=load.p99_ms,
        unit="ms",
        target=at_most(25),
        note=f"p50 {load.p50_ms:.1f} ms, at {load.per_second:,.0f}/s",
    )
    report.add(_COMMANDS, figure)


async def _catching_up(bench: Bench, report: Report) -> int:
    bench.say(f"catching up with {bench.plan.backlog:,} events")
    found = await catching_up(bench)
    paces = {"relay": found.relay, **{f"projector {k}": v for k, v in found.projectors.items()}}
    for name, pace in paces.items():
        bench.say(f"  {name}: {pace:,.0f} events/s")
        figure = Figure(
            key=f"catching_up_{name.replace(' ', '_')}",
            name=f"{name}, catching up",
            value=pace,
            unit="events/s",
            target=at_least(50_000 if name == "relay" else 20_000),
        )
        report.add(_FOLLOWING, figure)
    return found.backlog.accepted


async def _memory(bench: Bench, report: Report, burst: Figure) -> None:
    """Let the gateway settle as many commands as were planned, then look at everyone."""
    generator = bench.generator
    missing = bench.plan.gateway_commands - generator.debits.acknowledged
    if missing > 0:
        seconds = min(int(missing / burst.value) + 1, _LONGEST_AGEING_SECONDS)
        bench.say(f"{missing:,} more debits, for the gateway's memory")
        await generator.run("debit", bench.wallets.spread, seconds=seconds)
        await bench.progress.until_caught_up()
    head = await bench.progress.head()
    for name, megabytes in resident_mb(bench.stack.pids()).items():
        is_gateway = name == "gateway"
        figure = Figure(
            key=f"memory_{name}",
            name=name,
            value=megabytes,
            unit="MB",
            target=at_most(200) if is_gateway else None,
            note=f"after {generator.debits.acknowledged:,} debits by it, {head:,} events in all"
            if is_gateway
            else "",
        )
        report.add(_MEMORY, figure)
