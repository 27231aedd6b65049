"""Every wallet as the log folds it: some in memory, the others in a temporary file."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from ledger.command_handling.wallet_cache import places_of
from ledger.domain.wallet import Wallet
from schemas.identifiers import StreamKey
from schemas.results import WalletView

_CREATE = """
CREATE TABLE states (tenant_id TEXT, wallet_id TEXT, version INTEGER, hash BLOB, view BLOB,
                     wallet BLOB, opened_position INTEGER,
                     PRIMARY KEY (tenant_id, wallet_id)) WITHOUT ROWID
"""
_GET = """
SELECT version, hash, view, wallet, opened_position FROM states
WHERE tenant_id = ? AND wallet_id = ?
"""
_PUT = "INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?, ?, ?)"
_PAGE = """
SELECT tenant_id, wallet_id, version, hash, view, wallet, opened_position FROM states
WHERE (tenant_id, wallet_id) > (?, ?) ORDER BY tenant_id, wallet_id LIMIT ?
"""

_PLACES_IN_MEMORY = 20_000
"""Each about a kilobyte, as the write side counts them: some tens of megabytes with the views."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(WalletView).decode
_decode_wallet = msgspec.json.Decoder(Wallet).decode


class WalletState(Struct, frozen=True, kw_only=True):
    """A wallet after its newest event."""

    version: int
    hash: bytes
    view: WalletView | None
    """None where an event contradicted the wallet: then nothing more can be said of it."""
    wallet: Wallet | None = None
    """The same as the write side has it."""
    opened_position: int = 0
    """Where the log has its first event."""


class WalletStates:
    """The states by wallet."""

    def __init__(self) -> None:
        # The empty name is SQLite's own for a temporary file that goes with the connection.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(_CREATE)
        self._in_memory: dict[StreamKey, WalletState] = {}
        self._taken = 0

    def get(self, wallet: StreamKey) -> WalletState | None:
        """One wallet's state, if the log has had an event of it so far."""
        if (state := self._in_memory.get(wallet)) is not None:
            return state
        row = self._database.execute(_GET, wallet).fetchone()
        return None if row is None else _state(*row)

    def put(self, states: Mapping[StreamKey, WalletState]) -> None:
        """Keep newer states."""
        for wallet, state in states.items():
            # The last to have changed comes last, and stays longest.
            if (kept := self._in_memory.pop(wallet, None)) is not None:
                self._taken -= places_of(kept.wallet)
            self._in_memory[wallet] = state
            self._taken += places_of(state.wallet)
        if self._taken > _PLACES_IN_MEMORY:
            self._write_out(self._longest_unchanged())

    def _longest_unchanged(self) -> list[StreamKey]:
        """So many that half of the places are free without them."""
        wallets: list[StreamKey] = []
        taken = self._taken
        for wallet, state in self._in_memory.items():
            if taken <= _PLACES_IN_MEMORY // 2:
                break
            wallets.append(wallet)
            taken -= places_of(state.wallet)
        return wallets

    def _write_out(self, wallets: Sequence[StreamKey]) -> None:
        states = {wallet: self._in_memory.pop(wallet) for wallet in wallets}
        self._taken -= sum(places_of(state.wallet) for state in states.values())
        self._database.execute("BEGIN")
        self._database.executemany(
            _PUT,
            [
                (
                    *wallet,
                    state.version,
                    state.hash,
                    None if state.view is None else _encode(state.view),
                    None if state.wallet is None else _encode(state.wallet),
                    state.opened_position,
                )
                for wallet, state in states.items()
            ],
        )
        self._database.execute("COMMIT")

    def pages(self, size: int) -> Iterator[list[tuple[StreamKey, WalletState]]]:
        """All of them, page by page."""
        self._write_out(list(self._in_memory))
        after = StreamKey("", "")
        while rows := self._database.execute(_PAGE, (*after, size)).fetchall():
            yield [(StreamKey(row[0], row[1]), _state(*row[2:])) for row in rows]
            after = StreamKey(rows[-1][0], rows[-1][1])

    def close(self) -> None:
        """Throw the file away."""
        self._database.close()


def _state(
    version: int, digest: bytes, view: bytes | None, wallet: bytes | None, opened_position: int
) -> WalletState:
    return WalletState(
        version=version,
        hash=digest,
        view=None if view is None else _decode(view),
        wallet=None if wallet is None else _decode_wallet(wallet),
        opened_position=opened_position,
    )
