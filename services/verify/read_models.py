"""The read models against the fold of the log, each row at its own version.

A row that is behind is no error while its projector has not come that far; one that lacks
what its projector's checkpoint says was folded is, and so is one that the log does not have.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from projections.balances.evolve import fold
from projections.balances.rows import wallet_view
from projections.checkpoint import check_log
from projections.interface import Connection, LogDivergedError, ProjectedEvent
from projections.log import read_stream
from projections.transactions.evolve import reversed_after, transaction_of
from projections.transactions.read_model import transaction_view
from schemas.identifiers import StreamKey, hex_of, wallet_id
from schemas.results import WalletView
from services.runtime.sql import load_statement
from services.verify.checkpoints import Reached, read_folded
from services.verify.decoding import UNFOLDABLE, decode_once
from services.verify.differences import differing, differing_field
from services.verify.report import Report
from services.verify.wallet_states import WalletState, WalletStates

_READ_TRANSACTIONS = load_statement(__file__, "read_transactions")
_READ_BALANCES = load_statement(__file__, "read_balances")
_PAGE_BALANCES = load_statement(__file__, "page_balances")
_PAGE_PROGRESS = load_statement(__file__, "page_progress")
_PAGE_TRANSACTIONS = load_statement(__file__, "page_transactions")
_WALLETS_PAGE = 1000
_ROWS_PAGE = 5000
_EVENTS_PAGE = 2000
_BEFORE_ALL = UUID(int=0)
_LACKS = {
    "balances": "balance_lacks",
    "transactions": "history_lacks",
    "trial_balance": "journal_lacks",
}
"""Each projection, and the column with the first position that it has not of a wallet."""


class ReadModels:
    """Checks `balances` and `transactions`."""

    def __init__(self, connection: Connection, states: WalletStates, report: Report) -> None:
        self._connection = connection
        self._states = states
        self._checkpoints = report.invariant("checkpoints are of this log")
        self._balances = report.invariant("balances equal the fold of the log")
        self._lines = report.invariant("transactions equal the fold of the log")
        self._complete = report.invariant("read models hold what their checkpoints say")
        self._strangers = report.invariant("read models hold nothing that the log has not")

    async def check_transactions(self, events: Sequence[ProjectedEvent]) -> None:
        """Compare the lines of a page of events, where the histories have come that far."""
        rows = await self._connection.fetch(
            _READ_TRANSACTIONS,
            *_keys([event.wallet for event in events]),
            [event.version for event in events],
        )
        for row in rows:
            event = events[row["place"] - 1]
            if row["complete_to"] < event.version:
                continue
            found = None
            if row["version"] is not None:
                found = transaction_view(event.wallet.stream_id, row)
            try:
                expected = transaction_of(event, decode_once)
                reversed_by_then = reversed_after(event)
            except UNFOLDABLE as error:
                self._lines.fail(str(error))
                continue
            if row["reversed_after"] == reversed_by_then and found == expected:
                self._lines.hold()
                continue
            said = (
                differing(found, expected)
                if found != expected
                else differing_field("reversed_after", row["reversed_after"], reversed_by_then)
            )
            self._lines.fail(f"{event.wallet.stream_id} version {event.version}: {said}")

    async def check_balances(self) -> None:
        """Compare every wallet's row, when the log has been read."""
        for name in _LACKS:
            try:
                await check_log(self._connection, name)
            except LogDivergedError as error:
                self._checkpoints.fail(str(error))
            else:
                self._checkpoints.hold()
        for page in self._states.pages(_WALLETS_PAGE):
            # The checkpoints first: the rows that are read after them hold that much, or more.
            reached = {name: await read_folded(self._connection, name) for name in _LACKS}
            rows = await self._connection.fetch(
                _READ_BALANCES, *_keys([wallet for wallet, _ in page])
            )
            for row in rows:
                wallet, state = page[row["place"] - 1]
                for name, column in _LACKS.items():
                    self._check_complete(wallet, name, reached[name], row[column])
                if row["lines"] is not None:
                    self._lines.check(
                        row["lines"] == row["counted_lines"],
                        f"{wallet.stream_id}: it says {row['lines']} lines and has "
                        f"{row['counted_lines']}",
                    )
                if row["version"] is not None and state.view is not None:
                    await self._check_balance(wallet, state, row)

    async def check_strangers(self) -> None:
        """Look for rows that no event explains."""
        for name, statement in (
            ("balances", _PAGE_BALANCES),
            ("transaction_progress", _PAGE_PROGRESS),
        ):
            after: tuple[object, ...] = (_BEFORE_ALL, _BEFORE_ALL)
            while rows := await self._connection.fetch(statement, *after, _ROWS_PAGE):
                self._check_strangers(name, rows)
                after = (rows[-1]["tenant_id"], rows[-1]["wallet_id"])
        after = (_BEFORE_ALL, _BEFORE_ALL, "", 0)
        while rows := await self._connection.fetch(_PAGE_TRANSACTIONS, *after, _ROWS_PAGE):
            self._check_strangers("transactions", rows)
            last = rows[-1]
            after = (last["tenant_id"], last["wallet_id"], last["status"], last["version"])

    def _check_strangers(self, name: str, rows: Sequence[asyncpg.Record]) -> None:
        for row in rows:
            if not row["in_log"]:
                identifier = wallet_id(row["wallet_id"].hex)
                self._strangers.fail(f"{name}: {identifier} version {row['version']}")
        self._strangers.hold(sum(row["in_log"] for row in rows))

    def _check_complete(
        self, wallet: StreamKey, name: str, reached: Reached, lacks_position: int | None
    ) -> None:
        if lacks_position is None or lacks_position > reached.position_of(wallet):
            self._complete.hold()
            return
        self._complete.fail(
            f"{name}: {wallet.stream_id} lacks position {lacks_position}, "
            f"its checkpoint is {reached.position_of(wallet)}"
        )

    async def _check_balance(
        self, wallet: StreamKey, state: WalletState, row: asyncpg.Record
    ) -> None:
        found = wallet_view(wallet.stream_id, row)
        expected = state.view
        if found.version != state.version:
            expected = await self._view_at(wallet, state, found.version)
        if found != expected:
            self._balances.fail(f"{wallet.stream_id}: {differing(found, expected)}")
        elif row["opened_position"] != state.opened_position:
            self._balances.fail(
                f"{wallet.stream_id}: opened at position {row['opened_position']}, the log says "
                f"{state.opened_position}"
            )
        else:
            self._balances.hold()

    async def _view_at(
        self, wallet: StreamKey, state: WalletState, version: int
    ) -> WalletView | None:
        """The wallet as the log folds it to a version; None if the log has no such version."""
        view = state.view if version > state.version else None
        while (at := 0 if view is None else view.version) < version:
            limit = min(_EVENTS_PAGE, version - at)
            events = await read_stream(self._connection, wallet, at, limit)
            try:
                view = fold(view, events)
            except UNFOLDABLE:
                return None
            if not events:
                return None
        return view


def _keys(wallets: Sequence[StreamKey]) -> tuple[list[str], list[str]]:
    return (
        [wallet.tenant_id for wallet in wallets],
        [hex_of(wallet.stream_id) for wallet in wallets],
    )
