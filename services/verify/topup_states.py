"""Every top-up as the log folds it, kept in a temporary file so that memory stays bounded."""

import sqlite3
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from projections.balances.evolve import TopupEvent, evolve_topup
from projections.interface import ProjectedEvent, ProjectionMismatchError, WalletKey
from schemas.results import TopupView

_CREATE = """
CREATE TABLE states (tenant_id TEXT, topup_id TEXT, wallet_id TEXT, opened_version INTEGER,
                     version INTEGER, view BLOB, PRIMARY KEY (tenant_id, topup_id)) WITHOUT ROWID
"""
_GET = "SELECT * FROM states WHERE tenant_id = ? AND topup_id = ?"
_PUT = "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?, ?)"
_PAGE = """
SELECT * FROM states WHERE (tenant_id, topup_id) > (?, ?) ORDER BY tenant_id, topup_id LIMIT ?
"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TopupView).decode


class TopupState(Struct, frozen=True, kw_only=True):
    """A top-up after its newest event."""

    wallet: WalletKey
    topup_id: str
    opened_version: int
    version: int
    view: TopupView | None
    """None where an event contradicted the top-up: then nothing more can be said of it."""


class TopupStates:
    """The states by top-up."""

    def __init__(self) -> None:
        # The empty name is SQLite's own for a temporary file that goes with the connection.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(_CREATE)

    def fold(self, recorded: ProjectedEvent, event: TopupEvent) -> None:
        """One more event of a top-up. Raises `ProjectionMismatchError`."""
        tenant_id, wallet_id = recorded.wallet
        row = self._database.execute(_GET, (tenant_id, event.topup_id)).fetchone()
        before = None if row is None else _state(row)
        if before is not None and before.view is None:
            return
        opened_version = recorded.version if before is None else before.opened_version
        topup = (tenant_id, event.topup_id, wallet_id, opened_version, recorded.version)
        try:
            view = evolve_topup(None if before is None else before.view, recorded, event)
        except ProjectionMismatchError:
            self._database.execute(_PUT, (*topup, None))
            raise
        self._database.execute(_PUT, (*topup, _encode(view)))

    def pages(self, size: int) -> Iterator[list[TopupState]]:
        """All of them, page by page."""
        after = ("", "")
        while rows := self._database.execute(_PAGE, (*after, size)).fetchall():
            yield [_state(row) for row in rows]
            after = rows[-1][:2]

    def close(self) -> None:
        """Throw the file away."""
        self._database.close()


def _state(row: tuple[str, str, str, int, int, bytes | None]) -> TopupState:
    tenant_id, topup_id, wallet_id, opened_version, version, view = row
    return TopupState(
        wallet=WalletKey(tenant_id, wallet_id),
        topup_id=topup_id,
        opened_version=opened_version,
        version=version,
        view=None if view is None else _decode(view),
    )
