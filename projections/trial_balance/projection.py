"""Books every movement of money: entries, subtotals, accounts, by whole batches of events."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from projections.arrays import spelled, spelled_keys
from projections.interface import Connection, EventRange, PageStart, ProjectedEvent, WalletNews
from projections.statements import load_statement
from projections.trial_balance.evolve import Entry, entry_of
from schemas.identifiers import StreamKey, wallet_id

BLOCK_POSITIONS = 16_384
"""How many positions a subtotal is of; the tables' statements have the same number."""
LOOK_AHEAD = 200_000
"""How many events a batch looks at, at most, to say how far the journal is complete."""

_LOAD = load_statement(__file__, "load")
_LOCK = load_statement(__file__, "lock")
_BOOK = load_statement(__file__, "book")
_SAVE_PROGRESS = load_statement(__file__, "save_progress")
_REACHED = load_statement(__file__, "reached")
_SAVE_COMPLETENESS = load_statement(__file__, "save_completeness")
_POSITIONS = load_statement(__file__, "positions")
_COMPARE = load_statement(__file__, "compare")
_COMPARE_SUBTOTALS = load_statement(__file__, "compare_subtotals")
_COMPARE_ACCOUNTS = load_statement(__file__, "compare_accounts")
_STRANGERS = load_statement(__file__, "strangers")
_BEFORE_ALL = UUID(int=0).hex
_COLUMNS = ("tenant_id", "debit_account", "credit_account", "currency", "position", "amount")

Booked = tuple[str, str, str, int]
"""Tenant, account, currency, block."""


class Progress(Struct, frozen=True, kw_only=True, gc=False):
    """How far a wallet's events are booked."""

    version: int


class TrialBalanceProjection:
    """The journal, and the accounts that it adds up to."""

    name = "trial_balance"
    tables = (
        "journal_progress",
        "journal_completeness",
        "accounts",
        "account_subtotals",
        "journal_entries",
    )

    async def load(
        self, connection: Connection, wallets: Sequence[StreamKey]
    ) -> Mapping[StreamKey, Progress]:
        """How far these wallets' events are booked."""
        rows = await connection.fetch(_LOAD, *spelled_keys(wallets))
        return {wallets[row["place"] - 1]: Progress(version=row["version"]) for row in rows}

    async def store(
        self, connection: Connection, news: Sequence[WalletNews[Progress]]
    ) -> Mapping[StreamKey, Progress]:
        """Book the events, each account once for all of them; say how far the journal is whole."""
        entries = [
            (event, entry)
            for each in news
            for event in each.events
            if (entry := entry_of(event)) is not None
        ]
        await connection.execute(_LOCK)
        if entries:
            await _book(connection, entries)
        await connection.execute(
            _SAVE_PROGRESS,
            *spelled_keys([each.wallet for each in news]),
            spelled(each.events[-1].version for each in news),
        )
        reached = await connection.fetchval(_REACHED, LOOK_AHEAD)
        await connection.execute(_SAVE_COMPLETENESS, reached)
        return {each.wallet: Progress(version=each.events[-1].version) for each in news}

    async def compare(self, connection: Connection, ranges: Sequence[EventRange]) -> list[str]:
        """Entries that are not equal in both: an event has two equal ones, or none."""
        events = await connection.fetch(
            _POSITIONS,
            *spelled_keys([each.wallet for each in ranges]),
            [each.first_version for each in ranges],
            [each.last_version for each in ranges],
        )
        found: dict[tuple[UUID, int], list[tuple[str, str]]] = {
            (row["tenant_id"], row["position"]): [] for row in events
        }
        positions = [position for _, position in found]
        if not positions:
            return []
        rows = await connection.fetch(
            _COMPARE, list({tenant for tenant, _ in found}), min(positions), max(positions)
        )
        for row in rows:
            sides = found.get((row["tenant_id"], row["position"]))
            if sides is not None:
                sides.append((row["side"], row["content"]))
        return [
            f"position {position}: {', '.join(' '.join(side) for side in sides)}"
            for (_, position), sides in found.items()
            if sides and (len(sides) != 2 or sides[0][1] != sides[1][1])
        ]

    async def strangers(
        self, connection: Connection, after: PageStart | None, up_to_position: int, limit: int
    ) -> tuple[list[str], PageStart | None]:
        """Live progress of wallets that the rebuilt tables lack; then sums that are wrong."""
        start = after or (_BEFORE_ALL, _BEFORE_ALL)
        rows = await connection.fetch(_STRANGERS, *start, limit, up_to_position)
        found = [
            f"{wallet_id(row['wallet_id'].hex)}: only the live tables have it"
            for row in rows
            if row["stranger"]
        ]
        if len(rows) == limit:
            return found, (rows[-1]["tenant_id"].hex, rows[-1]["wallet_id"].hex)
        return found + await _wrong_sums(connection), None


async def _wrong_sums(connection: Connection) -> list[str]:
    subtotals = await connection.fetch(_COMPARE_SUBTOTALS)
    accounts = await connection.fetch(_COMPARE_ACCOUNTS)
    return [
        f"{row['account']}:{row['currency']} block {row['block']}: "
        f"live {row['live']}, rebuilt {row['rebuilt']}"
        for row in subtotals
    ] + [
        f"{row['account']}:{row['currency']}: live {row['shown']}, its subtotals {row['added_up']}"
        for row in accounts
    ]


async def _book(connection: Connection, entries: Sequence[tuple[ProjectedEvent, Entry]]) -> None:
    await connection.copy_records_to_table(
        "journal_entries",
        columns=_COLUMNS,
        records=[
            (
                event.wallet.tenant_id,
                entry.debit,
                entry.credit,
                entry.currency,
                event.position,
                entry.amount,
            )
            for event, entry in entries
        ],
    )
    sums = added_up(entries)
    await connection.execute(
        _BOOK,
        *([key[place] for key in sums] for place in range(4)),
        *([total[place] for total in sums.values()] for place in range(3)),
    )


def added_up(entries: Iterable[tuple[ProjectedEvent, Entry]]) -> dict[Booked, tuple[int, int, int]]:
    """Debits, credits and number of entries, by account and block."""
    pairs: dict[tuple[str, str, str, str, int], list[int]] = {}
    for event, entry in entries:
        pair = (
            event.wallet.tenant_id,
            entry.debit,
            entry.credit,
            entry.currency,
            event.position // BLOCK_POSITIONS,
        )
        known = pairs.get(pair)
        if known is None:
            pairs[pair] = [entry.amount, 1]
        else:
            known[0] += entry.amount
            known[1] += 1
    sums: dict[Booked, tuple[int, int, int]] = {}
    for (tenant_id, debit, credit, currency, block), (amount, count) in pairs.items():
        for key, debited, credited in (
            ((tenant_id, debit, currency, block), amount, 0),
            ((tenant_id, credit, currency, block), 0, amount),
        ):
            before = sums.get(key, (0, 0, 0))
            sums[key] = (before[0] + debited, before[1] + credited, before[2] + count)
    return sums
