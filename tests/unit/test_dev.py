"""What `./dev` sets up before it does what it is asked to do."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

ROOT = Path(__file__).parents[2]

_TOOLS = (
    *("bash", "cat", "cut", "dirname", "flock", "head", "id", "mkdir", "mv", "realpath", "rm"),
    *("sed", "sha256sum"),
)
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


def _dev(
    checkout: Path, *arguments: str, more: Mapping[str, str] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    environment = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith("LEDGER_") and name != "PYTHON"
    }
    return subprocess.run(
        [str(checkout / "dev"), *arguments],
        env={**environment, "PATH": str(checkout / "tools"), **more},
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
    ended = _dev(checkout, "test", *arguments.split())
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
    ended = _dev(checkout, "test", *arguments.split())
    assert ended.returncode == 1
    assert "Java 17 or newer is missing" in ended.stderr
    assert "ran:" not in ended.stdout


@pytest.mark.parametrize(
    ("interpreters", "chosen", "expected"),
    [
        ({"python3": "good"}, None, "python3"),
        ({"python3": "usable", "python3.13": "good"}, None, "python3.13"),
        ({"python3": "", "python3.12": "good"}, None, "python3.12"),
        ({"python3": "good", "python3.13": "usable"}, "python3.13", "python3.13"),
        ({"python3": "good", "python3.13": ""}, "python3.13", "python3"),
        ({"python3": "good"}, "python3.99", "python3"),
    ],
)
def test_python_is_the_one_asked_for_or_else_the_first_good_one(
    checkout: Path, interpreters: dict[str, str], chosen: str | None, expected: str
) -> None:
    """A fake says what `dev` asks it about itself, and makes no environment."""
    shutil.rmtree(checkout / ".venv")
    for name, kind in interpreters.items():
        interpreter = checkout / "tools" / name
        interpreter.write_text(
            "#!/bin/sh\n"
            f'case "$*" in -) echo "{kind}" ;; "-m venv"*) echo "asked: {name}"; exit 1 ;; esac\n'
        )
        interpreter.chmod(0o755)

    ended = _dev(checkout, "ledger", more={} if chosen is None else {"PYTHON": chosen})

    assert ended.returncode == 1, ended.stderr
    assert ended.stdout == f"asked: {expected}\n"


@pytest.mark.parametrize("is_writable", [True, False])
def test_maven_keeps_its_repository_where_it_can(
    checkout: Path, tmp_path: Path, is_writable: bool
) -> None:
    """A user such as nobody has no home: what is fetched is kept with the jars then."""
    home = tmp_path / "home"
    home.mkdir() if is_writable else home.write_text("no folder can be made here")
    (checkout / "deploy/kafka").mkdir(parents=True)
    shutil.copy(ROOT / "deploy/kafka/pom.xml", checkout / "deploy/kafka")
    asked = checkout / "asked"
    for name, text in (
        ("java", "echo 'openjdk version \"21.0.1\"' >&2"),
        ("getent", f"echo user:x:1:1::{home}:/bin/sh"),
        ("mvn", f'echo "$*" >{asked}; mkdir "{checkout}/.cache/kafka-jars.new"'),
    ):
        (checkout / "tools" / name).write_text(f"#!/bin/sh\n{text}\n")
        (checkout / "tools" / name).chmod(0o755)

    ended = _dev(checkout, "setup")

    assert ended.returncode == 0, ended.stderr
    option = f"-Dmaven.repo.local={checkout}/.cache/maven"
    assert (option in asked.read_text()) is not is_writable
