"""The command line before it does anything: its version, and a Python that it refuses."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click

from services.command_line.main import commands

ROOT = Path(__file__).parents[2]


def ledger(*arguments: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *python, "-m", "services.command_line", *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


def test_it_tells_its_version() -> None:
    told = ledger("--version")
    assert (told.returncode, told.stdout) == (0, f"ledger, version {version('wallet-ledger')}\n")


def test_what_is_said_of_each_command_fits_on_a_terminal() -> None:
    for command in (commands, *commands.commands.values()):
        said = command.get_help(click.Context(command, info_name="ledger", terminal_width=80))
        assert not re.search(r"\S\.\.\.$", said.replace("[ARGS]...", ""), re.MULTILINE), said


def test_a_python_that_skips_assertions_is_refused() -> None:
    refused = ledger("verify", python=("-O",))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "PYTHONOPTIMIZE" in refused.stderr
