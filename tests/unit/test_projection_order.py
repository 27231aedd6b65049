"""The laws of projecting: twice is once, in parts is at once, and no hole goes unseen."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.balances.evolve import fold
from projections.interface import EventRange, ProjectedEvent, ProjectionGapError
from projections.runner import by_wallet, fill_holes, sort_out
from schemas.identifiers import StreamKey
from schemas.results import WalletView
from tests.specs.event_factory import TENANT_ID, EventFactory, projected

Rows = dict[StreamKey, WalletView]


def _project(rows: Rows, events: Sequence[ProjectedEvent]) -> Rows:
    """One batch onto rows: what the runner does, with a dict for the table."""
    news, holes, _ = sort_out(by_wallet(events), rows)
    assert not holes
    after = dict(rows)
    for wallet, stream in news.items():
        view = fold(rows.get(wallet), stream)
        assert view is not None
        after[wallet] = view
    return after


@st.composite
def _logs(draw: st.DrawFn) -> list[ProjectedEvent]:
    factory = EventFactory(seed=draw(st.integers(0, 10_000)))
    factory.history(draw(st.integers(1, 5)), draw(st.integers(0, 60)))
    return [projected(event) for event in factory.take()]


@given(_logs())
def test_projecting_twice_is_projecting_once(log: list[ProjectedEvent]) -> None:
    once = _project({}, log)
    assert _project(once, log) == once
    assert _project({}, log + log) == once


@given(_logs(), st.data())
def test_folding_in_parts_is_folding_at_once(
    log: list[ProjectedEvent], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(log)))
    assert _project(_project({}, log[:cut]), log[cut:]) == _project({}, log)


@given(_logs(), st.data())
def test_a_relay_that_publishes_again_from_an_older_position_changes_nothing(
    log: list[ProjectedEvent], data: st.DataObject
) -> None:
    reached = data.draw(st.integers(0, len(log)))
    recorded = data.draw(st.integers(0, reached))
    assert _project({}, log[:reached] + log[recorded:]) == _project({}, log)


@given(_logs(), st.data())
def test_events_that_did_not_arrive_are_a_hole_and_filling_it_makes_all_whole(
    log: list[ProjectedEvent], data: st.DataObject
) -> None:
    lost = data.draw(st.sets(st.integers(0, len(log) - 1)))
    arrived = [event for place, event in enumerate(log) if place not in lost]
    news, holes, _ = sort_out(by_wallet(arrived), {})
    missing = by_wallet(
        event
        for event in log
        for hole in holes
        if event.wallet == hole.wallet and hole.first_version <= event.version <= hole.last_version
    )
    fill_holes(news, holes, missing)
    for wallet, stream in news.items():
        assert [event.version for event in stream] == list(range(1, stream[-1].version + 1))
        assert fold(None, stream) is not None, wallet


def test_a_hole_that_the_log_fills_only_in_part_stops_the_projection() -> None:
    factory = EventFactory()
    wallet = factory.open()
    for _ in range(4):
        factory.credit(wallet, 1)
    log = [projected(event) for event in factory.take()]
    news, holes, dropped = sort_out(by_wallet([log[0], log[4]]), {})
    key = StreamKey(TENANT_ID, wallet)
    assert (holes, dropped) == ([EventRange(key, 2, 4)], 0)
    with pytest.raises(ProjectionGapError, match="versions 2 to 4"):
        fill_holes(news, holes, {key: log[1:3]})
