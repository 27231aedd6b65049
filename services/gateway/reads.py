"""Reading your own write: a query shows what was acknowledged before it, or says it cannot.

Every reading says how far the log is, in the snapshot that the row was read in. Where
the row is behind, the query waits for the projector a little, and then folds the missing
events by itself if it asks for wallets, or is refused if it asks for their history, holds or
top-ups.
"""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from projections.balances.parts import EventT, PartKind, ViewT
from projections.balances.read_model import (
    FROM_NEWEST,
    ListedWallet,
    PartReading,
    PartsReading,
    WalletReading,
    catch_up,
    list_parts,
    list_wallets,
    list_wallets_of_customer,
    read_part,
)
from projections.events import ProjectedEvent
from projections.log import find_event, read_stream
from projections.transactions.read_model import (
    HistoryReading,
    TransactionReading,
    read_page,
    read_transaction,
)
from schemas.events import TransferSent, decode_event
from schemas.http.credit_wallets import TransactionStatus
from schemas.identifiers import StreamKey, hex_of
from schemas.results import (
    TransactionType,
    TransferView,
    WalletStatus,
    WalletView,
)
from services.gateway.database import Database, Pool
from services.gateway.gathered_reads import GatheredReads
from services.gateway.patience import Clock, Patience
from services.gateway.problems import ReadModelBehindError

_WALLETS_AT_A_TIME: Final = 100
"""Of a customer, however few are asked for: of many wallets few may have a status."""
MAX_WALLETS_LOOKED_AT: Final = 1000
"""Of a customer, for one page."""


class Reading(Protocol):
    """What a read model says of one wallet, and how far the log is with it."""

    @property
    def newest_version(self) -> int:
        """The wallet's newest version in the log."""

    @property
    def complete_to_version(self) -> int:
        """Up to this version the read model misses nothing."""


ReadingT = TypeVar("ReadingT", bound=Reading)


class WalletNow(Struct, frozen=True, kw_only=True):
    """A wallet, and by how many versions the log is ahead of what is shown."""

    view: WalletView
    lag: int


class ListedNow(Struct, frozen=True, kw_only=True):
    """One wallet of a list; `opened_position` is the cursor of what follows it."""

    opened_position: int
    view: WalletView


class FoundWallets(NamedTuple):
    """Some wallets of a list, the newest first."""

    wallets: list[ListedNow]
    looked_to: int | None = None
    """Where looking ended because it had been long, at the opening of a wallet; none: it did not,
    and fewer wallets than were asked for are all that there are."""


class Reads:
    """Every query of the read models that the gateway makes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._gathered = GatheredReads(database)
        self._for_balances = Patience(clock)
        self._for_transactions = Patience(clock)

    async def wallet(self, tenant_id: str, wallet_id: str, *, eventual: bool) -> WalletNow | None:
        """One wallet; None if the tenant has none of this id."""
        wallet = StreamKey(tenant_id, wallet_id)
        reading = await self._gathered.read(wallet)
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
        wallet = StreamKey(tenant_id, wallet_id)
        before = FROM_NEWEST if before_version is None else before_version
        return await self._caught_up(
            self._for_transactions,
            tenant_id,
            lambda pool: read_page(
                pool,
                wallet,
                status=status,
                transaction_type=transaction_type,
                limit=limit,
                before_version=before,
            ),
            eventual=eventual,
        )

    async def parts(
        self,
        kind: PartKind[ViewT, EventT],
        tenant_id: str,
        wallet_id: str,
        *,
        status: str | None,
        limit: int,
        before_version: int | None,
        eventual: bool,
    ) -> PartsReading[ViewT] | None:
        """Up to `limit` holds, or top-ups, opened before a version; None as in `wallet`."""
        wallet = StreamKey(tenant_id, wallet_id)
        before = FROM_NEWEST if before_version is None else before_version
        return await self._caught_up(
            self._for_balances,
            tenant_id,
            lambda pool: list_parts(
                pool, kind, wallet, status=status, limit=limit, before_version=before
            ),
            eventual=eventual,
        )

    async def part(
        self, kind: PartKind[ViewT, EventT], tenant_id: str, part_id: str, *, eventual: bool
    ) -> PartReading[ViewT] | None:
        """One hold, or top-up; None if the tenant has none of this id."""
        return await self._made_by_event(
            self._for_balances,
            tenant_id,
            part_id,
            lambda pool, wallet, _: read_part(pool, kind, wallet, part_id),
            eventual=eventual,
        )

    async def transaction(
        self, tenant_id: str, transaction_id: str, *, eventual: bool
    ) -> TransactionReading | None:
        """One transaction; None if the tenant has none of this id."""
        return await self._made_by_event(
            self._for_transactions, tenant_id, transaction_id, read_transaction, eventual=eventual
        )

    async def transfer(self, tenant_id: str, transfer_id: str) -> TransferView | None:
        """One transfer, out of the log itself; None if the tenant has none of this id."""
        found = await self._find(tenant_id, transfer_id)
        if found is None:
            return None
        wallet, version = found
        (recorded,) = await self._database.read(
            tenant_id, lambda pool: read_stream(pool, wallet, version - 1, 1)
        )
        return transfer_of(recorded)

    async def _find(self, tenant_id: str, identifier: str) -> tuple[StreamKey, int] | None:
        return await self._database.read(
            tenant_id, lambda pool: find_event(pool, tenant_id, hex_of(identifier))
        )

    async def _made_by_event(
        self,
        patience: Patience,
        tenant_id: str,
        identifier: str,
        read: Callable[[Pool, StreamKey, int], Awaitable[ReadingT | None]],
        *,
        eventual: bool,
    ) -> ReadingT | None:
        """What is named after the event that made it: the log knows its wallet and version."""
        found = await self._find(tenant_id, identifier)
        if found is None:
            return None
        wallet, version = found
        return await self._caught_up(
            patience,
            tenant_id,
            lambda pool: read(pool, wallet, version),
            eventual=eventual,
            at_least=version,
        )

    async def _caught_up(
        self,
        patience: Patience,
        tenant_id: str,
        read: Callable[[Pool], Awaitable[ReadingT | None]],
        *,
        eventual: bool,
        at_least: int = 0,
    ) -> ReadingT | None:
        """The reading, once it shows all that the log had at first; None if there is nothing.

        An eventual one shows what there is, but never less than a version that is named.
        """

        async def ask() -> ReadingT | None:
            return await self._database.read(tenant_id, read)

        reading = await ask()
        if reading is None:
            return None
        if eventual and reading.complete_to_version >= at_least:
            return reading
        target = reading.newest_version

        def caught_up(now: ReadingT | None) -> bool:
            return now is not None and now.complete_to_version >= target

        if eventual and not caught_up(reading):
            raise ReadModelBehindError
        return await patience.until(ask, caught_up, reading)

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
    ) -> FoundWallets:
        """Up to `limit` wallets opened before a position, newest first.

        With a customer none is missing and each is as new as `wallet` gives it.
        """
        before = FROM_NEWEST if before_position is None else before_position
        if customer_id is None:
            listed = await self._database.read(
                tenant_id,
                lambda pool: list_wallets(
                    pool,
                    tenant_id,
                    currency=currency,
                    status=status,
                    limit=limit,
                    before_position=before,
                ),
            )
            return FoundWallets(
                [
                    ListedNow(opened_position=entry.opened_position, view=entry.reading.view)
                    for entry in listed
                    if entry.reading.view is not None
                ]
            )
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
    ) -> FoundWallets:
        found: list[ListedNow] = []
        at_a_time = max(limit, _WALLETS_AT_A_TIME)
        looked_at = 0
        while looked_at < MAX_WALLETS_LOOKED_AT:

            async def ask(pool: Pool, before: int = before_position) -> list[ListedWallet]:
                return await list_wallets_of_customer(
                    pool,
                    tenant_id,
                    customer_id,
                    currency=currency,
                    limit=at_a_time,
                    before_position=before,
                )

            listed = await self._database.read(tenant_id, ask)
            for entry in listed:
                view = await self._shown(tenant_id, entry.reading, eventual=eventual)
                # The status is judged on the wallet as it is, not on a row that is behind.
                if status is None or view.status == status:
                    found.append(ListedNow(opened_position=entry.opened_position, view=view))
                    if len(found) == limit:
                        return FoundWallets(found)
            if len(listed) < at_a_time:
                return FoundWallets(found)
            before_position = listed[-1].opened_position
            looked_at += len(listed)
        return FoundWallets(found, looked_to=before_position)

    async def _shown(self, tenant_id: str, reading: WalletReading, *, eventual: bool) -> WalletView:
        """A wallet of a list: its row, or, where that is behind, what the log makes of it."""
        if reading.view is not None and (eventual or not reading.behind):
            return reading.view
        wallet = StreamKey(tenant_id, reading.wallet_id)
        return await self._newest(wallet, reading, wait=not eventual)

    async def _newest(self, wallet: StreamKey, reading: WalletReading, *, wait: bool) -> WalletView:
        """The wallet at the version that the log had when `reading` was made, or later."""
        target = reading.newest_version

        def caught_up(now: WalletReading | None) -> bool:
            return now is not None and now.view is not None and now.view.version >= target

        async def ask() -> WalletReading | None:
            return await self._gathered.read(wallet)

        latest: WalletReading | None = reading
        if wait and not caught_up(latest):
            latest = await self._for_balances.wait(ask, caught_up, latest)
        assert latest is not None, "a wallet is never removed"
        if caught_up(latest) and latest.view is not None:
            return latest.view
        to_fold = latest
        view = await self._database.read(
            wallet.tenant_id, lambda pool: catch_up(pool, wallet, to_fold)
        )
        if view is None:
            raise ReadModelBehindError
        return view


def transfer_of(recorded: ProjectedEvent) -> TransferView | None:
    """The transfer that the event sends, as it is shown; None if it sends none."""
    event = decode_event(recorded.type, recorded.schema_version, recorded.data)
    if not isinstance(event, TransferSent):
        return None
    return TransferView(
        id=event.transfer_id,
        from_wallet_id=event.from_wallet_id,
        to_wallet_id=event.to_wallet_id,
        amount=event.amount,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        sent_transaction_id=event.sent_transaction_id,
        received_transaction_id=event.received_transaction_id,
        created_at=recorded.recorded_at,
        metadata=event.metadata,
    )
