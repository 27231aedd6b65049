"""What a writer keeps in memory is bounded by how much it takes, not by how many there are."""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import msgspec
import pytest

from ledger.command_handling.originals import Originals
from ledger.command_handling.wallet_cache import Known, WalletCache
from ledger.event_log.interface import EventKey, EventLog
from schemas.commands import ReverseTransaction
from schemas.events import RecordedEvent
from schemas.identifiers import StreamKey
from tests.specs.decider import OPENED, START, WALLET_ID, Given, Step
from tests.specs.wallet_commands import JUNE, credit, hold, topup
from tests.specs.world import TENANT, submission

MANY: dict[str, list[Step]] = {
    "lots": [credit(1, JUNE + timedelta(seconds=number)) for number in range(80)],
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
