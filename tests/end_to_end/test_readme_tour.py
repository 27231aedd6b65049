"""The tour of README.md, run as it stands there: every command, every line of its output.

What differs from run to run (ids, times, hashes, ports, places in the log) is replaced by
its kind and number, the same text always by the same number: a replayed answer must show
the id of the first one. Everything else must be as README.md has it.
"""

import asyncio
import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.specs.running_stack import RunningStack

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SECTION = "A five-minute tour"

_TIMEOUT_S = 240
_EXECUTED = ("sh", "console")
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "\x1eexit status "
_NOTICE = re.compile(r"^%[0-9]\|.*\n", re.MULTILINE)
"""What kcat's library says of itself: newer ones warn of settings that are to be removed."""

_HEX32, _UUID = r"[0-9a-f]{32}", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KINDS = {
    "wallet": rf"wal_{_HEX32}",
    "transaction": rf"txn_{_HEX32}",
    "hold": rf"hol_{_HEX32}",
    "topup": rf"top_{_HEX32}",
    "request": r"req_[0-9a-f]{24,32}",
    "key": r"key_[0-9a-f]{24}",
    "uuid": _UUID,
    "hash": r"\b[0-9a-f]{64}\b",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "millisecond": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "date": r"(?<=^Date: )\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT",
    "second": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "secret": r"(?<![\w-])[\w-]{43}(?![\w-])",
    "cursor": r'(?<="next_cursor": ")[\w-]+',
    "position": r'(?<=ce_position=)\d+|(?<="position":)\d+|(?<=Z)  +\d+(?=  wal_)'
    r"|(?<=up to position )\d+",
    # How often an invariant held depends on all that was done before; that none failed does not.
    "count": r"(?<=│)  *[\d,]+ │ +0 │ (?:ok|- ) (?=│)",
    "sum": r"(?<= invariants: )\d+ held, \d+ had nothing to check(?=, 0 failed)",
}
_VOLATILE = re.compile(
    "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS.items()), re.MULTILINE
)
_UNNUMBERED = {"count", "sum", "date", "millisecond", "second"}
_LINE_ART = re.compile("[━─]+")
_SPACES = re.compile(" {2,}")


class Step(NamedTuple):
    """A command, and what README.md shows of it."""

    command: str
    output: str


class Outcome(NamedTuple):
    """What a command came to."""

    output: str
    status: int


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and body of every fenced block."""
    return [(match["language"], match["body"]) for match in _FENCE.finditer(text)]


def section(text: str, title: str) -> str:
    """The part of the document under a second-level heading."""
    _, found, rest = text.partition(f"\n## {title}\n")
    assert found, f"README.md has no section {title!r}"
    return rest.partition("\n## ")[0]


def steps(text: str) -> list[Step]:
    """Every command of the document's blocks, in order; `sh` blocks print nothing."""
    found: list[Step] = []
    for language, body in blocks(text):
        if language == "sh":
            found.append(Step(body, ""))
        elif language == "console":
            found += _console_steps(body)
    return found


def _console_steps(body: str) -> list[Step]:
    found: list[Step] = []
    for line in body.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append(Step(line[2:], ""))
        elif line.startswith("> ") and found and not found[-1].output:
            found[-1] = Step(found[-1].command + line[2:], "")
        else:
            assert found, f"a console block begins with output: {line!r}"
            found[-1] = Step(found[-1].command, found[-1].output + line)
    return found


class Normaliser:
    """Replaces what is volatile; one for all that is to be told apart consistently."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def __call__(self, output: str) -> str:
        """The output as it is compared."""
        replaced = _VOLATILE.sub(self._replace, output.replace("\r\n", "\n"))
        level = _SPACES.sub(" ", _LINE_ART.sub("─", replaced))
        return "\n".join(line.strip() for line in level.strip().splitlines())

    def _replace(self, match: re.Match[str]) -> str:
        kind = match.lastgroup
        assert kind is not None, "every alternative has a name"
        if kind in _UNNUMBERED:
            return f"<{kind}>"
        numbers = self._numbers.setdefault(kind, {})
        number = numbers.setdefault(match[0].strip(), len(numbers) + 1)
        return f"<{kind} {number}>"


def run_in_one_shell(commands: list[str], home: Path) -> list[Outcome]:
    """Run the commands one after another, as somebody who types them in the repository."""
    script = "".join(
        f"{command.replace('.ledger/', f'{home}/')}\nprintf '{_END}%d\\n' $?\n"
        for command in commands
    )
    ended = subprocess.run(
        ["bash", "-c", script],
        # What is `.ledger` by default for who reads the page is the home of the test's stack.
        env={**os.environ, "LEDGER_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        timeout=_TIMEOUT_S,
        check=False,
    )
    parts = _NOTICE.sub("", ended.stdout).split(_END)
    assert len(parts) == len(commands) + 1, ended.stdout[-2000:]
    statuses = [part.partition("\n") for part in parts[1:]]
    outputs = [parts[0], *(rest for _, _, rest in statuses)]
    return [
        Outcome(output, int(status))
        for output, (status, _, _) in zip(outputs, statuses, strict=False)
    ]


async def test_the_tour_shows_what_happens(stack: RunningStack, subtests: pytest.Subtests) -> None:
    shown = steps(section(README.read_text(encoding="utf-8"), SECTION))
    commands = [step.command for step in shown]
    came = await asyncio.to_thread(run_in_one_shell, commands, stack.home)
    # It has killed some of them.
    await stack.wait_until_caught_up()
    as_shown, as_came = Normaliser(), Normaliser()
    for step, outcome in zip(shown, came, strict=True):
        with subtests.test(step.command.splitlines()[0]):
            assert as_came(outcome.output) == as_shown(step.output)
            assert outcome.status == 0


def test_every_block_that_can_be_run_is_in_the_tour() -> None:
    """What is not run can be wrong unnoticed: other blocks say so by another language."""
    text = README.read_text(encoding="utf-8")
    inside = blocks(section(text, SECTION))
    assert {language for language, _ in inside} <= {*_EXECUTED, "text"}
    runnable = [block for block in blocks(text) if block[0] in _EXECUTED]
    assert runnable == [block for block in inside if block[0] in _EXECUTED]


def test_the_comparison_is_strict() -> None:
    """A wrong amount, another wallet's id or a missing line is seen; another time is not."""
    wallet, other = "wal_" + "0a" * 16, "wal_" + "0b" * 16
    shown = f'{wallet} {wallet} "balance": 5, 2026-05-24T10:00:00.000001Z'

    def differs(actual: str, expected: str = shown) -> bool:
        return Normaliser()(actual) != Normaliser()(expected)

    assert not differs(shown.replace("10:00", "11:30").replace("0a", "0c"))
    assert differs(shown.replace('"balance": 5', '"balance": 6'))
    assert differs(shown.replace(wallet, other, 1))
    assert differs(f"{shown}\nmore")
    row = "│ positions are gapless │    7 │      0 │ ok │"
    assert not differs(row.replace("   7", "1,234"), row)
    assert not differs(row.replace("   7", "   0").replace("ok", "- "), row)
    assert differs(row.replace("      0", "      1"), row)
    assert differs(row.replace("ok", "FAILED"), row)
