"""Every hold as the log folds it, kept in a temporary file so that memory stays bounded."""

import sqlite3
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from projections.balances.evolve import HoldEvent, evolve_hold
from projections.interface import ProjectedEvent, ProjectionMismatchError, WalletKey
from schemas.results import HoldView

_CREATE = """
CREATE TABLE states (tenant_id TEXT, hold_id TEXT, wallet_id TEXT, opened_version INTEGER,
                     version INTEGER, view BLOB, PRIMARY KEY (tenant_id, hold_id)) WITHOUT ROWID
"""
_GET = "SELECT * FROM states WHERE tenant_id = ? AND hold_id = ?"
_PUT = "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?, ?)"
_PAGE = """
SELECT * FROM states WHERE (tenant_id, hold_id) > (?, ?) ORDER BY tenant_id, hold_id LIMIT ?
"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(HoldView).decode


class HoldState(Struct, frozen=True, kw_only=True):
    """A hold after its newest event."""

    wallet: WalletKey
    hold_id: str
    opened_version: int
    version: int
    view: HoldView | None
    """None where an event contradicted the hold: then nothing more can be said of it."""


class HoldStates:
    """The states by hold."""

    def __init__(self) -> None:
        # The empty name is SQLite's own for a temporary file that goes with the connection.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(_CREATE)

    def fold(self, recorded: ProjectedEvent, event: HoldEvent) -> None:
        """One more event of a hold. Raises `ProjectionMismatchError`."""
        tenant_id, wallet_id = recorded.wallet
        row = self._database.execute(_GET, (tenant_id, event.hold_id)).fetchone()
        before = None if row is None else _state(row)
        if before is not None and before.view is None:
            return
        opened_version = recorded.version if before is None else before.opened_version
        hold = (tenant_id, event.hold_id, wallet_id, opened_version, recorded.version)
        try:
            view = evolve_hold(None if before is None else before.view, recorded, event)
        except ProjectionMismatchError:
            self._database.execute(_PUT, (*hold, None))
            raise
        self._database.execute(_PUT, (*hold, _encode(view)))

    def pages(self, size: int) -> Iterator[list[HoldState]]:
        """All of them, page by page."""
        after = ("", "")
        while rows := self._database.execute(_PAGE, (*after, size)).fetchall():
            yield [_state(row) for row in rows]
            after = rows[-1][:2]

    def close(self) -> None:
        """Throw the file away."""
        self._database.close()


def _state(row: tuple[str, str, str, int, int, bytes | None]) -> HoldState:
    tenant_id, hold_id, wallet_id, opened_version, version, view = row
    return HoldState(
        wallet=WalletKey(tenant_id, wallet_id),
        hold_id=hold_id,
        opened_version=opened_version,
        version=version,
        view=None if view is None else _decode(view),
    )
