"""`wallet_counts` against `balances`: what lists say how many there are, without counting them."""

from uuid import UUID

from projections.balances.counts import miscounted
from projections.interface import Connection
from services.verify.report import Report

_BEFORE_ALL = (UUID(int=0).hex, "0")


class WalletCounts:
    """Checks `wallet_counts`. Both tables are written in one commit, and read in one statement."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._counted = report.invariant("wallets are counted right")

    async def check(self) -> None:
        """Count the wallets of every tenant, some blocks of positions at a time."""
        start: tuple[str, str] | None = _BEFORE_ALL
        while start is not None:
            found, start = await miscounted(self._connection, start, beside_a_rebuild=False)
            for what in found:
                self._counted.fail(what)
            if not found and start is not None:
                self._counted.held += 1
