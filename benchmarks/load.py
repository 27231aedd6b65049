"""Load over HTTP, made by wrk: as fast as 64 connections go, or at a fixed rate.

Only what was acknowledged counts: answers with a status above 399 are refusals, and what
is under way when a run ends was not acknowledged, whatever becomes of it.
"""

import asyncio
import base64
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, assert_never

import msgspec
from msgspec import Struct

from benchmarks.measurement import MeasurementError, Say
from benchmarks.plan import Plan
from benchmarks.stack import Stack

Kind = Literal["debit", "get", "transfer", "hold", "batch"]

_LUA = Path(__file__).parent / "lua"
_THREADS = 1
"""One thread sends more than a gateway can answer, and two cost the same for each request; but
each would keep a pace of its own."""
_TIMEOUT_SECONDS = 10
_GRACE_SECONDS = 30
_RESULT = "result "


class LoadResult(Struct, frozen=True, kw_only=True):
    """What one run of wrk came to. Latencies are from the first byte sent to the answer."""

    answered: int
    refused: int
    broken: int
    """Connections that failed, and answers that took longer than wrk waits."""
    captured: int
    """Of holds: how many were captured, each placed before."""
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    generator_cpu_seconds: float = 0.0

    @property
    def acknowledged(self) -> int:
        """Answers that were no refusals."""
        return self.answered - self.refused

    @property
    def per_second(self) -> float:
        """Acknowledged requests per second."""
        return self.acknowledged / self.seconds


class Tally:
    """All commands of one kind over HTTP, of every run, for the books at the end."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.uncertain = 0
        """How many at most may have taken effect although nobody was told."""

    def add(self, acknowledged: int, uncertain: int) -> None:
        """Count a run."""
        self.acknowledged += acknowledged
        self.uncertain += uncertain


class Run:
    """A run of wrk under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.result: LoadResult | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    def interrupt(self) -> None:
        """End it now; it still tells what it has done."""
        if not self.is_over:
            self._process.send_signal(signal.SIGINT)

    async def finish(self) -> LoadResult:
        """Wait for its end. Raises `MeasurementError` if it failed."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        output, _ = await self._process.communicate()
        text = output.decode(errors="replace")
        told = [line for line in text.splitlines() if line.startswith(_RESULT)]
        if self._process.returncode != 0 or not told:
            raise MeasurementError(f"wrk failed:\n{text}")
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.result = msgspec.structs.replace(
            msgspec.json.decode(told[0].removeprefix(_RESULT), type=LoadResult),
            generator_cpu_seconds=now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime,
        )
        return self.result


class Generator:
    """Starts wrk against one stack, over some of its wallets."""

    def __init__(self, stack: Stack, plan: Plan) -> None:
        self._stack = stack
        self._plan = plan
        self._runs = 0
        self.debits = Tally()
        self.transfers = Tally()
        self.captures = Tally()

    async def run(
        self, kind: Kind, wallets: list[str], *, seconds: int, per_second: float = 0
    ) -> LoadResult:
        """Load for some time; without a rate as fast as it goes."""
        async with self.running(kind, wallets, seconds=seconds, per_second=per_second) as run:
            return await run.finish()

    @asynccontextmanager
    async def running(
        self, kind: Kind, wallets: list[str], *, seconds: int, per_second: float = 0
    ) -> AsyncIterator[Run]:
        """Load while something else is done. Leaving waits for its end and counts it."""
        self._runs += 1
        plan = self._plan
        connections = plan.batch_connections if kind == "batch" else plan.connections
        wallets_file = self._stack.home / f"wallets-{self._runs}"
        wallets_file.write_text("".join(f"{wallet}\n" for wallet in wallets))
        process = await asyncio.create_subprocess_exec(
            "wrk",
            *("-t", str(_THREADS), "-c", str(connections), "-d", str(seconds)),
            *("--timeout", str(_TIMEOUT_SECONDS), "-s", str(_LUA / "load.lua")),
            *("-H", f"Authorization: Basic {self._credentials()}", self._stack.url, "--"),
            # A prefix of its own for each run keeps every reference unique.
            *(kind, str(wallets_file), f"bench-{self._runs:03d}-", str(per_second), str(_LUA)),
            str(plan.commands_per_batch),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        run = Run(process)
        try:
            async with asyncio.timeout(seconds + _GRACE_SECONDS):
                yield run
                result = run.result or await run.finish()
        except TimeoutError as error:
            raise MeasurementError(f"wrk did not end within {seconds} s and more") from error
        finally:
            if not run.is_over:
                process.kill()
                await process.wait()
        self._count(kind, result, connections + result.broken)

    def _count(self, kind: Kind, result: LoadResult, uncertain: int) -> None:
        """`uncertain` requests at most may have taken effect although nobody was told."""
        match kind:
            case "get":
                pass
            case "debit":
                self.debits.add(result.acknowledged, uncertain)
            case "transfer":
                self.transfers.add(result.acknowledged, uncertain)
            case "hold":
                self.captures.add(result.captured, uncertain)
            case "batch":
                # Each command of an acknowledged batch counts as accepted; the books would
                # miss one that was not.
                size = self._plan.commands_per_batch
                self.debits.add(size * result.acknowledged, size * uncertain)
            case _:
                assert_never(kind)

    def _credentials(self) -> str:
        stack = self._stack
        return base64.b64encode(f"{stack.client_id}:{stack.client_secret}".encode()).decode()


def require_wrk(say: Say) -> None:
    """Make sure that wrk is there, by apt where that may be. Raises `MeasurementError`."""
    if shutil.which("wrk") is not None:
        return
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        say("installing wrk, the load generator, by apt")
        installing = subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=False)
        if installing.returncode == 0:
            return
    raise MeasurementError("wrk, the load generator, is missing: sudo apt-get install wrk")
