"""Writes `balances`, `holds` and `topups`: a row each, by whole batches of events at a time.

Beside them it counts the wallets, in the same transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from projections.arrays import spelled, spelled_keys
from projections.balances import counts
from projections.balances.evolve import fold
from projections.balances.holds import HOLDS
from projections.balances.parts import AnyPartKind, compare_parts, store_parts, strange_parts
from projections.balances.rows import wallet_view
from projections.balances.standing import differs, is_known
from projections.balances.topups import TOPUPS
from projections.interface import (
    Connection,
    EventRange,
    PageStart,
    ProjectionMismatchError,
    WalletNews,
)
from projections.statements import load_statement
from schemas.identifiers import StreamKey, wallet_id
from schemas.results import WalletView

_LOAD = load_statement(__file__, "load")
_INSERT = load_statement(__file__, "insert")
_UPDATE = load_statement(__file__, "update")
_UPDATE_STANDING = load_statement(__file__, "update_standing")
_COMPARE = load_statement(__file__, "compare")
_STRANGERS = load_statement(__file__, "strangers")
_BEFORE_ALL = UUID(int=0).hex
PARTS: Final[tuple[AnyPartKind, ...]] = (HOLDS, TOPUPS)
"""What is opened in a wallet and has rows of its own."""


class BalancesProjection:
    """Every wallet, every hold and every top-up as it stands."""

    name = "balances"
    tables = ("balances", *(kind.table for kind in PARTS), counts.TABLE)

    async def load(
        self, connection: Connection, wallets: Sequence[StreamKey]
    ) -> Mapping[StreamKey, WalletView]:
        """The rows of these wallets."""
        rows = await connection.fetch(_LOAD, *spelled_keys(wallets))
        found = {}
        for row in rows:
            wallet = wallets[row["place"] - 1]
            found[wallet] = wallet_view(wallet.stream_id, row)
        return found

    async def store(
        self, connection: Connection, news: Sequence[WalletNews[WalletView]]
    ) -> Mapping[StreamKey, WalletView]:
        """Insert the opened wallets, update the known ones; the same of holds and top-ups."""
        opened: list[tuple[WalletNews[WalletView], WalletView]] = []
        changed: list[tuple[StreamKey, WalletView, WalletView]] = []
        for each in news:
            after = fold(each.row, each.events)
            assert after is not None, "there is at least one event"
            if each.row is None:
                opened.append((each, after))
            else:
                changed.append((each.wallet, each.row, after))
        if opened:
            await _insert(connection, opened)
        if changed:
            await _update(connection, changed)
        told = [(each.wallet, view) for each, view in opened if is_known(view)]
        told += [(wallet, view) for wallet, before, view in changed if differs(before, view)]
        if told:
            await _update_standing(connection, told)
        for kind in PARTS:
            await store_parts(connection, kind, (event for each in news for event in each.events))
        if opened:
            await counts.count_wallets(
                connection,
                (
                    (each.wallet.tenant_id, each.events[0].position, view.currency)
                    for each, view in opened
                ),
            )
        written = {each.wallet: view for each, view in opened}
        written.update((wallet, view) for wallet, _, view in changed)
        return written

    async def compare(self, connection: Connection, ranges: Sequence[EventRange]) -> list[str]:
        """Wallets, holds and top-ups whose two rows differ."""
        rows = await connection.fetch(_COMPARE, *spelled_keys([each.wallet for each in ranges]))
        found = [
            f"{wallet_id(row['wallet_id'].hex)}: live {row['live']}, rebuilt {row['rebuilt']}"
            for row in rows
        ]
        for kind in PARTS:
            found += await compare_parts(connection, kind, ranges)
        return found

    async def strangers(
        self, connection: Connection, after: PageStart | None, up_to_position: int, limit: int
    ) -> tuple[list[str], PageStart | None]:
        """Live rows that the rebuilt tables do not have: of wallets, of holds, of top-ups.

        Of what is counted, that which the live tables themselves contradict.
        """
        table, *start = after or _beginning(self.tables[0])
        if table == "balances":
            found, last = await _strange_wallets(connection, start, up_to_position, limit)
        elif table == counts.TABLE:
            found, last = await counts.miscounted(connection, start, beside_a_rebuild=True)
        else:
            (kind,) = (kind for kind in PARTS if kind.table == table)
            found, last = await strange_parts(connection, kind, start, up_to_position, limit)
        if last is not None:
            return found, (table, *last)
        following = self.tables[self.tables.index(table) + 1 :]
        return found, _beginning(following[0]) if following else None


def _beginning(table: str) -> PageStart:
    return (table, _BEFORE_ALL, "0" if table == counts.TABLE else _BEFORE_ALL)


async def _strange_wallets(
    connection: Connection, start: Sequence[str], up_to_position: int, limit: int
) -> tuple[list[str], tuple[str, str] | None]:
    rows = await connection.fetch(_STRANGERS, *start, limit, up_to_position)
    found = [
        f"{wallet_id(row['wallet_id'].hex)}: only the live table has it"
        for row in rows
        if row["stranger"]
    ]
    if len(rows) < limit:
        return found, None
    return found, (rows[-1]["tenant_id"].hex, rows[-1]["wallet_id"].hex)


async def _insert(
    connection: Connection, opened: Sequence[tuple[WalletNews[WalletView], WalletView]]
) -> None:
    await connection.execute(
        _INSERT,
        *spelled_keys([news.wallet for news, _ in opened]),
        [view.version for _, view in opened],
        [view.customer_id for _, view in opened],
        [view.user_id for _, view in opened],
        [view.currency for _, view in opened],
        [view.status for _, view in opened],
        [view.frozen for _, view in opened],
        [view.balance for _, view in opened],
        [view.available_balance for _, view in opened],
        *_expiring([view for _, view in opened]),
        [news.events[0].position for news, _ in opened],
        [view.created_at for _, view in opened],
        [view.updated_at for _, view in opened],
        [bytes(view.metadata).decode() for _, view in opened],
    )


async def _update(
    connection: Connection, changed: Sequence[tuple[StreamKey, WalletView, WalletView]]
) -> None:
    status = await connection.execute(
        _UPDATE,
        *spelled_keys([wallet for wallet, _, _ in changed]),
        spelled(before.version for _, before, _ in changed),
        spelled(before.balance for _, before, _ in changed),
        spelled(after.version for _, _, after in changed),
        spelled(after.status for _, _, after in changed),
        spelled(after.frozen for _, _, after in changed),
        spelled(after.balance for _, _, after in changed),
        spelled(after.available_balance for _, _, after in changed),
        *(spelled(column) for column in _expiring([after for _, _, after in changed])),
        spelled(after.updated_at for _, _, after in changed),
    )
    if status != f"UPDATE {len(changed)}":
        message = f"{len(changed)} rows are to be changed that another has changed: {status}"
        raise ProjectionMismatchError(message)


async def _update_standing(
    connection: Connection, told: Sequence[tuple[StreamKey, WalletView]]
) -> None:
    """How well customers are known: it seldom changes, so no other update pays for it."""
    views = [view for _, view in told]
    await connection.execute(
        _UPDATE_STANDING,
        *spelled_keys([wallet for wallet, _ in told]),
        [view.tier for view in views],
        [view.review for view in views],
        [view.bank_code for view in views],
        [view.account_number for view in views],
        [view.kyc_updated for view in views],
        [view.is_erased for view in views],
        [view.identity for view in views],
    )


def _expiring(
    views: Sequence[WalletView],
) -> tuple[list[int | None], list[datetime | None], list[int | None]]:
    expiring = [view.expiring for view in views]
    return (
        [None if each is None else each.amount for each in expiring],
        [None if each is None else each.next_at for each in expiring],
        [None if each is None else each.next_amount for each in expiring],
    )
