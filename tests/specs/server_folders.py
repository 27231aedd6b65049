"""Where the servers of a run keep their data: in memory where there is room, else on the disk.

Each test has a database of its own, which is some four hundred files; on a disk they take four
times the processor's time to make and to remove, and tests wait for it besides. A server that is
killed loses nothing of what it had written there; whether a machine that fails does is PostgreSQL's
and Kafka's own to test.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system, and the folder in it is this run's own
_PREFIX = "ledger-tests-"
_LOCK = "lock"
_ROOM_BYTES = 6 << 30
"""What all workers of a run need together, and as much again to work with."""


@contextmanager
def folder_in_memory() -> Iterator[Path | None]:
    """A folder that is gone afterwards; none where there is no room."""
    _remove_leftovers()
    if not _has_room():
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_MEMORY))
    # PostgreSQL may be run by another account, which has to get to its folder in this one.
    folder.chmod(0o711)
    new = folder / "new"
    with new.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new.rename(folder / _LOCK)
        yield folder
        shutil.rmtree(folder)


def _has_room() -> bool:
    try:
        return shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES <= _available_bytes()
    except OSError:
        return False


def _available_bytes() -> int:
    """What programs may still take of the memory, with what caches would give back."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, amount, *_ = line.split()
        if name == "MemAvailable:":
            return int(amount) << 10
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _remove_leftovers() -> None:
    """What runs left that were killed: their locks are free."""
    for left in _MEMORY.glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError), left.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent)
