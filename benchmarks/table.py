"""The table: the same rows for the terminal and for Markdown."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from benchmarks.figures import Figure, Target
from benchmarks.machine import Machine
from benchmarks.report import Report

_COLUMNS = ("figure", "value", "target", "ratio", "met", "")
_TIMES = "\N{MULTIPLICATION SIGN}"
_MOST_DIGITS = 6
_STYLES = {"yes": "bold green", "NO": "bold red"}


class Row(NamedTuple):
    """One line, as text."""

    name: str
    value: str
    target: str
    ratio: str
    met: str
    note: str


def terminal_table(report: Report) -> Table:
    """The table for a terminal."""
    table = Table(title="wallet ledger, measured in one run", title_justify="left")
    for column in _COLUMNS:
        table.add_column(column, justify="right" if column in {"value", "ratio"} else "left")
    for section in report.sections:
        table.add_section()
        table.add_row(Text(section.name, style="bold"))
        for row in map(row_of, section.figures):
            met = Text(row.met, style=_STYLES.get(row.met, ""))
            table.add_row(f"  {row.name}", row.value, row.target, row.ratio, met, row.note)
    return table


def markdown(report: Report) -> str:
    """The whole report as a page: table, machine, settings, and what was tried."""
    machine = report.machine
    moment = machine.measured_at if machine else datetime.now(UTC)
    lines = [f"# Bench of {moment:%Y-%m-%d, %H:%M}", "", _revision(report), *_verdict(report), ""]
    lines += [f"| {' | '.join(_COLUMNS)} |", "|---|--:|---|--:|---|---|"]
    for section in report.sections:
        lines.append(f"| **{section.name}** | | | | | |")
        lines += [f"| {' | '.join(row_of(figure))} |" for figure in section.figures]
    if machine:
        lines += ["", "## Machine", "", *_machine(machine, report)]
    lines += ["", "## Settings", ""]
    lines += [f"- {name}: {value:,}" for name, value in _settings(report)]
    if report.probes:
        lines += ["", "## Rates that were tried", "", *_probes(report)]
    return "\n".join(lines) + "\n"


def row_of(figure: Figure) -> Row:
    """A figure as text."""
    met = {None: "", True: "yes", False: "NO"}[figure.met]
    target, ratio = figure.target, figure.ratio
    if target is None or ratio is None:
        return Row(figure.name, f"{_number(figure.value)} {figure.unit}", "", "", met, figure.note)
    more = 0 if figure.met else _more_digits(figure.value, target.limit, _number)
    value = f"{_number(figure.value, more)} {figure.unit}"
    more_of_ratio = 0 if figure.met else _more_digits(ratio, target.factor, _ratio)
    shown = f"{_ratio(ratio, more_of_ratio)} {_TIMES}"
    return Row(figure.name, value, _target(target, figure.unit, more), shown, met, figure.note)


def closing_lines(report: Report) -> list[str]:
    """What stands below the table: the commit, the books, and how busy the machine was."""
    lines = [_revision(report), *_verdict(report)]
    if report.machine:
        lines += _machine(report.machine, report)
    return lines


def _revision(report: Report) -> str:
    return f"- Commit: {report.revision or 'unknown (git knows nothing of this folder)'}."


def _verdict(report: Report) -> list[str]:
    mistakes = report.mistakes()
    if mistakes:
        return [f"- WORTHLESS: {mistake}" for mistake in mistakes]
    books = report.books
    if books is None or report.verdict is None:
        return []
    moved = books.moved
    acknowledged = ", ".join(f"{each.acknowledged:,} {name}" for name, each in moved.items())
    logged = sum(each.logged.count for each in moved.values())
    # What was under way when a run of wrk ended has taken effect, and nobody was told.
    untold = logged - sum(each.acknowledged for each in moved.values())
    adds_up = (
        f"- The money adds up: {acknowledged} that were acknowledged, and {untold:,} whose answer "
        f"was cut off at the end of a load, are the {logged:,} of the log; balances and history "
        "equal it to the last unit."
    )
    return [
        adds_up,
        "- `ledger verify` found nothing wrong.",
        f"- The run took {report.seconds:,.0f} s.",
    ]


def _machine(machine: Machine, report: Report) -> list[str]:
    lines = [
        f"- {machine.cores} {_TIMES} {machine.cpu}, {machine.memory_gb:.0f} GiB, {machine.kernel}",
        f"- data on {machine.filesystem}, 8 KiB synchronized in {machine.sync_ms:.2f} ms"
        + (" (IN MEMORY: the figures mean little)" if machine.forgets else ""),
        f"- PostgreSQL {machine.postgres}, Kafka {machine.kafka}, Python {machine.python}",
    ]
    if usage := report.usage_in_burst:
        lines.append(
            f"- cores busy during the burst and the catching up after it: {usage.busy:.0%}, "
            f"taken by other guests {usage.stolen:.0%}"
        )
    return lines


def _settings(report: Report) -> Iterator[tuple[str, float]]:
    for name in report.plan.__struct_fields__:
        yield name.replace("_", " "), getattr(report.plan, name)


def _probes(report: Report) -> Iterator[str]:
    yield "| asked | acknowledged | for | balances | transactions | trial balance behind | held |"
    yield "|--:|--:|--:|--:|--:|--:|---|"
    for probe in report.probes:
        lag = probe.most_lag_seconds
        yield (
            f"| {probe.asked_per_second:,.0f}/s | {probe.load.per_second:,.0f}/s "
            f"| {probe.load.seconds:.0f} s | {lag['balances']:.2f} s "
            f"| {lag['transactions']:.2f} s | {lag['trial_balance']:.2f} s "
            f"| {'yes' if probe.held else 'no'} |"
        )


def _target(target: Target, unit: str, more_digits: int) -> str:
    sign = "≥" if target.kind == "at_least" else "≤"
    limit = f"{_number(target.limit, more_digits)} {unit}"
    if target.reference_name is None:
        return f"{sign} {limit}"
    return f"{sign} {target.factor:g} {_TIMES} {target.reference_name} ({limit})"


def _more_digits(value: float, limit: float, shown: Callable[[float, int], str]) -> int:
    """How many digits more it takes until a value that missed its limit does not look like it."""
    more = 0
    while more < _MOST_DIGITS and _read(shown(value, more)) == _read(shown(limit, more)):
        more += 1
    return more


def _read(shown: str) -> float:
    return float(shown.replace(",", ""))


def _number(value: float, more_digits: int = 0) -> str:
    return f"{value:,.{(0 if value >= 100 else 1) + more_digits}f}"


def _ratio(ratio: float, more_digits: int) -> str:
    return f"{ratio:.{2 + more_digits}f}"
