"""Roles of the database: what each process may do there, spelled in a file for each role.

The roles cannot log in; a process's login is a member of one. Where there are none, nothing is
missing but the second line of defence: a login that owns the tables may do everything.
"""

from pathlib import Path

import asyncpg

from services.runtime.migrations import turn
from services.runtime.postgres import Connection
from services.runtime.sql import load_statement

LEDGER_ROLES = Path(__file__).parent / "roles"
"""Of the database that has the log and the read models."""

_FIND = load_statement(__file__, "find_roles")
_MAY_MAKE = load_statement(__file__, "may_make_roles")
_HAS_ROLE = load_statement(__file__, "has_role")

_MEMBERS = {"ledger_administrator": "ledger_writer"}
"""Which role has all that another one has. Like the roles, it is so in every database at once."""


class RolesMissingError(Exception):
    """Roles are missing, and who asked may not make or join them. The message says who could."""


def role_names(folder: Path) -> list[str]:
    """The roles that a folder has a file for."""
    return sorted(path.stem for path in folder.glob("*.sql"))


async def grant_if_possible(connection: Connection, folder: Path) -> list[str]:
    """Do `grant_roles`; what a person should know about it, also where it cannot be done."""
    try:
        return [f"made the role {name}" for name in await grant_roles(connection, folder)]
    except RolesMissingError as error:
        return [f"roles are left out: {error}"]


async def grant_roles(connection: Connection, folder: Path) -> list[str]:
    """Make the roles that are missing, and give each what its file says, no more and no less.

    Returns the names of those that it made.
    To be done after the migrations, by who owns the tables. Doing it again changes nothing.
    Raises `RolesMissingError`; nothing was granted then.
    """
    names = role_names(folder)
    async with turn(connection):
        made = await _make_missing(connection, names)
        async with connection.transaction():
            await _join_missing(connection, names)
            for name in names:
                await connection.execute((folder / f"{name}.sql").read_text(encoding="utf-8"))
    return made


async def _make_missing(connection: Connection, names: list[str]) -> list[str]:
    there_are = {row["rolname"] for row in await connection.fetch(_FIND, names)}
    missing = [name for name in names if name not in there_are]
    if not missing:
        return []
    (asker,) = await connection.fetch(_MAY_MAKE)
    if not asker["may"]:
        statements = [f"CREATE ROLE {name} NOLOGIN;" for name in missing]
        statements += [_joining(name) for name in missing if name in _MEMBERS]
        message = (
            f"the role {asker['rolname']} may not make roles, so every process needs one that may "
            "do everything. To give each its own, have them made, and migrate again: "
            f"{' '.join(statements)}"
        )
        raise RolesMissingError(message)
    for name in missing:
        await _make(connection, name)
    return missing


async def _make(connection: Connection, name: str) -> None:
    assert name.isidentifier(), "it stands in a statement as it is"
    try:
        await connection.execute(f"CREATE ROLE {name} NOLOGIN")
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        # Roles are the server's: another of its databases is being prepared, too.
        return


async def _join_missing(connection: Connection, names: list[str]) -> None:
    """Make members of roles that were made by hand. Others of the server's ledgers did it, too."""
    for name in _MEMBERS.keys() & names:
        if await connection.fetchval(_HAS_ROLE, name, _MEMBERS[name]):
            continue
        try:
            await connection.execute(_joining(name))
        except asyncpg.InsufficientPrivilegeError as error:
            message = (
                f"{error}, so no role got its rights in this database. Have a superuser say it, "
                f"once for all databases of the server, and migrate again: {_joining(name)}"
            )
            raise RolesMissingError(message) from error


def _joining(name: str) -> str:
    return f"GRANT {_MEMBERS[name]} TO {name};"
