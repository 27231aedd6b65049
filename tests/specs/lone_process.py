"""One process of ours as an operator runs it: `ledger …`, its settings, health and log."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from services.supervisor.ports import RememberedPorts
from tests.specs.running_stack import eventually

ROOT = Path(__file__).parents[2]
_STOP_S = 30
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=5)


class LoneProcess:
    """A process that was started. `words` are what stands behind `ledger`."""

    def __init__(
        self, process: asyncio.subprocess.Process, words: str, url: str, output: Path
    ) -> None:
        self.process = process
        self.words = words
        self.url = url
        self._output = output

    def said(self) -> str:
        """Everything that it has written."""
        return self._output.read_text()

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines that it has logged of an event."""
        whole = [line for line in self.said().splitlines(keepends=True) if line.endswith("}\n")]
        entries: list[dict[str, Any]] = [msgspec.json.decode(line) for line in whole]
        return [entry for entry in entries if entry["event"] == event]

    async def reasons(self) -> list[str] | None:
        """Why it is not ready, empty if it is; None where it does not answer."""
        try:
            async with (
                aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session,
                session.get(self.url + "/readyz") as answer,
            ):
                body = await answer.json()
                assert (answer.status == 200) == (body["reasons"] == [])
                return list(body["reasons"])
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def wait_until_ready(self) -> None:
        """Come back when it is ready. One that has ended never will be."""

        async def is_ready() -> bool:
            assert self.process.returncode is None, self.said()
            return await self.reasons() == []

        await eventually(is_ready, f"{self.words} is ready")

    async def wait_until_said(self, text: str) -> None:
        """Come back when it has written that."""
        await eventually(lambda: text in self.said(), f"{self.words} says {text!r}")

    async def metric(self, name: str) -> float:
        """The sum of a metric's samples, whatever their labels. Raises `ValueError` without one."""
        async with (
            aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session,
            session.get(self.url + "/metrics") as answer,
        ):
            lines = (await answer.text()).splitlines()
        samples = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        if not samples:
            raise ValueError(f"{self.words} shows no {name} yet")
        return sum(float(line.rpartition(" ")[2]) for line in samples)

    async def ended(self) -> int:
        """Its exit status, once it has ended."""
        async with asyncio.timeout(_STOP_S):
            return await self.process.wait()


@asynccontextmanager
async def lone_process(
    folder: Path, words: str, settings: Mapping[str, str]
) -> AsyncIterator[LoneProcess]:
    """Start `ledger <words>` with these LEDGER_… settings; leaving ends it."""
    name = words.replace(" ", "-")
    port = RememberedPorts(folder).take(name)
    door = "LEDGER_HTTP_PORT" if words == "gateway" else "LEDGER_HEALTH_PORT"
    output = folder / f"{name}.log"
    with output.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.command_line", *words.split()),
            cwd=ROOT,
            env={**os.environ, "LEDGER_HOME": str(folder), door: str(port), **settings},
            stdout=written,
            stderr=asyncio.subprocess.STDOUT,
        )
    try:
        yield LoneProcess(process, words, f"http://127.0.0.1:{port}", output)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
