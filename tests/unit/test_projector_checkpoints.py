"""Where a partition stands after a batch, also where events come again and late, or none."""

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from projections.checkpoint import Checkpoint
from projections.log import Published
from services.projector.follower import checkpoint_after, quiet_moves

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


PUBLISHED = Published(
    generation=1,
    topic="events",
    topic_id="topic",
    partition_count=1,
    published_position=90,
    published_hash=bytes([90]) * 32,
)


def test_a_partition_at_its_end_has_all_that_was_published_before_the_end_was_looked_up() -> None:
    (move,) = quiet_moves({0: BEFORE}, {0: BEFORE.next_offset}, PUBLISHED)
    assert move.before == BEFORE
    assert move.after == replace(BEFORE, position=90, hash=bytes([90]) * 32)


@pytest.mark.parametrize(
    ("before", "ends"),
    [
        (BEFORE, {0: BEFORE.next_offset + 1}),
        (BEFORE, {0: BEFORE.next_offset - 1}),
        (BEFORE, {}),
        (replace(BEFORE, topic_id="another"), {0: BEFORE.next_offset}),
        (replace(BEFORE, position=90), {0: BEFORE.next_offset}),
        (replace(BEFORE, position=91), {0: BEFORE.next_offset}),
    ],
    ids=[
        "not at its end",
        "behind an end that has gone back",
        "not ours",
        "another topic",
        "there already",
        "further",
    ],
)
def test_a_partition_is_not_moved_where_that_is_not_known_or_not_needed(
    before: Checkpoint, ends: dict[int, int]
) -> None:
    assert quiet_moves({0: before}, ends, PUBLISHED) == []
