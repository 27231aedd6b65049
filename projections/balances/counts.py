"""`wallet_counts`: how many wallets each tenant has in each currency, block by block."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from projections.arrays import spelled
from projections.interface import Connection
from projections.statements import load_statement

TABLE = "wallet_counts"
_COUNT = load_statement(__file__, "count_wallets")
_LIVE_MISCOUNTED = load_statement(__file__, "miscounted")
# The same of tables beside which nothing is rebuilt: they are called by their own names.
_MISCOUNTED = _LIVE_MISCOUNTED.replace("live_", "")
_BLOCKS_A_PAGE = 4


async def count_wallets(connection: Connection, opened: Iterable[tuple[str, int, str]]) -> None:
    """Count new wallets: the tenant of each, the position of its opening, and its currency.

    Whoever counts holds what is counted until the commit, so it is the last thing to do.
    """
    tenants, positions, currencies = zip(*opened, strict=True)
    await connection.execute(_COUNT, spelled(tenants), positions, currencies)


async def miscounted(
    connection: Connection, start: Sequence[str], *, beside_a_rebuild: bool
) -> tuple[list[str], tuple[str, str] | None]:
    """One page of the live counts that are not those of the live wallets; where the next begins.

    The page begins with a tenant, as hexadecimal digits, and a block.
    """
    tenant_id, block = start
    statement = _LIVE_MISCOUNTED if beside_a_rebuild else _MISCOUNTED
    rows = await connection.fetch(statement, UUID(tenant_id), int(block), _BLOCKS_A_PAGE)
    found = [
        f"tenant {row['tenant_id']} has {row['wallets']} wallets in {row['currency']} of block "
        f"{row['block']}, and {row['counted']} are counted"
        for row in rows
        if row["currency"] is not None
    ]
    if not rows:
        return found, None
    return found, (rows[0]["tenant_id"].hex, str(rows[0]["next_block"]))
