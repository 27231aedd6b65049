"""Snapshots: a wallet's state kept so that a long stream need not be folded from its start."""

import msgspec

from ledger.command_handling.wallet_cache import NOTHING_KNOWN, Known, fold
from ledger.domain.wallet import Wallet
from ledger.domain.wallet.state import STATE_VERSION
from ledger.event_log.interface import COLD_WALLET_EVENTS, EventLog, Snapshot, StoredWallet
from schemas.identifiers import StreamKey

SNAPSHOT_EVERY_EVENTS = 32
SNAPSHOTS_AT_ONCE = 40
"""Wallets that are used alike get due together; encoding many at once would hold up commands."""
_PAGE_EVENTS = 1_000

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Wallet).decode


def is_due(known: Known) -> bool:
    """Whether enough happened since the newest snapshot to write another."""
    return known.version - known.snapshot_version >= SNAPSHOT_EVERY_EVENTS


def snapshot_of(known: Known) -> Snapshot:
    """The snapshot of a committed state."""
    assert known.wallet is not None, "there is something to keep"
    return Snapshot(
        version=known.version,
        event_hash=known.hash,
        state_version=STATE_VERSION,
        state=_encode(known.wallet),
    )


def restore(stored: StoredWallet) -> Known | None:
    """The wallet out of a snapshot and the events after it; None if the snapshot cannot be used.

    A snapshot counts only if it has today's shape and the hash that the log has there.
    """
    snapshot = stored.snapshot
    if snapshot is None:
        return fold(NOTHING_KNOWN, stored.events)
    if snapshot.state_version != STATE_VERSION or snapshot.event_hash != stored.snapshot_event_hash:
        return None
    try:
        wallet = _decode(snapshot.state)
    except msgspec.DecodeError:
        return None
    if wallet.version != snapshot.version:
        return None
    return fold(Known(wallet, snapshot.event_hash, snapshot.version), stored.events)


async def load(log: EventLog, key: StreamKey, stored: StoredWallet) -> Known:
    """The wallet at its newest version, reading on where `stored` stops."""
    known = restore(stored)
    if known is None:
        known = NOTHING_KNOWN
    elif len(stored.events) < COLD_WALLET_EVENTS:
        return known
    while page := await log.read_stream(key, known.version, _PAGE_EVENTS):
        known = fold(known, page)
        if len(page) < _PAGE_EVENTS:
            break
    return known
