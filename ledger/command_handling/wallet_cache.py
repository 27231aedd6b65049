"""The wallets of this process: each one's state as the newest append left it.

Bounded, least recently used out first. It holds committed states only.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from ledger.domain.wallet import INITIAL, Wallet, evolve
from ledger.event_log.interface import GENESIS_HASH
from schemas.events import RecordedEvent, decode_event
from schemas.identifiers import StreamKey

_METADATA_PER_PLACE = 512
_PARTS_PER_PLACE = 8


class Known(Struct, frozen=True, gc=False):
    """A wallet's state and its newest event's hash, which the next event chains to."""

    wallet: Wallet | None
    hash: bytes
    snapshot_version: int
    """How many of its events the newest snapshot covers."""

    @property
    def version(self) -> int:
        """How many events the stream has."""
        return 0 if self.wallet is None else self.wallet.version


NOTHING_KNOWN = Known(INITIAL, GENESIS_HASH, 0)


def fold(known: Known, events: Iterable[RecordedEvent]) -> Known:
    """The wallet after more of its events. Those that it has seen already are skipped.

    Raises `AssertionError` if one is missing.
    """
    wallet, digest = known.wallet, known.hash
    for recorded in events:
        if wallet is not None and recorded.version <= wallet.version:
            continue
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
        wallet = evolve(
            wallet,
            event,
            wallet_id=recorded.stream_id,
            version=recorded.version,
            at=recorded.recorded_at,
        )
        digest = recorded.hash
    return Known(wallet, digest, known.snapshot_version)


class WalletCache:
    """Committed wallets by key. `places` bounds it; a wallet with much in it takes several."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._wallets: OrderedDict[StreamKey, Known] = OrderedDict()

    def __len__(self) -> int:
        return len(self._wallets)

    def __contains__(self, key: StreamKey) -> bool:
        return key in self._wallets

    def __iter__(self) -> Iterator[StreamKey]:
        return iter(self._wallets)

    def get(self, key: StreamKey) -> Known | None:
        """The wallet, which is then the most recently used."""
        known = self._wallets.get(key)
        if known is not None:
            self._wallets.move_to_end(key)
        return known

    def put(self, key: StreamKey, known: Known) -> None:
        """Keep a committed state, pushing out the least recently used if need be."""
        kept = self._wallets.get(key)
        if kept is not None:
            self._taken -= places_of(kept.wallet)
        self._wallets[key] = known
        self._wallets.move_to_end(key)
        self._taken += places_of(known.wallet)
        while self._taken > self._places and len(self._wallets) > 1:
            _, dropped = self._wallets.popitem(last=False)
            self._taken -= places_of(dropped.wallet)

    def note_snapshot(self, key: StreamKey, version: int) -> None:
        """Remember that a snapshot covers the wallet's first `version` events."""
        kept = self._wallets.get(key)
        if kept is not None and kept.snapshot_version < version:
            self._wallets[key] = Known(kept.wallet, kept.hash, version)

    def drop(self, key: StreamKey) -> None:
        """Forget a wallet; it is read anew when next needed."""
        dropped = self._wallets.pop(key, None)
        if dropped is not None:
            self._taken -= places_of(dropped.wallet)

    def clear(self) -> None:
        """Forget every wallet."""
        self._wallets.clear()
        self._taken = 0

    def apply(self, events: Iterable[RecordedEvent]) -> None:
        """Bring the cached wallets up to date with what others appended.

        Events of wallets that are not cached are not even decoded.
        """
        for recorded in events:
            key = StreamKey(recorded.tenant_id, recorded.stream_id)
            known = self._wallets.get(key)
            if known is None or recorded.version <= known.version:
                continue
            if recorded.version > known.version + 1:
                self.drop(key)
            else:
                self.put(key, fold(known, (recorded,)))


def places_of(wallet: Wallet | None) -> int:
    """How many places it takes of what bounds a cache: about one for each kilobyte."""
    if wallet is None:
        return 1
    places = 1 + len(bytes(wallet.metadata)) // _METADATA_PER_PLACE
    if wallet.lots or wallet.holds or wallet.topups:
        parts = len(wallet.lots) + len(wallet.holds) + len(wallet.topups)
        parts += sum(len(hold.allocated) for hold in wallet.holds.values())
        places += parts // _PARTS_PER_PLACE
    return places
