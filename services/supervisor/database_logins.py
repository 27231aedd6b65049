"""Logins of the embedded server: one for each process, a member of that process's role.

So whatever runs here, in development and in tests, runs with no more rights than it needs in
production. Their passwords are made once, and kept where only their owner may read them.
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from services.runtime.postgres import Connection, connect
from services.runtime.sql import load_statement

PROCESS_ROLES = {
    "gateway": "ledger_writer",
    "intake": "ledger_writer",
    "relay": "ledger_relay",
    "projector-balances": "ledger_projector",
    "projector-transactions": "ledger_projector",
    "projector-trial_balance": "ledger_projector",
    "scheduler": "ledger_scheduler",
}
VAULT_LOGIN = {"vault": "ledger_vault"}
"""Of the key store, whoever uses it."""

_FILE = "database-logins.json"
_FIND = load_statement(__file__, "find_login")


async def make_logins(home: Path, dsn: str, roles: Mapping[str, str]) -> dict[str, str]:
    """Make the logins of one database, or set their passwords anew; each one's DSN.

    `dsn` is the superuser's. Who is in none of the roles cannot connect to the database then.
    """
    passwords = _passwords(home, list(roles))
    connection = await connect(dsn, "ledger-supervisor")
    try:
        database = urlsplit(dsn).path.removeprefix("/")
        await connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
        for login, role in roles.items():
            await _make(connection, login, role, passwords[login])
    finally:
        await connection.close()
    return {login: _dsn_of(dsn, login, passwords[login]) for login in roles}


async def _make(connection: Connection, login: str, role: str, password: str) -> None:
    # Statements that define roles take no parameters; all three are of our own making.
    verb = "ALTER" if await connection.fetchval(_FIND, login) else "CREATE"
    await connection.execute(f"{verb} ROLE \"{login}\" LOGIN PASSWORD '{password}'")
    await connection.execute(f'GRANT {role} TO "{login}"')


def _dsn_of(dsn: str, login: str, password: str) -> str:
    parts = urlsplit(dsn)
    address = f"{login}:{password}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=address))


def _passwords(home: Path, logins: list[str]) -> dict[str, str]:
    """The passwords out of the file, to which those that are missing are added."""
    path = home / _FILE
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [login for login in logins if login not in known]
    if missing:
        known |= {login: secrets.token_hex(24) for login in missing}
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(known, file)
        unfinished.replace(path)
    return known
