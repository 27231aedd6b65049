"""The key store's database: its migrations, and whether it has them."""

from pathlib import Path

import asyncpg

from services.runtime.database_roles import grant_if_possible
from services.runtime.migrations import Migration, apply_migrations
from services.runtime.postgres import connect

VAULT_ROLES = Path(__file__).parent / "roles"


def vault_migrations() -> list[Migration]:
    """Every migration of the key store, in order."""
    folder = Path(__file__).parent / "migrations"
    return [
        Migration(name=f"vault/{path.name}", sql=path.read_bytes())
        for path in sorted(folder.glob("*.sql"))
    ]


async def migrate_vault(dsn: str) -> tuple[list[str], list[str]]:
    """Bring the key store's schema up to date; what was applied, and what is said of its role."""
    connection = await connect(dsn, "ledger-vault")
    try:
        applied = await apply_migrations(connection, vault_migrations())
        return applied, await grant_if_possible(connection, VAULT_ROLES)
    finally:
        await connection.close()


async def ensure_database(server_dsn: str, name: str) -> None:
    """Make a database on a server if there is none of that name. The caller chooses the name."""
    assert name.isidentifier(), "it stands in a statement as it is"
    connection = await connect(server_dsn, "ledger-vault")
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    except asyncpg.DuplicateDatabaseError:
        return
    finally:
        await connection.close()
