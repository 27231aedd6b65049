"""LEDGER_HOME: one supervisor at a time, and logs that do not grow without end."""

import fcntl
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_LARGEST_LOG_BYTES = 64 * 1024 * 1024


class HomeInUseError(Exception):
    """Another supervisor runs on this LEDGER_HOME; the message has its pid."""


class HomeLock:
    """Held while a supervisor runs; the kernel lets go of it however the process ends."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True, exist_ok=True)
        path = self._home / "supervisor.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            message = f"a ledger runs on {self._home} already (pid {path.read_text().strip()})"
            raise HomeInUseError(message) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._descriptor is not None
        os.close(self._descriptor)


def limit_logs(home: Path, say: Callable[[str], None]) -> None:
    """Set a log that has become large aside as `<name>.log.1`, and go on with an empty one.

    The processes append to the file that they have open, so it is copied and emptied; a
    line that is written in between is lost. So are all lines where there is no room for a copy:
    a log must not end the ledger, and one that only grew would leave no room for anything.
    """
    for log in (home / "logs").glob("*.log"):
        if log.stat().st_size > _LARGEST_LOG_BYTES:
            _set_aside(log, say)


def _set_aside(log: Path, say: Callable[[str], None]) -> None:
    aside = log.with_suffix(".log.1")
    try:
        shutil.copyfile(log, aside)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        os.truncate(log, 0)
        # Only now: what is said may go to the same disk.
        say(f"{log} is emptied, and not kept as {aside.name}: {error}")
    else:
        os.truncate(log, 0)
