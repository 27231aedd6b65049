"""What a writer keeps in memory is bounded by how much it takes, not by how many there are."""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import msgspec
import pytest

from ledger.command_handling.originals import Originals
from ledger.command_handling.wallet_cache import NOTHING_KNOWN, Known, WalletCache, fold
from ledger.event_log.interface import EventKey, EventLog
from schemas.commands import ReverseTransaction
from schemas.events import RecordedEvent
from schemas.identifiers import StreamKey
from tests.specs.decider import OPENED, START, WALLET_ID, Given, Step
from tests.specs.event_factory import EventFactory
from tests.specs.wallet_commands import JUNE, credit, hold, topup
from tests.specs.world import TENANT, submission

LOTS: list[Step] = [credit(1, JUNE + timedelta(seconds=number)) for number in range(80)]
MANY: dict[str, list[Step]] = {
    "lots": LOTS,
    "lots that are held": [*LOTS, hold(80)],
    "holds": [credit(80), *[hold(1, reference=f"h{number}") for number in range(80)]],
    "top-ups": [topup(1, reference=f"t{number}") for number in range(80)],
}


def wallets(steps: Sequence[Step], places: int) -> WalletCache:
    cache = WalletCache(places)
    known = Known(Given(OPENED, *steps).wallets[WALLET_ID], b"", 0)
    for number in range(10):
        cache.put(StreamKey(TENANT, f"wal_{number:032x}"), known)
    return cache


def test_plain_wallets_take_a_place_each() -> None:
    assert len(wallets([credit(1)], places=8)) == 8


@pytest.mark.parametrize("steps", MANY.values(), ids=MANY)
def test_a_wallet_with_much_in_it_takes_several_places(steps: list[Step]) -> None:
    assert len(wallets(steps, places=40)) == 3


def test_a_wallet_that_shrinks_makes_room() -> None:
    cache = wallets(MANY["lots"], places=40)
    small = Known(Given(OPENED).wallets[WALLET_ID], b"", 0)
    for key in list(cache):
        cache.put(key, small)
    for number in range(100, 137):
        cache.put(StreamKey(TENANT, f"wal_{number:032x}"), small)
    assert len(cache) == 40


def test_who_was_needed_longest_ago_goes_first() -> None:
    cache = wallets([], places=3)
    oldest, older, newest = cache
    assert cache.get(oldest) is not None
    small = Known(Given(OPENED).wallets[WALLET_ID], b"", 0)
    another = StreamKey(TENANT, WALLET_ID)
    cache.put(another, small)
    assert list(cache) == [newest, oldest, another]
    cache.put(newest, small)
    cache.put(older, small)
    assert list(cache) == [another, newest, older]


def test_a_wallet_that_is_larger_than_all_there_is_room_for_stays_alone() -> None:
    assert len(wallets(MANY["lots"], places=3)) == 1


def test_what_was_forgotten_makes_room() -> None:
    cache = wallets([], places=8)
    small = Known(Given(OPENED).wallets[WALLET_ID], b"", 0)
    first, *_ = keys = list(cache)
    cache.drop(first)
    cache.drop(first)
    cache.put(StreamKey(TENANT, WALLET_ID), small)
    assert list(cache) == [*keys[1:], StreamKey(TENANT, WALLET_ID)]
    cache.clear()
    for key in keys:
        cache.put(key, small)
    assert list(cache) == keys


def test_a_wallet_follows_what_others_append_and_one_with_a_gap_is_forgotten() -> None:
    factory = EventFactory()
    wallet = factory.open()
    for amount in range(1, 5):
        factory.credit(wallet, amount)
    events = factory.take()
    key = StreamKey(events[0].tenant_id, wallet)
    cache = WalletCache(places=9)
    cache.apply(events)
    assert key not in cache, "nobody here has asked for it"
    cache.put(key, fold(NOTHING_KNOWN, events[:2]))
    cache.apply(events[:3])
    assert cache.get(key) == fold(NOTHING_KNOWN, events[:3])
    cache.apply(events[4:])
    assert key not in cache


def test_a_wallet_knows_its_newest_snapshot() -> None:
    cache = wallets([], places=2)
    key, other = cache
    for version in (32, 64, 40):
        cache.note_snapshot(key, version)
    cache.note_snapshot(StreamKey(TENANT, WALLET_ID), 32)
    known, untouched = cache.get(key), cache.get(other)
    assert known is not None
    assert untouched is not None
    assert (known.snapshot_version, untouched.snapshot_version) == (64, 0)
    assert known.wallet == untouched.wallet
    assert len(cache) == 2


class _Log:
    """Finds whatever is asked for: an event of three kilobytes."""

    async def find_events(self, keys: Sequence[EventKey]) -> dict[EventKey, RecordedEvent]:
        return {
            key: RecordedEvent(
                position=1,
                tenant_id=TENANT,
                stream_id=WALLET_ID,
                version=1,
                event_id=key.event_id,
                type="wallet.credited",
                schema_version=1,
                data=msgspec.json.encode("x" * 3000).decode(),
                metadata="{}",
                recorded_at=START,
                hash=b"",
            )
            for key in keys
        }


async def test_large_originals_take_several_places_but_those_of_a_batch_stay() -> None:
    originals = Originals(cast("EventLog", _Log()), places=9)
    batches = [
        [
            submission(
                ReverseTransaction(transaction_id=f"txn_{batch}{number:031x}", reference="r")
            )
            for number in range(5)
        ]
        for batch in range(3)
    ]
    for batch in batches[:2]:
        await originals.bring(batch)
        assert originals.lacks(batch) == []
    assert len(originals.lacks(batches[0])) == 5
    await originals.bring(batches[2][:1])
    assert len(originals.lacks(batches[1])) == 3
