"""What the quick linters say, so that whoever runs the tests alone hears it too.

mypy takes a minute from cold; `./dev check` runs it.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), ("lint-imports",)], ids=" ".join
)
def test_the_linter_finds_nothing(command: tuple[str, ...]) -> None:
    name, *arguments = command
    program = Path(sys.executable).with_name(name)

    ended = subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
