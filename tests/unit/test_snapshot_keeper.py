"""Which snapshots are written, and what happens where that does not succeed."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from ledger.command_handling import snapshot_keeper, snapshots
from ledger.command_handling.snapshot_keeper import SnapshotKeeper
from ledger.command_handling.wallet_cache import Known, WalletCache
from ledger.event_log.interface import AppendRefusedError, LogUnavailableError, Snapshot
from schemas.identifiers import StreamKey
from tests.specs.world import TENANT


class _Log:
    """Takes snapshots; refuses the first time if told how."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.saved: list[StreamKey] = []

    async def save_snapshots(self, taken: Sequence[tuple[StreamKey, Snapshot]]) -> None:
        """See `EventLog`."""
        refusal, self.refusal = self.refusal, None
        if refusal is not None:
            raise refusal
        self.saved += [key for key, _ in taken]


class _Environment:
    """Sleeps for no time, so many times; then the work is over."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def sleep(self, _seconds: float) -> None:
        """Another round, or the end."""
        if self.times == 0:
            raise asyncio.CancelledError
        self.times -= 1


@pytest.fixture(autouse=True)
def _any_wallet_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "is_due", lambda _known: True)
    snapshot = Snapshot(version=32, event_hash=bytes(32), state_version=1, state=b"{}")
    monkeypatch.setattr(snapshots, "snapshot_of", lambda _known: snapshot)


async def _saved(log: _Log, wallets: Sequence[str], rounds: int) -> list[str]:
    keeper = SnapshotKeeper(cast("Any", log), cast("Any", _Environment(rounds)), WalletCache(10))
    for wallet in wallets:
        keeper.note(StreamKey(TENANT, wallet), cast("Known", object()))
    with pytest.raises(asyncio.CancelledError):
        await keeper.run()
    return [key.stream_id for key in log.saved]


async def test_what_nobody_can_write_fast_enough_does_not_pile_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot_keeper, "MAX_DUE_WALLETS", 2)
    assert await _saved(_Log(), ["a", "b", "c"], rounds=3) == ["a", "b"]


@pytest.mark.parametrize("refusal", [LogUnavailableError("away"), AppendRefusedError("refused")])
async def test_what_was_refused_once_does_not_end_the_work(
    refusal: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "SNAPSHOTS_AT_ONCE", 1)
    assert await _saved(_Log(refusal), ["a", "b"], rounds=3) == ["b"]
