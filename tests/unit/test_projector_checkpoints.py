"""Where a partition stands after a batch, also where events come again and late."""

from types import SimpleNamespace
from typing import Any

import pytest

from projections.checkpoint import Checkpoint
from services.projector.follower import checkpoint_after

BEFORE = Checkpoint(
    partition=0, topic_id="topic", next_offset=50, position=8, hash=bytes([8]) * 32, rebuilds=3
)


@pytest.mark.parametrize(
    ("positions", "newest"),
    [
        ([9, 10, 11], 11),
        # A leader that woke late repeats its last page behind the next leader's.
        ([9, 12, 20, 9, 12], 20),
        ([3, 5], 8),
    ],
    ids=["in order", "a late repeat", "repeats only"],
)
def test_a_checkpoint_stands_at_the_newest_event_and_behind_the_last_message(
    positions: list[int], newest: int
) -> None:
    events: Any = [SimpleNamespace(position=each) for each in positions]
    messages = [
        SimpleNamespace(offset=50 + place, headers=[("ce_hash", bytes([each]).hex().encode() * 32)])
        for place, each in enumerate(positions)
    ]
    after = checkpoint_after(BEFORE, events, messages)
    assert (after.position, after.hash) == (newest, bytes([newest]) * 32)
    assert after.next_offset == 50 + len(positions)
    assert after.rebuilds == 3
