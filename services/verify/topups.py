"""`topups` against the fold of the log, each row as far as its wallet's row in `balances` is."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from projections.balances.evolve import evolve_topup, topup_event
from projections.balances.rows import topup_view
from projections.interface import Connection, ProjectedEvent, ProjectionMismatchError
from projections.log import read_stream
from schemas.events import UnknownEventError
from schemas.identifiers import hex_of, topup_id, wallet_id
from schemas.results import TopupView
from services.runtime.sql import load_statement
from services.verify.report import Report
from services.verify.topup_states import TopupState, TopupStates

_READ_TOPUPS = load_statement(__file__, "read_topups")
_PAGE_TOPUPS = load_statement(__file__, "page_topups")
_TOPUPS_PAGE = 1000
_ROWS_PAGE = 5000
_EVENTS_PAGE = 2000
_BEFORE_ALL = UUID(int=0)
_UNFOLDABLE = (ProjectionMismatchError, UnknownEventError, msgspec.MsgspecError)
"""An event that cannot be read, or that contradicts those before it."""


class Topups:
    """Checks `topups`."""

    def __init__(self, connection: Connection, states: TopupStates, report: Report) -> None:
        self._connection = connection
        self._states = states
        self._equal = report.invariant("top-ups equal the fold of the log")
        self._strangers = report.invariant("top-ups are all in the log")

    def fold(self, events: Sequence[ProjectedEvent]) -> None:
        """Fold what a page of the log says of top-ups."""
        for recorded in events:
            try:
                event = topup_event(recorded)
                if event is not None:
                    self._states.fold(recorded, event)
            except _UNFOLDABLE as error:
                self._equal.fail(str(error))

    async def check(self) -> None:
        """Compare every top-up's row, when the log has been read."""
        for page in self._states.pages(_TOPUPS_PAGE):
            rows = await self._connection.fetch(
                _READ_TOPUPS,
                [state.wallet.tenant_id for state in page],
                [hex_of(state.wallet.wallet_id) for state in page],
                [hex_of(state.topup_id) for state in page],
            )
            for row in rows:
                state = page[row["place"] - 1]
                if state.view is not None:
                    await self._check(state, row)
        after: tuple[UUID, UUID] = (_BEFORE_ALL, _BEFORE_ALL)
        while rows := await self._connection.fetch(_PAGE_TOPUPS, *after, _ROWS_PAGE):
            for row in rows:
                identifier = topup_id(row["topup_id"].hex)
                self._strangers.check(row["in_log"], f"{identifier}: no event made it")
            after = (rows[-1]["tenant_id"], rows[-1]["topup_id"])

    async def _check(self, state: TopupState, row: asyncpg.Record) -> None:
        found = None
        if row["topup_id"] is not None:
            found = topup_view(wallet_id(row["wallet_id"].hex), row)
        expected = state.view
        as_read = found is not None and found.version == state.version
        if not as_read or row["complete_to"] < state.version:
            try:
                expected = await self._view_at(state, row["complete_to"])
            except _UNFOLDABLE as error:
                self._equal.fail(str(error))
                return
        is_equal = msgspec.json.encode(found) == msgspec.json.encode(expected)
        self._equal.check(is_equal, f"{state.topup_id}: {found}, the log says {expected}")

    async def _view_at(self, state: TopupState, version: int) -> TopupView | None:
        """The top-up as the log folds it to a version of its wallet; None before it was made."""
        view: TopupView | None = None
        at = state.opened_version - 1
        while at < version:
            limit = min(_EVENTS_PAGE, version - at)
            events = await read_stream(self._connection, state.wallet, at, limit)
            if not events:
                break
            for recorded in events:
                event = topup_event(recorded)
                if event is not None and event.topup_id == state.topup_id:
                    view = evolve_topup(view, recorded, event)
            at = events[-1].version
        return view
