"""The ledger's own processes under supervision: started, watched, started again.

A process that dies is started again after a pause, which doubles each time and is short
again once the process was ready.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct

from services.supervisor.processes import OwnedProcess, own_environment

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 15.0
_POLL_SECONDS = 0.1
_STOP_SECONDS = 20.0
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2)


class ChildSpec(Struct, frozen=True, kw_only=True):
    """One process: its name, its arguments to `ledger`, where it is asked for its health."""

    name: str
    arguments: tuple[str, ...]
    url: str
    environment: Mapping[str, str]
    niceness: int = 0


class Child:
    """One process, kept running by `keep_running` until that is cancelled."""

    def __init__(self, home: Path, spec: ChildSpec, say: Callable[[str], None]) -> None:
        self.name = spec.name
        self.process = OwnedProcess(home, spec.name, stop_seconds=_STOP_SECONDS)
        self._spec = spec
        self._say = say
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    async def keep_running(self) -> None:
        """Start it, and again whenever it has ended."""
        while True:
            was_started = self._try_to_launch()
            while self.process.is_running():
                await asyncio.sleep(_POLL_SECONDS)
            pause = self._pause_seconds
            # The end of the log is worth reading once, not each time that it repeats itself.
            if was_started and pause == _FIRST_PAUSE_SECONDS:
                self._say(str(self.process.failure("ended")))
            self._say(f"{self.name}: starting it again in {pause:g} s")
            self._pause_seconds = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    def _try_to_launch(self) -> bool:
        """Whether there is a process now; why not, or what it lacks, is said."""
        try:
            self._launch()
        except OSError as error:
            self._say(f"{self.name}: {error}")
            # Where only its pid file could not be written, it runs.
            return self.process.is_running()
        return True

    def _launch(self) -> None:
        self.process.launch(
            # -P: a file in the current folder must not be taken for a module.
            [sys.executable, "-P", "-m", "services.command_line", *self._spec.arguments],
            {**own_environment(), **self._spec.environment},
            niceness=self._spec.niceness,
        )

    async def reasons_not_ready(self, session: aiohttp.ClientSession) -> list[str]:
        """Ask the process whether it is ready: nothing, or why not."""
        try:
            async with session.get(self._spec.url + "/readyz", timeout=_PROBE_TIMEOUT) as answer:
                if answer.status == 200:
                    self._pause_seconds = _FIRST_PAUSE_SECONDS
                    return []
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return ["does not answer yet"]
        try:
            return msgspec.json.decode(body, type=_Readiness).reasons or ["not ready"]
        except msgspec.DecodeError:
            return [f"answers {answer.status}"]


class _Readiness(Struct, frozen=True):
    reasons: list[str]


async def stop_together(children: list[Child]) -> None:
    """Ask all of them to end, wait for all, and end by force who takes too long."""
    for child in children:
        child.process.request_stop()
    async with asyncio.TaskGroup() as group:
        for child in children:
            group.create_task(_see_end(child))


async def _see_end(child: Child) -> None:
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            while child.process.is_running():
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        child.process.kill()
    child.process.stop()
