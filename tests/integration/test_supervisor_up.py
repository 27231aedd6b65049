"""`ledger up` from the first start to the last: what a newcomer's two commands stand on."""

import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from services.runtime.settings import Settings
from services.supervisor.ports import RememberedPorts

pytestmark = pytest.mark.long
_READY_SECONDS = 90


class _Up:
    """One `ledger up` on a home."""

    def __init__(self, home: Path, http_port: int) -> None:
        self.home = home
        self._output = home.parent / "up.log"
        self._environment = {
            **os.environ,
            "LEDGER_HOME": str(home),
            "LEDGER_HTTP_PORT": str(http_port),
        }
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.command_line", "up"],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while "ready: http://" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def start_another(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.command_line", "up"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def vault(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.command_line", "vault", *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def pids(self) -> dict[str, int]:
        return {path.stem: int(path.read_text()) for path in (self.home / "run").glob("*.pid")}

    def sandbox(self) -> dict[str, str]:
        words = shlex.split((self.home / "sandbox.env").read_text())
        return dict(word.split("=", 1) for word in words)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def home(server_home: Path) -> Path:
    private = server_home / "private"
    private.mkdir(mode=0o700)
    return private / "home"


@pytest.fixture
def http_port(tmp_path: Path) -> int:
    return RememberedPorts(tmp_path).take("gateway")


@pytest.fixture
def running(home: Path, http_port: int) -> Iterator[_Up]:
    up = _Up(home, http_port)
    up.wait_until_ready()
    yield up
    if up.process.poll() is None:
        up.stop()


def test_from_the_first_start_to_the_second(running: _Up, home: Path, http_port: int) -> None:
    first = running.sandbox()
    another = running.start_another()
    pids = running.pids()

    assert stat.S_IMODE((home / "sandbox.env").stat().st_mode) == 0o600
    secrets = home / "sandbox-provider" / "secrets.env"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    shared = secrets.read_text()
    assert first["LEDGER_URL"] == f"http://127.0.0.1:{http_port}"
    assert another.returncode == 1
    assert f"(pid {running.process.pid})" in another.stdout
    assert set(pids) == {
        *("postgres", "kafka", "gateway", "intake", "sandbox-provider", "relay"),
        *("projector-balances", "projector-transactions", "projector-trial_balance", "scheduler"),
    }
    assert os.getpriority(os.PRIO_PROCESS, pids["relay"]) == Settings().background_nice
    assert os.getpriority(os.PRIO_PROCESS, pids["gateway"]) == 0
    # The vault is a database of its own, and its keys are made once.
    assert first["VAULT_DATABASE_URL"].endswith("/vault")
    keys = {path.name: path.read_text() for path in (home / "vault").glob("*.key*")}
    assert sorted(keys) == ["index.key", "master.keys"]
    assert all(stat.S_IMODE((home / "vault" / name).stat().st_mode) == 0o600 for name in keys)
    assert running.vault("backup", str(home / "backups")).returncode == 0

    assert running.stop(signal.SIGINT) == 0
    assert running.said().endswith("stopped\n")
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.values())
    assert running.pids() == {}

    again = _Up(home, http_port)
    try:
        again.wait_until_ready()
        assert again.sandbox() == first
        assert secrets.read_text() == shared
        assert {path.name: path.read_text() for path in (home / "vault").glob("*.key*")} == keys
    finally:
        again.stop()


def test_what_dies_comes_back(running: _Up, http_port: int) -> None:
    before = running.pids()
    for name in ("gateway", "postgres"):
        os.kill(before[name], signal.SIGKILL)

    _wait_until(lambda: running.pids().get("gateway") not in (None, before["gateway"]))
    _wait_until(lambda: running.pids().get("postgres") not in (None, before["postgres"]))
    _wait_until(lambda: _is_ready(http_port))
    assert "gateway: starting it again" in running.said()


def test_nothing_survives_a_killed_supervisor(running: _Up, home: Path, http_port: int) -> None:
    pids = running.pids()

    running.stop(signal.SIGKILL)

    _wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids.values()))
    again = _Up(home, http_port)
    try:
        again.wait_until_ready()
    finally:
        again.stop()


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
