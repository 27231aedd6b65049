"""`holds` against the fold of the log, each row as far as its wallet's row in `balances` is."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from projections.balances.evolve import evolve_hold, hold_event
from projections.balances.rows import hold_view
from projections.interface import Connection, ProjectedEvent, ProjectionMismatchError
from projections.log import read_stream
from schemas.events import UnknownEventError
from schemas.identifiers import hex_of, hold_id, wallet_id
from schemas.results import HoldView
from services.runtime.sql import load_statement
from services.verify.hold_states import HoldState, HoldStates
from services.verify.report import Report

_READ_HOLDS = load_statement(__file__, "read_holds")
_PAGE_HOLDS = load_statement(__file__, "page_holds")
_HOLDS_PAGE = 1000
_ROWS_PAGE = 5000
_EVENTS_PAGE = 2000
_BEFORE_ALL = UUID(int=0)
_UNFOLDABLE = (ProjectionMismatchError, UnknownEventError, msgspec.MsgspecError)
"""An event that cannot be read, or that contradicts those before it."""


class Holds:
    """Checks `holds`."""

    def __init__(self, connection: Connection, states: HoldStates, report: Report) -> None:
        self._connection = connection
        self._states = states
        self._equal = report.invariant("holds equal the fold of the log")
        self._strangers = report.invariant("holds are all in the log")

    def fold(self, events: Sequence[ProjectedEvent]) -> None:
        """Fold what a page of the log says of holds."""
        for recorded in events:
            try:
                event = hold_event(recorded)
                if event is not None:
                    self._states.fold(recorded, event)
            except _UNFOLDABLE as error:
                self._equal.fail(str(error))

    async def check(self) -> None:
        """Compare every hold's row, when the log has been read."""
        for page in self._states.pages(_HOLDS_PAGE):
            rows = await self._connection.fetch(
                _READ_HOLDS,
                [state.wallet.tenant_id for state in page],
                [hex_of(state.wallet.wallet_id) for state in page],
                [hex_of(state.hold_id) for state in page],
            )
            for row in rows:
                state = page[row["place"] - 1]
                if state.view is not None:
                    await self._check(state, row)
        after: tuple[UUID, UUID] = (_BEFORE_ALL, _BEFORE_ALL)
        while rows := await self._connection.fetch(_PAGE_HOLDS, *after, _ROWS_PAGE):
            for row in rows:
                identifier = hold_id(row["hold_id"].hex)
                self._strangers.check(row["in_log"], f"{identifier}: no event placed it")
            after = (rows[-1]["tenant_id"], rows[-1]["hold_id"])

    async def _check(self, state: HoldState, row: asyncpg.Record) -> None:
        found = None
        if row["hold_id"] is not None:
            found = hold_view(wallet_id(row["wallet_id"].hex), row)
        expected = state.view
        as_read = found is not None and found.version == state.version
        if not as_read or row["complete_to"] < state.version:
            try:
                expected = await self._view_at(state, row["complete_to"])
            except _UNFOLDABLE as error:
                self._equal.fail(str(error))
                return
        if found == expected:
            self._equal.hold()
        else:
            self._equal.fail(f"{state.hold_id}: {found}, the log says {expected}")

    async def _view_at(self, state: HoldState, version: int) -> HoldView | None:
        """The hold as the log folds it to a version of its wallet; None before it was placed."""
        view: HoldView | None = None
        at = state.opened_version - 1
        while at < version:
            limit = min(_EVENTS_PAGE, version - at)
            events = await read_stream(self._connection, state.wallet, at, limit)
            if not events:
                break
            for recorded in events:
                event = hold_event(recorded)
                if event is not None and event.hold_id == state.hold_id:
                    view = evolve_hold(view, recorded, event)
            at = events[-1].version
        return view
