"""`holds` and `topups` against the fold of the log.

Each row is compared as far as its wallet's row in `balances` is.
"""

from collections.abc import Sequence
from typing import Generic
from uuid import UUID

import asyncpg

from projections.balances.parts import EventT, ViewT
from projections.interface import Connection, ProjectedEvent
from projections.log import read_stream
from schemas.identifiers import hex_of, wallet_id
from services.runtime.sql import load_statement
from services.verify.decoding import UNFOLDABLE
from services.verify.differences import differing
from services.verify.part_states import PartState, PartStates
from services.verify.report import Report

_READ = {
    "holds": load_statement(__file__, "read_holds"),
    "topups": load_statement(__file__, "read_topups"),
}
_PAGE = {
    "holds": load_statement(__file__, "page_holds"),
    "topups": load_statement(__file__, "page_topups"),
}
_PARTS_PAGE = 1000
_ROWS_PAGE = 5000
_EVENTS_PAGE = 2000
_BEFORE_ALL = UUID(int=0)


class Parts(Generic[ViewT, EventT]):
    """Checks the table of one kind of part."""

    def __init__(
        self, connection: Connection, states: PartStates[ViewT, EventT], report: Report
    ) -> None:
        self._kind = states.kind
        self._connection = connection
        self._states = states
        self._equal = report.invariant(f"{states.kind.name} equal the fold of the log")
        self._strangers = report.invariant(f"{states.kind.name} are all in the log")

    def fold(self, events: Sequence[ProjectedEvent]) -> None:
        """Fold what a page of the log says of them."""
        for recorded in events:
            try:
                event = self._kind.event_of(recorded)
                if event is not None:
                    self._states.fold(recorded, event)
            except UNFOLDABLE as error:
                self._equal.fail(str(error))

    async def check(self) -> None:
        """Compare every row, when the log has been read."""
        table = self._kind.table
        for page in self._states.pages(_PARTS_PAGE):
            rows = await self._connection.fetch(
                _READ[table],
                [state.wallet.tenant_id for state in page],
                [hex_of(state.wallet.stream_id) for state in page],
                [hex_of(state.part_id) for state in page],
            )
            for row in rows:
                state = page[row["place"] - 1]
                if state.view is not None:
                    await self._check(state, row)
        after: tuple[UUID, UUID] = (_BEFORE_ALL, _BEFORE_ALL)
        while rows := await self._connection.fetch(_PAGE[table], *after, _ROWS_PAGE):
            for row in rows:
                self._strangers.check(row["in_log"], f"{self._kind.id_in(row)}: no event opened it")
            after = (rows[-1]["tenant_id"], rows[-1][self._kind.id_column])

    async def _check(self, state: PartState[ViewT], row: asyncpg.Record) -> None:
        found = None
        if row[self._kind.id_column] is not None:
            found = self._kind.view_of(wallet_id(row["wallet_id"].hex), row)
        expected = state.view
        as_read = found is not None and found.version == state.version
        if not as_read or row["complete_to"] < state.version:
            try:
                expected = await self._view_at(state, row["complete_to"])
            except UNFOLDABLE as error:
                self._equal.fail(str(error))
                return
        if found == expected:
            self._equal.hold()
        else:
            self._equal.fail(f"{state.part_id}: {differing(found, expected)}")

    async def _view_at(self, state: PartState[ViewT], version: int) -> ViewT | None:
        """The part as the log folds it to a version of its wallet; None before it was opened."""
        view: ViewT | None = None
        at = state.opened_version - 1
        while at < version:
            limit = min(_EVENTS_PAGE, version - at)
            events = await read_stream(self._connection, state.wallet, at, limit)
            if not events:
                break
            for recorded in events:
                event = self._kind.event_of(recorded)
                if event is not None and self._kind.part_of(event) == state.part_id:
                    view = self._kind.evolve(view, recorded, event)
            at = events[-1].version
        return view
