"""What `./dev test` sets up before it runs tests, by what it is asked to run."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_TOOLS = ("bash", "cat", "dirname", "flock", "head", "id", "mkdir", "realpath", "sed", "sha256sum")
_INPUTS = ("requirements.lock", "pyproject.toml")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with its environment set up, on a machine with neither Java nor apt-get."""
    for name in ("dev", *_INPUTS):
        shutil.copy(ROOT / name, tmp_path)
    for folder in ("tests/unit", "tests/properties", "tests/integration", "ledger"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tests/unit/test_money.py").touch()
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, text in (("python", 'echo "ran: $*"'), ("ledger", "exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    sums = [
        f"{hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}  {name}\n"
        for name in _INPUTS
    ]
    (tmp_path / ".venv" / "stamp").write_text(f"{''.join(sums)}{tmp_path}\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in _TOOLS:
        found = shutil.which(name)
        assert found is not None, name
        (tools / name).symlink_to(found)
    return tmp_path


def _dev_test(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: text for name, text in os.environ.items() if not name.startswith("LEDGER_")
    }
    return subprocess.run(
        [str(checkout / "dev"), "test", *arguments],
        env={**environment, "PATH": str(checkout / "tools")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        "tests/unit",
        "tests/unit -k wallet",
        "tests/unit -k ledger",
        "tests/unit tests/properties -x",
        "--all ./tests/unit/test_money.py::test_one",
    ],
)
def test_tests_without_servers_need_nothing_but_python(checkout: Path, arguments: str) -> None:
    ended = _dev_test(checkout, *arguments.split())
    assert (ended.returncode, ended.stderr) == (0, "")
    asked = arguments.removeprefix("--all ")
    assert ended.stdout.startswith("ran: -m pytest -m ")
    assert ended.stdout.endswith(f" {asked}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "-k wallet",
        "tests",
        "tests/unit tests/integration",
        "-x tests/integration tests/unit",
        "tests/unit/../integration",
        "--ignore tests/unit",
        "--deselect tests/unit/test_money.py::test_one",
    ],
)
def test_other_tests_are_preceded_by_what_servers_need(checkout: Path, arguments: str) -> None:
    ended = _dev_test(checkout, *arguments.split())
    assert ended.returncode == 1
    assert "Java 17 or newer is missing" in ended.stderr
    assert "ran:" not in ended.stdout
