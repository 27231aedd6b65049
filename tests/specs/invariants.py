"""What must hold of every log, whatever happened to its writers."""

from collections.abc import Sequence

from ledger.command_handling.wallet_cache import NOTHING_KNOWN, Known, fold
from ledger.event_log.hashing import event_hash
from ledger.event_log.interface import GENESIS_HASH, EventLog
from schemas.events import RecordedEvent, WalletCredited, WalletDebited, decode_event
from schemas.identifiers import StreamKey, tenant_stream

_ALL = 1_000_000


async def all_events(log: EventLog) -> list[RecordedEvent]:
    """The whole log."""
    return await log.read(0, _ALL)


def check(events: Sequence[RecordedEvent]) -> dict[StreamKey, Known]:
    """Assert that the log is whole, and give the wallets that it folds to."""
    wallets: dict[StreamKey, Known] = {}
    tenants: dict[str, tuple[int, bytes]] = {}
    may_owe: set[StreamKey] = set()
    for position, event in enumerate(events, start=1):
        assert event.position == position, "positions are gapless"
        if event.stream_id == tenant_stream(event.tenant_id):
            version, previous = tenants.get(event.tenant_id, (0, GENESIS_HASH))
            assert event.version == version + 1, "versions are gapless"
            assert event.hash == event_hash(previous, event), "hashes chain"
            tenants[event.tenant_id] = event.version, event.hash
            continue
        key = StreamKey(event.tenant_id, event.stream_id)
        known = wallets.get(key, NOTHING_KNOWN)
        assert event.version == known.version + 1, "versions are gapless"
        assert event.hash == event_hash(known.hash, event), "hashes chain"
        wallets[key] = fold(known, [event])
        wallet = wallets[key].wallet
        assert wallet is not None
        if wallet.available < 0 and event.type == "wallet.credit_reversed":
            may_owe.add(key)
        assert wallet.available >= 0 or key in may_owe, "only a reversal makes a debt"
        held = sum(hold.amount for hold in wallet.holds.values())
        assert wallet.balance == wallet.available + held, "what is not available is held"
    times = [event.recorded_at for event in events]
    assert times == sorted(times), "time never goes back"
    return wallets


def references_of(events: Sequence[RecordedEvent]) -> list[str]:
    """The references of all money that moved, in order."""
    references = []
    for recorded in events:
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
        if isinstance(event, WalletCredited | WalletDebited):
            references.append(event.reference)
    return references
