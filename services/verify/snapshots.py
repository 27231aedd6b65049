"""`snapshots` against the fold of the log by the write side's own rules.

A writer that starts trusts a snapshot whose shape and hash are right: its state is covered by no
hash, and none could help, as whoever may write the one may write the other.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from ledger.domain.wallet import Wallet
from ledger.domain.wallet.state import STATE_VERSION
from projections.interface import Connection, ProjectedEvent
from schemas.identifiers import StreamKey, hex_of, wallet_id
from services.runtime.sql import load_statement
from services.verify.differences import differing
from services.verify.report import Report
from services.verify.wallet_states import WalletState

_READ_SNAPSHOTS = load_statement(__file__, "read_snapshots")
_PAGE_SNAPSHOTS = load_statement(__file__, "page_snapshots")
_ROWS_PAGE = 5000
_BEFORE_ALL = UUID(int=0)
_decode = msgspec.json.Decoder(Wallet).decode


class Snapshots:
    """Checks `snapshots`, each when the log has been read up to its version."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._equal = report.invariant("snapshots equal the write side's fold of the log")
        self._of_page: dict[tuple[StreamKey, int], asyncpg.Record] = {}

    async def read(self, events: Sequence[ProjectedEvent]) -> None:
        """Read the snapshots at versions that a page of the log leads to."""
        versions: dict[StreamKey, tuple[int, int]] = {}
        for event in events:
            first, last = versions.get(event.wallet, (event.version, event.version))
            versions[event.wallet] = (min(first, event.version), max(last, event.version))
        wallets = list(versions)
        rows = await self._connection.fetch(
            _READ_SNAPSHOTS,
            [wallet.tenant_id for wallet in wallets],
            [hex_of(wallet.stream_id) for wallet in wallets],
            [first for first, _ in versions.values()],
            [last for _, last in versions.values()],
        )
        self._of_page = {(wallets[row["place"] - 1], row["version"]): row for row in rows}

    def compare(self, wallet: StreamKey, state: WalletState) -> None:
        """Compare the snapshot of this version, if there is one that a writer would read."""
        row = self._of_page.get((wallet, state.version))
        if row is None or row["state_version"] != STATE_VERSION or state.wallet is None:
            return
        named = f"{wallet.stream_id} of {wallet.tenant_id} at version {state.version}"
        if row["event_hash"] != state.hash:
            self._equal.fail(f"{named}: the snapshot is of another event")
            return
        try:
            found = _decode(row["state"])
        except msgspec.MsgspecError as error:
            self._equal.fail(f"{named}: the snapshot cannot be read: {error}")
            return
        if found == state.wallet:
            self._equal.hold()
        else:
            self._equal.fail(f"{named}: {differing(found, state.wallet)}")

    async def check_strangers(self) -> None:
        """Look for snapshots of what the log does not have."""
        after = (_BEFORE_ALL, _BEFORE_ALL)
        while rows := await self._connection.fetch(_PAGE_SNAPSHOTS, *after, _ROWS_PAGE):
            for row in rows:
                if not row["in_log"]:
                    identifier = wallet_id(row["stream_id"].hex)
                    self._equal.fail(
                        f"{identifier} of {row['tenant_id']}: the log has no version "
                        f"{row['version']} as its snapshot is of"
                    )
            after = (rows[-1]["tenant_id"], rows[-1]["stream_id"])
