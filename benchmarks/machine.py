"""The machine that the figures are of, and what runs on it."""

import os
import platform
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from benchmarks.progress import Progress
from benchmarks.stack import ROOT
from services.runtime.settings import Settings

_SYNCS = 50
_BLOCK = b"\0" * 8192
_VOLATILE = {"tmpfs", "ramfs"}


class Machine(Struct, frozen=True, kw_only=True):
    """All that a reader needs to compare."""

    measured_at: datetime
    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    filesystem: str
    sync_ms: float
    """Median of writing 8 KiB and waiting until the disk has it."""
    python: str
    postgres: str
    kafka: str

    @property
    def forgets(self) -> bool:
        """Whether the data lies in memory, where durability costs nothing and means nothing."""
        return self.filesystem in _VOLATILE


class Usage(Struct, frozen=True, kw_only=True):
    """How busy all cores were together, as shares of their time."""

    busy: float
    stolen: float
    """Taken by other guests of the same hardware; where this is not small, measure again."""


async def describe(home: Path, progress: Progress) -> Machine:
    """Look at the machine; takes a moment, for the disk is tried."""
    return Machine(
        measured_at=datetime.now().astimezone(),
        cpu=_field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        cores=os.cpu_count() or 0,
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        kernel=f"{platform.system()} {platform.release()}",
        filesystem=_filesystem(home),
        sync_ms=_sync_ms(home),
        python=platform.python_version(),
        postgres=str(await progress.connection.fetchval("SHOW server_version")),
        kafka=_kafka_version(),
    )


def cpu_ticks() -> list[int]:
    """The machine's time so far, by what it went to: the first line of /proc/stat."""
    return [int(ticks) for ticks in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]


def usage_since(before: list[int]) -> Usage:
    """What the time since then went to."""
    user, nice, system, idle, waiting, interrupts, soft, stolen = (
        now - then for now, then in zip(cpu_ticks(), before, strict=True)
    )
    busy = user + nice + system + interrupts + soft
    total = max(busy + idle + waiting + stolen, 1)
    return Usage(busy=busy / total, stolen=stolen / total)


def _field(path: Path, name: str) -> str | None:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _filesystem(folder: Path) -> str:
    """The type of the file system that a folder is on."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    over = [(point, kind) for point, kind in mounts if folder.is_relative_to(point)]
    # A changed root need not be a mount itself.
    return max(over, key=lambda mount: len(mount[0]), default=("", "an unknown file system"))[1]


def _sync_ms(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as file:
        took = []
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(_BLOCK)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def _kafka_version() -> str:
    jars = Settings.from_environment(os.environ).kafka_jars or ROOT / ".cache" / "kafka-jars"
    names = [path.stem for path in jars.glob("kafka-clients-*.jar")]
    return names[0].removeprefix("kafka-clients-") if names else "unknown"
