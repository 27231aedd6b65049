"""Top-ups by their id alone: a customer's browser and a provider know no tenant."""

from datetime import datetime

from msgspec import Struct

from ledger.tenants import Environment
from schemas.identifiers import hex_of, is_topup_id
from services.gateway.database import ANYONE, Database, Pool
from services.runtime.sql import load_statement

_FIND_TOPUP = load_statement(__file__, "find_topup")


class FoundTopup(Struct, frozen=True, kw_only=True):
    """Whose top-up it is. `asked_at` is the database's time of the question."""

    topup_id: str
    tenant_id: str
    environment: Environment
    merchant: str
    asked_at: datetime


class Topups:
    """Finds them. Raises `ReadsUnavailableError` while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, topup_id: str) -> FoundTopup | None:
        """The top-up of this id, whoever's. Any text may be asked for."""
        if not is_topup_id(topup_id):
            return None

        async def ask(pool: Pool) -> FoundTopup | None:
            row = await pool.fetchrow(_FIND_TOPUP, hex_of(topup_id))
            if row is None:
                return None
            return FoundTopup(
                topup_id=topup_id,
                tenant_id=str(row["tenant_id"]),
                environment=row["environment"],
                merchant=row["merchant"],
                asked_at=row["asked_at"],
            )

        return await self._database.read(ANYONE, ask)
