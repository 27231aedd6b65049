"""The stack under measurement: `ledger up` as a child, on a home and on ports of its own."""

import asyncio
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from msgspec import Struct

from benchmarks.measurement import MeasurementError, Say
from services.runtime.settings import PREFIX, SecretText, Settings
from services.supervisor.ports import RememberedPorts
from services.supervisor.processes import OwnedProcess, own_environment

ROOT = Path(__file__).parents[1]

BACKGROUND = (
    *("relay", "projector-balances", "projector-transactions", "projector-trial_balance"),
)
PROCESSES = ("gateway", "intake", *BACKGROUND, "postgres", "kafka")

_START_SECONDS = 180
_STOP_SECONDS = 120
_POLL_SECONDS = 0.2
_KEPT_SETTINGS = ("LEDGER_KAFKA_JARS", "LEDGER_POSTGRES_USER")
"""What says how to start something on this machine, and not what to measure."""


class Stack(Struct, frozen=True, kw_only=True):
    """A running stack, and how to reach it."""

    home: Path
    url: str
    client_id: str
    client_secret: str
    tenant_id: str
    settings: Settings

    @property
    def dsn(self) -> str:
        """The database's DSN."""
        return self.settings.require_database_url()

    def pid(self, name: str) -> int:
        """The process id of one of `PROCESSES`, as the supervisor noted it."""
        return int((self.home / "run" / f"{name}.pid").read_text())

    def pids(self) -> dict[str, int]:
        """All of them by name."""
        return {name: self.pid(name) for name in PROCESSES}

    @contextmanager
    def suspended(self, *names: str) -> Iterator["Suspended"]:
        """Stop processes where they stand. Whatever happens, all go on at the end."""
        held = Suspended({name: self.pid(name) for name in names})
        try:
            yield held
        finally:
            held.resume(*names)


class Suspended:
    """Processes that are stopped by a signal, and may be let go one after another."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = dict(pids)
        for pid in pids.values():
            os.kill(pid, signal.SIGSTOP)

    def resume(self, *names: str) -> None:
        """Let these go on; those that run already just do."""
        for name in names:
            pid = self._pids.pop(name, None)
            if pid is not None:
                os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def running_stack(folder: Path, *, keep: bool, say: Say) -> AsyncIterator[Stack]:
    """Start a stack in a new home below `folder`; stop it, and remove the home, at the end."""
    home = _new_home(folder)
    supervisor = OwnedProcess(home, "supervisor", stop_seconds=_STOP_SECONDS)
    try:
        say(f"starting a stack in {home}")
        port = RememberedPorts(home).take("gateway")
        supervisor.launch(
            [sys.executable, "-P", "-m", "services.command_line", "up"],
            _environment({"LEDGER_HTTP_PORT": str(port)}),
        )
        await _until_ready(supervisor)
        yield _stack(home)
    finally:
        say("stopping the stack")
        await asyncio.shield(asyncio.to_thread(supervisor.stop))
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


def _new_home(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="bench-", dir=folder)).resolve()


def _environment(more: dict[str, str]) -> dict[str, str]:
    """The caller's environment without settings that would make it another stack."""
    kept = {name: os.environ[name] for name in _KEPT_SETTINGS if name in os.environ}
    return {**own_environment(without_prefixes=(PREFIX,)), **kept, **more}


async def _until_ready(supervisor: OwnedProcess) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while " ready: " not in supervisor.log_path.read_text(errors="replace"):
        if not supervisor.is_running() or time.monotonic() > deadline:
            raise MeasurementError(str(supervisor.failure("did not get ready")))
        await asyncio.sleep(_POLL_SECONDS)


def _stack(home: Path) -> Stack:
    lines = shlex.split((home / "sandbox.env").read_text(), comments=True)
    sandbox = dict(line.split("=", 1) for line in lines)
    return Stack(
        home=home,
        url=sandbox["LEDGER_URL"],
        client_id=sandbox["CLIENT_ID"],
        client_secret=sandbox["CLIENT_SECRET"],
        tenant_id=sandbox["TENANT_ID"],
        settings=Settings(
            home=home,
            database_url=SecretText(sandbox["DATABASE_URL"]),
            kafka_bootstrap=sandbox["KAFKA_BOOTSTRAP"],
        ),
    )
