"""The command line of the bench: `./dev bench`, or `python -m benchmarks`.

Exit status: 0 the figures can be trusted, met or not; 1 they cannot, or the run failed;
2 something that it needs is missing.
"""

import sys
import time
from pathlib import Path

import click
import uvloop
from rich.console import Console

from benchmarks.load import require_wrk
from benchmarks.measurement import MeasurementError, Say
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.report import Report
from benchmarks.revision import revision_of
from benchmarks.run import run
from benchmarks.stack import ROOT, running_stack
from benchmarks.table import closing_lines, markdown, terminal_table
from services.runtime.logging import configure_logging
from services.runtime.shutdown import run_until_signalled

_RESULTS = Path(__file__).parent / "results"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Everything short, to see that the bench works.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all of it here.")
@click.option("--write", is_flag=True, help="Write benchmarks/results/<date>T<time>.md.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / ".cache" / "bench",
    help="Where the stack's data lies for the time; must be on a disk.",
)
@click.option("--keep", is_flag=True, help="Do not remove the stack's data and logs.")
def main(*, quick: bool, json_file: Path | None, write: bool, folder: Path, keep: bool) -> None:
    """Measure the ledger on this machine, on a stack of its own."""
    if quick and write:
        raise click.UsageError("--write is for the full run; the figures of --quick mean little")
    configure_logging("bench", "warning", sys.stderr)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    try:
        require_wrk(say)
    except MeasurementError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
    plan = QUICK if quick else FULL
    # Taken now: who edits during the run changes nothing that has been started.
    report = Report(plan=plan, revision=revision_of(ROOT))
    is_complete = uvloop.run(
        run_until_signalled(_measure(plan, report, folder, keep=keep, say=say))
    )
    if not is_complete and report.failure is None:
        report.failure = "the run was ended before it was complete"
    report.seconds = time.monotonic() - began
    _show(report)
    if json_file is not None:
        json_file.write_bytes(report.as_json())
    if write and report.machine is not None:
        _RESULTS.mkdir(exist_ok=True)
        path = _RESULTS / f"{report.machine.measured_at:%Y-%m-%dT%H%M}.md"
        path.write_text(markdown(report), encoding="utf-8")
        print(f"written to {path}")
    sys.exit(1 if report.mistakes() else 0)


async def _measure(plan: Plan, report: Report, folder: Path, *, keep: bool, say: Say) -> bool:
    """Whether the run came to its end; if not, the report says why."""
    try:
        async with running_stack(folder, keep=keep, say=say) as stack:
            await run(stack, plan, report, say)
    except MeasurementError as error:
        report.failure = str(error)
        return False
    return True


def _show(report: Report) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print()
    console.print(terminal_table(report))
    for line in closing_lines(report):
        console.print(line, highlight=False, markup=False)


if __name__ == "__main__":
    main()
