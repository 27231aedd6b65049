"""As whom PostgreSQL runs, which refuses to run as root, and where its data lies then.

As root, in this order:
1. in a user namespace where root is `nobody`. The data lies in LEDGER_HOME and belongs to
   root; no folder's permissions matter or change.
2. where that is not permitted, as the user `nobody`, with data in LEDGER_HOME if that user
   can get there, else in /var/lib/wallet-ledger/<hash of LEDGER_HOME>.
What was chosen first is kept in LEDGER_HOME: another choice would be an empty database.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from services.supervisor.processes import Account, ProcessFailedError

Wish = Literal["auto", "namespace", "nobody"]
Say = Callable[[str], None]

_RECORD = "account.json"
_ELSEWHERE = Path("/var/lib/wallet-ledger")
_NAMESPACE = Account(prefix=("unshare", "--user", "--map-user=nobody", "--"))


class _Choice(Struct, frozen=True, kw_only=True):
    """What is remembered. `elsewhere` is where the data lies if not in LEDGER_HOME."""

    account: Literal["self", "namespace", "nobody"]
    elsewhere: str | None = None


class Place(Struct, frozen=True, kw_only=True):
    """Where PostgreSQL lives, and as whom it runs."""

    account: Account
    folder: Path
    """Belongs to the account; data, sockets and, if need be, a copy of the programs."""
    programs: Path
    """The folder with `initdb` and `postgres`."""


def find_place(home: Path, programs: Path, wish: Wish, say: Say) -> Place:
    """Choose, or do as before. Raises `ProcessFailedError` where nothing is possible."""
    folder = home / "postgres"
    choice = _remembered(folder)
    if choice is None:
        choice = _choose(home, programs, wish)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _RECORD).write_bytes(msgspec.json.encode(choice))
    match choice.account:
        case "self":
            return Place(account=Account(), folder=folder, programs=programs)
        case "namespace":
            return Place(account=_NAMESPACE, folder=folder, programs=programs)
        case "nobody":
            return _nobodys_place(home, programs, choice, say)


def _remembered(folder: Path) -> _Choice | None:
    """The choice that there is data for."""
    try:
        choice = msgspec.json.decode((folder / _RECORD).read_bytes(), type=_Choice)
    except FileNotFoundError:
        return None
    data = (Path(choice.elsewhere) if choice.elsewhere else folder) / "data"
    return choice if data.exists() else None


def _choose(home: Path, programs: Path, wish: Wish) -> _Choice:
    if os.geteuid() != 0:
        return _Choice(account="self")
    if wish != "nobody" and _namespace_works(home, programs):
        return _Choice(account="namespace")
    if wish == "namespace":
        message = "PostgreSQL cannot run in a user namespace here (LEDGER_POSTGRES_USER=namespace)"
        raise ProcessFailedError(message)
    if _nobody_can("test", "-x", str(home)):
        return _Choice(account="nobody")
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return _Choice(account="nobody", elsewhere=str(_ELSEWHERE / digest))


def _namespace_works(home: Path, programs: Path) -> bool:
    """Whether, inside the namespace, the data could be written and the programs run."""
    home.mkdir(parents=True, exist_ok=True)
    probe = [*_NAMESPACE.prefix, "sh", "-c", 'test -w "$0" && "$1" --version']
    try:
        ended = subprocess.run(
            [*probe, str(home), str(programs / "postgres")], capture_output=True, check=False
        )
    except OSError:
        return False
    return ended.returncode == 0


def _nobodys_place(home: Path, programs: Path, choice: _Choice, say: Say) -> Place:
    nobody = pwd.getpwnam("nobody")
    account = Account(user_id=nobody.pw_uid, group_id=nobody.pw_gid)
    folder = home / "postgres" if choice.elsewhere is None else Path(choice.elsewhere)
    if choice.elsewhere is not None:
        say(f"PostgreSQL runs as nobody, who cannot reach {home}: its data is in {folder}")
        _ELSEWHERE.mkdir(exist_ok=True, mode=0o755)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    if not _nobody_can(str(programs / "postgres"), "--version"):
        programs = _copied(programs, folder / "install", nobody)
    return Place(account=account, folder=folder, programs=programs)


def _copied(programs: Path, target: Path, owner: pwd.struct_passwd) -> Path:
    """Copy the server's programs, made anew when they have changed; returns their new folder."""
    # The wheel keeps the libraries in a folder beside the package, found by a relative path.
    package = programs.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    copy = target / programs.relative_to(package.parent)
    stamp = target / "stamp"
    version = f"{package} {(programs / 'postgres').stat().st_mtime_ns}"
    if not stamp.exists() or stamp.read_text() != version:
        shutil.rmtree(target, ignore_errors=True)
        for folder in (package, libraries):
            shutil.copytree(folder, target / folder.name, symlinks=True)
        for path in (target, *target.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
        stamp.write_text(version)
    return copy


def _nobody_can(*command: str) -> bool:
    nobody = pwd.getpwnam("nobody")
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            check=False,
            cwd="/",
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
        )
    except OSError:
        return False
    return ended.returncode == 0
