"""What befalls the stack in a storm: one fault after another, sometimes two at once, by a seed.

Each fault has a window, from its beginning until every process says that it is ready again, and
a little longer. Outside all windows nothing excuses a call without an answer.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, Signals
from urllib.parse import urlsplit

import aiohttp

from services.runtime.postgres import LOST
from services.supervisor.payment_secrets import payment_secrets
from services.supervisor.ports import RememberedPorts
from tests.specs.cutting_proxy import CuttingProxy, Moment
from tests.specs.running_stack import LEDGER, PROCESSES, PROJECTORS, RunningStack, eventually
from tests.specs.storm_journal import Journal, Window

_ARMED_S = 5.0
_NEVER_SENT = b"\x00 nobody sends this \x00"
_GRACE_S = 6.0
_GRACE_OF_KAFKA_S = 40.0
"""A connection that Kafka lost is noticed late; the docs say, within half a minute."""
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=5)
_STOPPED_S = (1.0, 6.0)
_CALM_S = (0.2, 3.0)
_LONG_CALM_S = 8.0
_BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND datname = current_database()
ORDER BY application_name = 'ledger append' DESC, pid
"""
_END = "SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS pid"
Fault = Callable[[], Awaitable[None]]


class SecondGateway:
    """Another gateway on the same log, which reaches its database through a proxy that cuts."""

    def __init__(self, stack: RunningStack, folder: Path, proxy: CuttingProxy) -> None:
        self._stack = stack
        self.output = folder / "second-gateway.log"
        self._port = RememberedPorts(folder).take("second-gateway")
        self._proxy = proxy
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start it, and come back when it is ready."""
        dsn = self._stack.sandbox["DATABASE_URL"]
        proxied = dsn.replace(f":{urlsplit(dsn).port}", f":{self._proxy.port}", 1)
        with self.output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(*LEDGER, "gateway"),
                env={
                    **self._stack.settings,
                    "LEDGER_DATABASE_URL": proxied,
                    "LEDGER_HTTP_PORT": str(self._port),
                    # As behind one name: what one has answered, the other answers again.
                    "LEDGER_PUBLIC_URL": self._stack.url,
                    "LEDGER_PAYMENT_PROVIDER_URL": self._stack.health_url("sandbox-provider"),
                    **payment_secrets(self._stack.home),
                },
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
            )
        await eventually(self.is_ready, "the second gateway is ready")

    async def is_ready(self) -> bool:
        """Whether it says so."""
        return await _is_ready(self.url)

    def signal(self, number: Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """See to it that nothing is left of it."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def end(self, number: Signals) -> int:
        """End it; its exit status."""
        self.signal(number)
        assert self._process is not None
        return await self._process.wait()


class Nemesis:
    """Does harm at random until it is told to stop."""

    def __init__(
        self,
        stack: RunningStack,
        second: SecondGateway,
        proxy: CuttingProxy,
        journal: Journal,
        seed: str,
    ) -> None:
        self._stack = stack
        self._second = second
        self._proxy = proxy
        self._journal = journal
        self.chance = Random(f"{seed} nemesis")  # noqa: S311 - a script, not a secret
        self._may_repartition = True

    async def rage(self, is_over: Callable[[], bool]) -> None:
        """Fault after fault; comes back when everything is ready again."""
        await asyncio.sleep(2)
        while not is_over():
            names = [self._chosen()]
            if self.chance.random() < 0.25:
                names.append(self._chosen())
            await self._suffer(names)
            is_long = self.chance.random() < 0.2
            await asyncio.sleep(_LONG_CALM_S if is_long else self.chance.uniform(*_CALM_S))

    async def _suffer(self, names: list[str]) -> None:
        began = time.monotonic()
        self._journal.say(" and ".join(names))
        for name in names:
            self._journal.counts[f"fault: {name}"] += 1
        await asyncio.gather(*(self._do(name) for name in names))
        await eventually(self._all_ready, f"all are ready after {names}")
        over = time.monotonic()
        grace_s = _GRACE_OF_KAFKA_S if any("kafka" in name for name in names) else _GRACE_S
        self._journal.windows.append(Window(" and ".join(names), began, over + grace_s))
        self._journal.say(f"over after {over - began:.1f} s")

    async def _all_ready(self) -> bool:
        urls = [self._second.url, *(self._stack.health_url(name) for name in PROCESSES)]
        return all(await asyncio.gather(*map(_is_ready, urls)))

    def _chosen(self) -> str:
        kinds = {
            **{f"kill {name}": 2 for name in PROCESSES},
            **{f"stop {name}": 1 for name in PROCESSES if name != "scheduler"},
            "kill second": 2,
            "end second": 1,
            "stop second": 1,
            "kill backend": 3,
            "cut backends": 4,
            "crash postgres": 2,
            "kill postgres": 1,
            "kill kafka": 1,
            "stop kafka": 1,
            "stop backend": 2,
            "cut commit": 5,
            "migrate": 1,
            "verify": 1,
            **{f"rebuild {name.removeprefix('projector-')}": 1 for name in PROJECTORS},
            "repartition": 1,
        }
        (kind,) = self.chance.choices([*kinds], [*kinds.values()])
        if kind == "repartition":
            if not self._may_repartition:
                return "cut commit"
            self._may_repartition = False
        return kind

    async def _do(self, name: str) -> None:
        doing, _, what = name.partition(" ")
        # With two faults at once, what one looks for the other may have ended already: a process,
        # a backend, or the whole database.
        with suppress(*LOST, ValueError):
            match doing, what:
                case (("kill" | "crash"), "postgres"):
                    await self._end("postgres", SIGQUIT if doing == "crash" else SIGKILL)
                case "kill", "backend":
                    (pid, *_) = await self._backends()
                    os.kill(pid, SIGKILL)
                case "stop", "backend":
                    (pid, *_) = await self._backends()
                    await self._stop(lambda number: os.kill(pid, number))
                case "kill" | "end" | "stop", "second":
                    await self._harm_second(doing)
                case "kill", _:
                    await self._end(what, SIGKILL)
                case "stop", _:
                    await self._stop(lambda number: self._stack.signal(what, number))
                case "cut", "backends":
                    pids = await self._backends()
                    some = self.chance.sample(pids, min(len(pids), self.chance.randint(1, 6)))
                    await self._stack.fetch(_END, some)
                case "cut", _:
                    await self._cut()
                case _:
                    await self._run(*name.split())

    async def _end(self, name: str, number: Signals) -> None:
        await self._stack.wait_until_back(name, self._stack.signal(name, number))

    async def _stop(self, signal: Callable[[Signals], object]) -> None:
        signal(SIGSTOP)
        try:
            await asyncio.sleep(self.chance.uniform(*_STOPPED_S))
        finally:
            signal(SIGCONT)

    async def _cut(self) -> None:
        """Cut the second gateway off from its database, around what it appends next."""
        moments: tuple[Moment, ...] = ("before_it_arrives", "after_the_answer")
        word = self.chance.choice((b"COMMIT", b"wallet.credited", b"wallet.debited"))
        before = self._proxy.cuts
        self._proxy.cut_on(word, self.chance.choice(moments))
        until = time.monotonic() + _ARMED_S
        while self._proxy.cuts == before and time.monotonic() < until:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
        self._proxy.cut_on(_NEVER_SENT, "before_it_arrives")

    async def _harm_second(self, doing: str) -> None:
        if doing == "stop":
            await self._stop(self._second.signal)
            return
        status = await self._second.end(SIGTERM if doing == "end" else SIGKILL)
        if doing == "end" and status != 0:
            self._journal.wrong.append(f"the second gateway ended with {status}")
        await self._second.start()

    async def _backends(self) -> list[int]:
        found: list[int] = []

        async def ask() -> bool:
            found[:] = [row["pid"] for row in await self._stack.fetch(_BACKENDS)]
            return bool(found)

        await eventually(ask, "somebody is connected")
        return found

    async def _run(self, *arguments: str) -> None:
        if arguments == ("repartition",):
            arguments = ("repartition", "--partitions", str(self.chance.choice((5, 7, 8))))
        ended = await self._stack.run(*arguments)
        if ended.status != 0:
            self._journal.say(f"{arguments} ended with {ended.status}: {ended.output}")
        if "Traceback" in ended.output or "FAILED" in ended.output:
            self._journal.wrong.append(f"{' '.join(arguments)}: {ended.output}")
        if arguments[0] == "rebuild" and "differ" in ended.output:
            self._journal.wrong.append(f"{' '.join(arguments)}: {ended.output}")


async def _is_ready(url: str) -> bool:
    async with (
        aiohttp.ClientSession(timeout=_PROBE_TIMEOUT) as session,
        session.get(f"{url}/readyz") as answer,
    ):
        return answer.status == 200
