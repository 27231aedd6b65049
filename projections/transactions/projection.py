"""Writes `transactions` and `transaction_progress`, by whole batches of events at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from projections.arrays import spelled, spelled_keys
from projections.interface import Connection, EventRange, PageStart, ProjectedEvent, WalletNews
from projections.statements import load_statement
from projections.transactions.evolve import reversed_after, transaction_of
from schemas.identifiers import StreamKey, hex_of, wallet_id
from schemas.results import TransactionView

_LOAD = load_statement(__file__, "load")
_SAVE_PROGRESS = load_statement(__file__, "save_progress")
_COMPARE = load_statement(__file__, "compare")
_STRANGERS = load_statement(__file__, "strangers")
_BEFORE_ALL = UUID(int=0).hex
_COLUMNS = (
    "tenant_id",
    "wallet_id",
    "status",
    "version",
    "event_id",
    "position",
    "type",
    "kind",
    "amount",
    "balance_before",
    "balance_after",
    "available_balance",
    "currency",
    "reference",
    "description",
    "code",
    "created_at",
    "metadata",
    "expires_at",
    "hold_id",
    "held_after",
    "transfer_id",
    "other_wallet_id",
    "reverses",
    "reversed_after",
    "topup_id",
    "payment_id",
)


class Progress(Struct, frozen=True, kw_only=True, gc=False):
    """How far a wallet's history is complete."""

    version: int


class TransactionsProjection:
    """Every movement of money, and every one that was declined."""

    name = "transactions"
    tables = ("transaction_progress", "transactions")

    async def load(
        self, connection: Connection, wallets: Sequence[StreamKey]
    ) -> Mapping[StreamKey, Progress]:
        """How far these wallets' histories are complete."""
        rows = await connection.fetch(_LOAD, *spelled_keys(wallets))
        return {wallets[row["place"] - 1]: Progress(version=row["version"]) for row in rows}

    async def store(
        self, connection: Connection, news: Sequence[WalletNews[Progress]]
    ) -> Mapping[StreamKey, Progress]:
        """Insert the new lines, and say how far each history is complete now."""
        lines = [
            (event, view)
            for each in news
            for event in each.events
            if (view := transaction_of(event)) is not None
        ]
        if lines:
            await _insert(connection, lines)
        counted = Counter(event.wallet for event, _ in lines)
        await connection.execute(
            _SAVE_PROGRESS,
            *spelled_keys([each.wallet for each in news]),
            spelled(each.events[-1].version for each in news),
            spelled(counted[each.wallet] for each in news),
        )
        return {each.wallet: Progress(version=each.events[-1].version) for each in news}

    async def compare(self, connection: Connection, ranges: Sequence[EventRange]) -> list[str]:
        """Lines of history that are not equal in both."""
        rows = await connection.fetch(
            _COMPARE,
            *spelled_keys([each.wallet for each in ranges]),
            [each.first_version for each in ranges],
            [each.last_version for each in ranges],
        )
        return [
            f"{wallet_id(row['wallet_id'].hex)} version {row['version']}: {row['found']}"
            for row in rows
        ]

    async def strangers(
        self, connection: Connection, after: PageStart | None, up_to_position: int, limit: int
    ) -> tuple[list[str], PageStart | None]:
        """Live histories that the rebuilt tables do not have, or of which the lines differ."""
        start = after or (_BEFORE_ALL, _BEFORE_ALL)
        rows = await connection.fetch(_STRANGERS, *start, limit, up_to_position)
        found = [
            f"{wallet_id(row['wallet_id'].hex)}: only the live tables have it"
            for row in rows
            if row["stranger"]
        ]
        found += [
            f"{wallet_id(row['wallet_id'].hex)}: its lines are miscounted"
            for row in rows
            if row["miscounted"]
        ]
        if len(rows) < limit:
            return found, None
        return found, (rows[-1]["tenant_id"].hex, rows[-1]["wallet_id"].hex)


async def _insert(
    connection: Connection, lines: Sequence[tuple[ProjectedEvent, TransactionView]]
) -> None:
    # COPY: half the work of an INSERT from arrays, for asyncpg and for PostgreSQL, already
    # from a few rows on.
    await connection.copy_records_to_table(
        "transactions",
        columns=_COLUMNS,
        records=[
            (
                event.wallet.tenant_id,
                hex_of(view.wallet_id),
                view.status,
                view.version,
                event.event_id,
                event.position,
                view.type,
                view.kind,
                view.amount,
                view.balance_before,
                view.balance_after,
                view.available_balance,
                view.currency,
                view.reference,
                view.description,
                view.code,
                view.created_at,
                bytes(view.metadata).decode(),
                view.expires_at,
                _digits(view.hold_id),
                view.held_after,
                _digits(view.transfer_id),
                _digits(view.other_wallet_id),
                _digits(view.reverses),
                reversed_after(event),
                _digits(view.topup_id),
                view.payment_id,
            )
            for event, view in lines
        ],
    )


def _digits(identifier: str | None) -> str | None:
    return None if identifier is None else hex_of(identifier)
