"""Every part of a kind as the log folds it, kept in a temporary file so memory stays bounded."""

import sqlite3
from collections.abc import Iterator
from typing import Generic

import msgspec
from msgspec import Struct

from projections.balances.parts import EventT, PartKind, ViewT
from projections.interface import ProjectedEvent, ProjectionMismatchError
from schemas.identifiers import StreamKey

_CREATE = """
CREATE TABLE states (tenant_id TEXT, part_id TEXT, wallet_id TEXT, opened_version INTEGER,
                     version INTEGER, view BLOB, PRIMARY KEY (tenant_id, part_id)) WITHOUT ROWID
"""
_GET = "SELECT * FROM states WHERE tenant_id = ? AND part_id = ?"
_PUT = "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?, ?)"
_PAGE = """
SELECT * FROM states WHERE (tenant_id, part_id) > (?, ?) ORDER BY tenant_id, part_id LIMIT ?
"""

_encode = msgspec.json.Encoder().encode


class PartState(Struct, Generic[ViewT], frozen=True, kw_only=True):
    """A part after its newest event."""

    wallet: StreamKey
    part_id: str
    opened_version: int
    version: int
    view: ViewT | None
    """None where an event contradicted the part: then nothing more can be said of it."""


class PartStates(Generic[ViewT, EventT]):
    """The states of one kind, by part."""

    def __init__(self, kind: PartKind[ViewT, EventT]) -> None:
        self.kind = kind
        self._decode = msgspec.json.Decoder(kind.view_type).decode
        # The empty name is SQLite's own for a temporary file that goes with the connection.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(_CREATE)

    def fold(self, recorded: ProjectedEvent, event: EventT) -> None:
        """One more event of a part. Raises `ProjectionMismatchError`."""
        tenant_id, wallet_id = recorded.wallet
        part_id = self.kind.part_of(event)
        row = self._database.execute(_GET, (tenant_id, part_id)).fetchone()
        before = None if row is None else self._state(row)
        if before is not None and before.view is None:
            return
        opened_version = recorded.version if before is None else before.opened_version
        part = (tenant_id, part_id, wallet_id, opened_version, recorded.version)
        try:
            view = self.kind.evolve(None if before is None else before.view, recorded, event)
        except ProjectionMismatchError:
            self._database.execute(_PUT, (*part, None))
            raise
        self._database.execute(_PUT, (*part, _encode(view)))

    def pages(self, size: int) -> Iterator[list[PartState[ViewT]]]:
        """All of them, page by page."""
        after = ("", "")
        while rows := self._database.execute(_PAGE, (*after, size)).fetchall():
            yield [self._state(row) for row in rows]
            after = rows[-1][:2]

    def close(self) -> None:
        """Throw the file away."""
        self._database.close()

    def _state(self, row: tuple[str, str, str, int, int, bytes | None]) -> PartState[ViewT]:
        tenant_id, part_id, wallet_id, opened_version, version, view = row
        return PartState(
            wallet=StreamKey(tenant_id, wallet_id),
            part_id=part_id,
            opened_version=opened_version,
            version=version,
            view=None if view is None else self._decode(view),
        )
