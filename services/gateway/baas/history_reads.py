"""Histories that this dialect asks for: of a customer's wallets together, and a hold's capture.

As with every query, what was acknowledged before is shown, or the query is refused.
"""

from collections.abc import Sequence

from projections.balances.read_model import catch_up, read_many
from projections.transactions.read_model import (
    WalletsReading,
    read_capture,
    read_page_of_wallets,
)
from schemas.identifiers import StreamKey
from schemas.results import TransactionView, WalletView
from services.gateway.database import Database, Pool
from services.gateway.patience import Clock, Patience
from services.gateway.problems import ReadModelBehindError


class HistoryReads:
    """Asks the read models. Raises `ReadModelBehindError`, `ReadsUnavailableError`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._patience = Patience(clock)

    async def of_wallets(
        self, tenant_id: str, wallet_ids: Sequence[str], *, limit: int, offset: int, eventual: bool
    ) -> WalletsReading:
        """A page of the transactions of these wallets together, newest first."""

        async def ask() -> WalletsReading:
            return await self._database.read(
                tenant_id,
                lambda pool: read_page_of_wallets(
                    pool, tenant_id, wallet_ids, limit=limit, offset=offset
                ),
            )

        reading = await ask()
        if eventual:
            return reading
        targets = reading.newest_versions
        return await self._patience.until(ask, lambda now: now.has_all_of(targets), reading)

    async def capture(
        self, wallet: StreamKey, hold_id: str, reference: str, *, eventual: bool
    ) -> TransactionView | None:
        """The newest capture of a hold under a reference; None if there is none."""

        async def ask() -> tuple[int, int, TransactionView | None]:
            reading = await self._database.read(
                wallet.tenant_id, lambda pool: read_capture(pool, wallet, hold_id, reference)
            )
            assert reading is not None, "a wallet that has events is never removed"
            line = reading.line
            shown = None if line is None else line.transaction
            return reading.newest_version, reading.complete_to_version, shown

        reading = await ask()
        if not eventual:
            newest = reading[0]
            reading = await self._patience.until(ask, lambda now: now[1] >= newest, reading)
        return reading[2]

    async def newest_wallet(self, tenant_id: str, wallet_id: str) -> WalletView:
        """A wallet with everything that the log has of it by now; nothing is waited for."""
        wallet = StreamKey(tenant_id, wallet_id)

        async def ask(pool: Pool) -> WalletView | None:
            (reading,) = await read_many(pool, [wallet])
            assert reading is not None, "a wallet is never removed"
            if reading.view is not None and not reading.behind:
                return reading.view
            return await catch_up(pool, wallet, reading)

        view = await self._database.read(tenant_id, ask)
        if view is None:
            raise ReadModelBehindError
        return view

    async def shown_wallets(self, tenant_id: str, wallet_ids: Sequence[str]) -> list[WalletView]:
        """These wallets as the read model has them; it has them all."""
        keys = [StreamKey(tenant_id, wallet_id) for wallet_id in wallet_ids]
        readings = await self._database.read(tenant_id, lambda pool: read_many(pool, keys))
        return [
            reading.view for reading in readings if reading is not None and reading.view is not None
        ]
