"""One operating-system process that the supervisor owns: its log, its pid file, its end.

Every process is told in its environment whose it is (LEDGER_HOME), so that one left over
from a killed supervisor is known again, and it gets a signal when its parent dies.
"""

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_TAIL_LINES = 8
_AUTOGROUP_TRIES = 5
_AUTOGROUP_PAUSE_S = 0.11


class ProcessFailedError(Exception):
    """A process ended, or never got ready. The message says which, and shows its last words."""


class Account(NamedTuple):
    """As whom a process runs: a command that it is run by, or a user to become."""

    prefix: tuple[str, ...] = ()
    user_id: int | None = None
    group_id: int | None = None


class OwnedProcess:
    """A process that may be started again and again. All calls return at once but `stop`."""

    def __init__(
        self,
        home: Path,
        name: str,
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 15,
    ) -> None:
        self.name = name
        self.log_path = home / "logs" / f"{name}.log"
        self._home = home
        self._pid_path = home / "run" / f"{name}.pid"
        self._stop_signal = stop_signal
        self._stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return self._process.pid if self._process and self.is_running() else None

    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def launch(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        account: Account | None = None,
        niceness: int = 0,
    ) -> None:
        """Start it, with its output appended to its log."""
        assert not self.is_running(), f"{self.name} runs already"
        account = account or Account()
        for folder in (self.log_path.parent, self._pid_path.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(("nice", "-n", str(niceness)) if niceness else ()),
                    *account.prefix,
                    *self._dying_with_its_parent(),
                    *command,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment, "LEDGER_HOME": str(self._home)},
                # Ctrl-C reaches a whole process group; only the supervisor is to hear it.
                start_new_session=True,
                user=account.user_id,
                group=account.group_id,
                extra_groups=None if account.user_id is None else [],
            )
        self._pid_path.write_text(f"{self._process.pid}\n")
        if niceness:
            _stand_back(self._process.pid, niceness)

    def _dying_with_its_parent(self) -> tuple[str, ...]:
        # setpriv comes with Debian's essential packages; without it a process that was
        # left over is found at the next start.
        if shutil.which("setpriv") is None:
            return ()
        return ("setpriv", "--pdeathsig", self._stop_signal.name.removeprefix("SIG"), "--")

    def request_stop(self) -> None:
        """Ask it to end."""
        if self._process is not None and self.is_running():
            self._process.send_signal(self._stop_signal)

    def kill(self) -> None:
        """End it without asking."""
        if self._process is not None and self.is_running():
            self._process.kill()

    def stop(self) -> None:
        """Ask it to end, wait, and end it by force if it takes too long."""
        if self._process is None:
            return
        self.request_stop()
        try:
            self._process.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Remove the pid file of a process that has ended."""
        assert not self.is_running(), f"{self.name} still runs"
        self._pid_path.unlink(missing_ok=True)

    def failure(self, what: str) -> ProcessFailedError:
        """An error that shows the end of the log."""
        status = self._process.poll() if self._process else None
        ended = "" if status is None else f" (it ended with status {status})"
        return ProcessFailedError(
            f"{self.name} {what}{ended}. The end of {self.log_path}:\n{self._last_words()}"
        )

    def _last_words(self) -> str:
        try:
            lines = self.log_path.read_text(errors="replace").splitlines()
        except OSError:
            return "  (there is no log)"
        return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:])

    def stop_leftover(self) -> bool:
        """Stop a process of this name that an earlier, killed supervisor left; say if so."""
        try:
            pid = int(self._pid_path.read_text())
        except (OSError, ValueError):
            return False
        found = self._end(pid)
        self._pid_path.unlink(missing_ok=True)
        return found

    def _end(self, pid: int) -> bool:
        """End this process and wait until it has let go of its files and ports, if it is ours."""
        try:
            # From here on the number means this process, even if it is given to another.
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            if not self._is_ours(pid):
                return False
            for number in (self._stop_signal, signal.SIGKILL):
                _signal(process, number)
                ended, _, _ = select.select([process], [], [], self._stop_seconds)
                if ended:
                    break
        finally:
            os.close(process)
        return True

    def _is_ours(self, pid: int) -> bool:
        # A pid may have been given to somebody else since; the environment tells.
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
        return f"LEDGER_HOME={self._home}".encode() in environment.split(b"\0")


def _signal(process: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(process, number)
    except ProcessLookupError:
        return


def own_environment(*, without_prefixes: tuple[str, ...] = ()) -> dict[str, str]:
    """This process's environment, less the variables that would change what a program does."""
    return {
        name: text for name, text in os.environ.items() if not name.startswith(without_prefixes)
    }


def _stand_back(pid: int, niceness: int) -> None:
    """Give the process's session the niceness too.

    Linux divides the processors between sessions first (autogroup), and each process of ours
    has one of its own; the process's niceness would count only within it, which is nothing.
    """
    for _ in range(_AUTOGROUP_TRIES):
        try:
            Path(f"/proc/{pid}/autogroup").write_text(f"{niceness}\n")
        except BlockingIOError:
            # Whoever is not root may do this ten times a second, all users together.
            time.sleep(_AUTOGROUP_PAUSE_S)
        except OSError:
            return
        else:
            return
