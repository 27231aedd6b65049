"""`wallet_counts` against `balances`: what lists say how many there are, without counting them."""

from uuid import UUID

from projections.interface import Connection
from services.runtime.sql import load_statement
from services.verify.report import Report

_PAGE = load_statement(__file__, "page_wallet_counts")
_BLOCKS_A_PAGE = 4
_BEFORE_ALL = (UUID(int=0), 0)


class WalletCounts:
    """Checks `wallet_counts`. Both tables are written in one commit, and read in one statement."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._counted = report.invariant("wallets are counted right")

    async def check(self) -> None:
        """Count the wallets of every tenant, some blocks of positions at a time."""
        after = _BEFORE_ALL
        while rows := await self._connection.fetch(_PAGE, *after, _BLOCKS_A_PAGE):
            for row in rows:
                self._counted.check(
                    row["currency"] is None,
                    f"tenant {row['tenant_id']} has {row['wallets']} wallets in {row['currency']} "
                    f"of block {row['block']}, and {row['counted']} are counted",
                )
            after = (rows[0]["tenant_id"], rows[0]["next_block"])
