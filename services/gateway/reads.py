"""Reading your own write: a query shows what was acknowledged before it, or says it cannot.

Every reading says how far the log is, in the snapshot that the row was read in. Where
the row is behind, the query waits for the projector a little, and then folds the missing
events by itself if it asks for wallets, or is refused if it asks for their history.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from projections.balances.read_model import (
    FROM_NEWEST,
    ListedWallet,
    WalletReading,
    catch_up,
    list_wallets,
    list_wallets_of_customer,
)
from projections.interface import WalletKey
from projections.transactions.read_model import HistoryReading, read_page
from schemas.http.credit_wallets import TransactionStatus
from schemas.results import TransactionType, WalletStatus, WalletView
from services.gateway.database import Database, Pool
from services.gateway.problems import ReadModelBehindError
from services.gateway.wallet_batches import WalletBatches

MAX_WAIT_SECONDS: Final = 1.0
_FIRST_PAUSES_SECONDS: Final = (0.002, 0.005, 0.010)
_PAUSE_SECONDS: Final = 0.020


class Clock(Protocol):
    """What waiting needs of the world."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class WalletNow(Struct, frozen=True, kw_only=True):
    """A wallet, and by how many versions the log is ahead of what is shown."""

    view: WalletView
    lag: int


class ListedNow(Struct, frozen=True, kw_only=True):
    """One wallet of a list; `opened_position` is the cursor of what follows it."""

    opened_position: int
    view: WalletView


ReadingT = TypeVar("ReadingT")


class Patience:
    """How long to wait for one read model.

    When a wait of the whole second was in vain the model is taken to stand still: for
    the next second nobody waits, then one query tries again on behalf of all.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._still_since: float | None = None

    async def wait(
        self,
        ask: Callable[[], Awaitable[ReadingT]],
        caught_up: Callable[[ReadingT], bool],
        reading: ReadingT,
    ) -> ReadingT:
        """Ask again until the reading has caught up, or waiting is no use; the last reading."""
        started = self._clock.monotonic()
        if self._still_since is not None:
            if started - self._still_since < MAX_WAIT_SECONDS:
                return reading
            self._still_since = started
        pauses = iter(_FIRST_PAUSES_SECONDS)
        while self._clock.monotonic() - started < MAX_WAIT_SECONDS:
            await self._clock.sleep(next(pauses, _PAUSE_SECONDS))
            reading = await ask()
            if caught_up(reading):
                self._still_since = None
                return reading
        self._still_since = self._clock.monotonic()
        return reading


class Reads:
    """Every query of the read models that the gateway makes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._batches = WalletBatches(database)
        self._for_balances = Patience(clock)
        self._for_transactions = Patience(clock)

    async def wallet(self, tenant_id: str, wallet_id: str, *, eventual: bool) -> WalletNow | None:
        """One wallet; None if the tenant has none of this id."""
        wallet = WalletKey(tenant_id, wallet_id)
        reading = await self._batches.read(wallet)
        if reading is None:
            return None
        if eventual and reading.view is not None:
            return WalletNow(view=reading.view, lag=reading.behind)
        return WalletNow(view=await self._newest(wallet, reading, wait=not eventual), lag=0)

    async def transactions(
        self,
        tenant_id: str,
        wallet_id: str,
        *,
        transaction_type: TransactionType | None,
        status: TransactionStatus,
        limit: int,
        before_version: int | None,
        eventual: bool,
    ) -> HistoryReading | None:
        """Up to `limit` transactions before a version, newest first; None as in `wallet`."""
        wallet = WalletKey(tenant_id, wallet_id)
        before = FROM_NEWEST if before_version is None else before_version

        async def ask() -> HistoryReading | None:
            return await self._database.read(
                lambda pool: read_page(
                    pool,
                    wallet,
                    status=status,
                    transaction_type=transaction_type,
                    limit=limit,
                    before_version=before,
                )
            )

        page = await ask()
        if page is None or page.behind == 0 or eventual:
            return page
        target = page.newest_version

        def caught_up(now: HistoryReading | None) -> bool:
            return now is not None and now.complete_to_version >= target

        page = await self._for_transactions.wait(ask, caught_up, page)
        if not caught_up(page):
            raise ReadModelBehindError
        return page

    async def wallets(
        self,
        tenant_id: str,
        *,
        customer_id: str | None,
        currency: str | None,
        status: WalletStatus | None,
        limit: int,
        before_position: int | None,
        eventual: bool,
    ) -> list[ListedNow]:
        """Up to `limit` wallets opened before a position, newest first.

        With a customer none is missing and each is as new as `wallet` gives it.
        """
        before = FROM_NEWEST if before_position is None else before_position
        if customer_id is None:
            listed = await self._database.read(
                lambda pool: list_wallets(
                    pool,
                    tenant_id,
                    currency=currency,
                    status=status,
                    limit=limit,
                    before_position=before,
                )
            )
            return [
                ListedNow(opened_position=entry.opened_position, view=entry.reading.view)
                for entry in listed
                if entry.reading.view is not None
            ]
        return await self._of_customer(
            tenant_id,
            customer_id,
            currency=currency,
            status=status,
            limit=limit,
            before_position=before,
            eventual=eventual,
        )

    async def _of_customer(
        self,
        tenant_id: str,
        customer_id: str,
        *,
        currency: str | None,
        status: WalletStatus | None,
        limit: int,
        before_position: int,
        eventual: bool,
    ) -> list[ListedNow]:
        found: list[ListedNow] = []
        while True:

            async def ask(pool: Pool, before: int = before_position) -> list[ListedWallet]:
                return await list_wallets_of_customer(
                    pool,
                    tenant_id,
                    customer_id,
                    currency=currency,
                    limit=limit,
                    before_position=before,
                )

            listed = await self._database.read(ask)
            for entry in listed:
                # The status is judged on the wallet as it is, not on a row that is behind.
                view = entry.reading.view
                if view is None or (entry.reading.behind and not eventual):
                    wallet = WalletKey(tenant_id, entry.reading.wallet_id)
                    view = await self._newest(wallet, entry.reading, wait=not eventual)
                if status is None or view.status == status:
                    found.append(ListedNow(opened_position=entry.opened_position, view=view))
                    if len(found) == limit:
                        return found
            if len(listed) < limit:
                return found
            before_position = listed[-1].opened_position

    async def _newest(self, wallet: WalletKey, reading: WalletReading, *, wait: bool) -> WalletView:
        """The wallet at the version that the log had when `reading` was made, or later."""
        target = reading.newest_version

        def caught_up(now: WalletReading | None) -> bool:
            return now is not None and now.view is not None and now.view.version >= target

        async def ask() -> WalletReading | None:
            return await self._batches.read(wallet)

        latest: WalletReading | None = reading
        if wait and not caught_up(latest):
            latest = await self._for_balances.wait(ask, caught_up, latest)
        assert latest is not None, "a wallet is never removed"
        if caught_up(latest) and latest.view is not None:
            return latest.view
        to_fold = latest
        view = await self._database.read(lambda pool: catch_up(pool, wallet, to_fold))
        if view is None:
            raise ReadModelBehindError
        return view
