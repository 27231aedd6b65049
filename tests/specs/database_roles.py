"""What the roles of a database have been granted, and what the reference says of it."""

from pathlib import Path
from typing import Any

import asyncpg

from tests.unit.test_docs import codes, rows, sections

Granted = dict[str, dict[str, str]]
"""By table and role: privileges as the reference spells them, `select, update (revoked_at)`."""

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "database-roles.md"
_ORDER = ("select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain")

_GRANTED = """
SELECT c.relname AS "table", r.rolname AS role, lower(a.privilege_type) AS privilege,
       NULL AS "column"
FROM pg_class AS c
LEFT JOIN LATERAL aclexplode(c.relacl) AS a ON a.grantee <> c.relowner
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
UNION ALL
SELECT c.relname, r.rolname, lower(a.privilege_type), t.attname
FROM pg_class AS c
JOIN pg_attribute AS t ON t.attrelid = c.oid
CROSS JOIN LATERAL aclexplode(t.attacl) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE c.relnamespace = 'public'::regnamespace
"""


async def granted(connection: "asyncpg.Connection[Any]") -> Granted:
    """What is granted on every table to whoever does not own it; a role nobody knows is PUBLIC."""
    found: dict[str, dict[str, list[str]]] = {}
    for table, role, privilege, column in await connection.fetch(_GRANTED):
        of_table = found.setdefault(table, {})
        if privilege is not None:
            shown = privilege if column is None else f"{privilege} ({column})"
            of_table.setdefault(role or "PUBLIC", []).append(shown)
    return {
        table: {
            role: ", ".join(sorted(privileges, key=lambda each: _ORDER.index(each.split()[0])))
            for role, privileges in of_table.items()
        }
        for table, of_table in found.items()
    }


def documented(section: str) -> Granted:
    """What a section of the reference says is granted."""
    text = sections(_PAGE)[section]
    head = next(line for line in text.splitlines() if line.startswith("|"))
    roles = [f"ledger_{cell.strip()}" for cell in head.strip("|").split("|")[1:]]
    return {
        codes(row[0])[0]: {role: cell for role, cell in zip(roles, row[1:], strict=True) if cell}
        for row in rows(text)
    }


def as_role(dsn: str, role: str) -> str:
    """The DSN of the same database for sessions that have the rights of a role, and only those."""
    return f"{dsn}?role={role}"
