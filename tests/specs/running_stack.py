"""Everything that `ledger up` starts, on a home of its own, and hands to kill parts of it.

The fixture `stack` is one such stack for the whole run: the tests over HTTP and Kafka and
the tests of faults share it, and each uses wallets of its own. It is a plugin, which the
conftest.py of both folders loads.
"""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import asyncpg
import pytest

from services.runtime.postgres import LOST
from services.supervisor.ports import RememberedPorts
from tests.specs.running_gateway import basic

LEDGER = (sys.executable, "-m", "services.command_line")
PROJECTORS = ("projector-balances", "projector-transactions", "projector-trial_balance")
PROCESSES = ("gateway", "intake", "sandbox-provider", "relay", *PROJECTORS, "scheduler")
PATIENCE_S = 90.0
"""How long anything may take before a test gives up. No test says how fast something is."""

_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=5)
_NOT_NOW = (
    *(*LOST, aiohttp.ClientError),
    # A pid file that is just being written.
    ValueError,
)
_LAG = re.compile(r"^ledger_(?:relay|projector)_lag_events\S* (?P<events>\S+)$", re.MULTILINE)
_BEHIND = """
SELECT (SELECT coalesce(max(position), 0) FROM events)
       - (SELECT published_position FROM relay_progress ORDER BY generation DESC LIMIT 1) AS relay,
       count(*) FILTER (WHERE balances.version IS DISTINCT FROM log.version) AS balances,
       count(*) FILTER (WHERE history.version IS DISTINCT FROM log.version) AS transactions,
       count(*) FILTER (WHERE journal.version IS DISTINCT FROM log.version) AS trial_balance
FROM (SELECT tenant_id, stream_id AS wallet_id, max(version) AS version
      FROM events WHERE stream_id <> tenant_id GROUP BY tenant_id, stream_id) AS log
LEFT JOIN balances USING (tenant_id, wallet_id)
LEFT JOIN transaction_progress AS history USING (tenant_id, wallet_id)
LEFT JOIN journal_progress AS journal USING (tenant_id, wallet_id)
"""


class Ended(NamedTuple):
    """A command of the command line that has ended. `output` is all that it said."""

    status: int
    output: str


class RunningStack:
    """One `ledger up`. The processes are named as the supervisor names them."""

    def __init__(self, home: Path, http_port: int) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{http_port}"
        self.output = home.with_name(f"{home.name}.log")
        self._environment = {
            **os.environ,
            "LEDGER_HOME": str(home),
            "LEDGER_HTTP_PORT": str(http_port),
        }
        with self.output.open("wb") as output:
            self.supervisor = subprocess.Popen(
                [*LEDGER, "up"],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """What `ledger up` has printed so far."""
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        """Come back with its last line, which says that it is ready."""
        deadline = time.monotonic() + PATIENCE_S
        while f"ready: {self.url}" not in self.said():
            assert self.supervisor.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        self.supervisor.terminate()
        return self.supervisor.wait(PATIENCE_S)

    @property
    def sandbox(self) -> dict[str, str]:
        """The variables of sandbox.env."""
        words = shlex.split((self.home / "sandbox.env").read_text())
        return dict(word.split("=", 1) for word in words)

    @property
    def authorization(self) -> str:
        """The Authorization header of the sandbox's merchant."""
        return basic(self.sandbox["CLIENT_ID"], self.sandbox["CLIENT_SECRET"])

    @property
    def settings(self) -> dict[str, str]:
        """What a process that is started alone finds in its environment."""
        return {
            **self._environment,
            "LEDGER_DATABASE_URL": self.sandbox["DATABASE_URL"],
            "LEDGER_KAFKA_BOOTSTRAP": self.sandbox["KAFKA_BOOTSTRAP"],
        }

    def pid(self, name: str) -> int:
        """The process id of a process, as the supervisor wrote it down."""
        return int((self.home / "run" / f"{name}.pid").read_text())

    def health_url(self, name: str) -> str:
        """Where a process of ours serves its health."""
        ports: dict[str, int] = json.loads((self.home / "run" / "ports.json").read_text())
        return f"http://127.0.0.1:{ports[name]}"

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send a process a signal; the process id that it had."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    async def wait_until_back(self, name: str, killed: int) -> None:
        """Come back when the supervisor has started another in the killed one's place."""
        await eventually(lambda: self.pid(name) != killed, f"{name} is started again")
        if name in PROCESSES:
            await eventually(lambda: self._is_ready(name), f"{name} is ready again")

    async def _is_ready(self, name: str) -> bool:
        return await _get(self.health_url(name) + "/readyz") != ""

    async def wait_until_caught_up(self) -> None:
        """Come back when everything that the log has is published and in the read models.

        The processes are to say so themselves, too.
        """
        await eventually(self._has_caught_up, "everything has caught up")
        await eventually(self._says_caught_up, "the metrics say that everything has caught up")

    async def _has_caught_up(self) -> bool:
        (behind,) = await self.fetch(_BEHIND)
        return not any(behind)

    async def _says_caught_up(self) -> bool:
        for name in ("relay", *PROJECTORS):
            lags = _LAG.findall(await _get(self.health_url(name) + "/metrics"))
            if not lags or any(float(lag) for lag in lags):
                return False
        return True

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of the database."""
        connection = await asyncpg.connect(self.sandbox["DATABASE_URL"])
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()

    async def start(self, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
        """Start `ledger …` with its output in a pipe; variables are added to its environment."""
        return await asyncio.create_subprocess_exec(
            *LEDGER,
            *arguments,
            env={**self.settings, **variables},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self, *arguments: str) -> Ended:
        """Run `ledger …` to its end."""
        process = await self.start(*arguments)
        output, _ = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, output.decode())

    async def verify(self) -> None:
        """Run `ledger verify`: every invariant holds, and every one was checked."""
        ended = await self.run("verify")
        assert ended.status == 0, ended.output
        assert "not checked" not in ended.output, ended.output


async def eventually(condition: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    """Come back when it holds. What cannot be asked at the moment does not hold."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            answer: Any = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            reason: object = "not yet"
        except _NOT_NOW as error:
            reason = error
        assert time.monotonic() < deadline, f"in vain until {what}: {reason}"
        await asyncio.sleep(0.1)


async def _get(url: str) -> str:
    """The body of a good answer. Raises `aiohttp.ClientError`, `TimeoutError` without one."""
    async with (
        aiohttp.ClientSession(timeout=_PROBE_TIMEOUT, raise_for_status=True) as session,
        session.get(url) as answer,
    ):
        return await answer.text()


@pytest.fixture(scope="session")
def stack(server_folder: Path, _no_settings_of_the_caller: None) -> Iterator[RunningStack]:
    """One stack for the whole run, stopped in an orderly way at its end."""
    folder = server_folder / "stack"
    folder.mkdir()
    running = RunningStack(folder / "home", RememberedPorts(folder).take("gateway"))
    try:
        running.wait_until_ready()
        yield running
        assert running.stop() == 0, running.said()
        assert running.said().endswith("stopped\n")
        assert list((running.home / "run").glob("*.pid")) == []
    finally:
        if running.supervisor.poll() is None:
            # Its children get a signal when it ends, however it ends.
            running.supervisor.kill()
            running.supervisor.wait()
    shutil.rmtree(folder)
