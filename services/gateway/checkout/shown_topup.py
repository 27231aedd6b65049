"""A top-up as its page shows it: what was asked for, by whom, and what became of it."""

from datetime import datetime

from msgspec import Struct

from ledger.tenants import Environment
from projections.balances.topups import TOPUPS
from schemas.results import TopupStatus, TopupView
from services.gateway.payments.topups import FoundTopup, Topups
from services.gateway.problems import ReadModelBehindError
from services.gateway.reads import Reads


class ShownTopup(Struct, frozen=True, kw_only=True):
    """`status` is the top-up's own, but that one whose moment has passed is expired."""

    tenant_id: str
    environment: Environment
    merchant: str
    customer_id: str
    status: TopupStatus
    view: TopupView

    @property
    def is_over(self) -> bool:
        """Whether it can neither be paid for nor cancelled any more."""
        return self.status != "pending"


class ShownTopups:
    """Reads them: each shows what was acknowledged before.

    Raises `ReadsUnavailableError`, `ReadModelBehindError`.
    """

    def __init__(self, topups: Topups, reads: Reads) -> None:
        self._topups = topups
        self._reads = reads

    async def find(self, topup_id: str) -> ShownTopup | None:
        """The top-up of this id, whoever's. Any text may be asked for."""
        found = await self._topups.find(topup_id)
        return None if found is None else await self._shown(found)

    async def _shown(self, found: FoundTopup) -> ShownTopup:
        reading = await self._reads.part(TOPUPS, found.tenant_id, found.topup_id, eventual=False)
        if reading is None or reading.view is None:
            raise ReadModelBehindError
        view = reading.view
        wallet = await self._reads.wallet(found.tenant_id, view.wallet_id, eventual=True)
        assert wallet is not None, "a top-up has a wallet"
        return ShownTopup(
            tenant_id=found.tenant_id,
            environment=found.environment,
            merchant=found.merchant,
            customer_id=wallet.view.customer_id,
            status=_status_at(view, found.asked_at),
            view=view,
        )


def _status_at(view: TopupView, now: datetime) -> TopupStatus:
    # That it is expired is recorded a little after its moment.
    return "expired" if view.status == "pending" and now >= view.expires_at else view.status
