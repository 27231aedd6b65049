"""What `ledger verify` prints: word for word what was found, and what it comes to."""

import io

from rich.console import Console

from services.verify.report import Report, Totals


def shown(report: Report, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    report.show(console, 7)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_example_is_shown_as_it_is() -> None:
    """A reference may look like an emoji or markup to who prints it, and may be long."""
    report = Report()
    examples = ["invoice:key:9", "root:x:0 [red]a[/red]", "r" * 255]
    references = report.invariant("references")
    for example in examples:
        references.fail(example)
    lines = shown(report).splitlines()
    assert {f"  {example}" for example in examples} <= set(lines)


def test_an_example_cannot_command_the_terminal() -> None:
    report = Report()
    report.invariant("references").fail("a\x1b[2Jb")
    assert "\x1b" not in shown(report)


def test_the_last_line_says_what_it_comes_to() -> None:
    """What had nothing to check is not counted as if it had been seen to hold."""
    report = Report()
    report.invariant("positions").hold(5)
    report.invariant("holds")
    report.invariant("messages").skipped = "not asked for"
    report.invariant("balances").fail("wal_1")
    assert report.totals() == Totals(held=1, empty=1, not_checked=1, failed=1)
    said = shown(report)
    assert "not checked, not asked for: messages" in said
    assert said.endswith("4 invariants: 1 held, 1 had nothing to check, 1 not checked, 1 failed\n")


def test_a_name_is_not_broken_for_a_reason() -> None:
    report = Report()
    name = "messages of each wallet are in order, without a gap"
    report.invariant(name).skipped = "LEDGER_KAFKA_BOOTSTRAP is not set"
    assert name in shown(report)
