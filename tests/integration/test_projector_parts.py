"""Holds and top-ups alike: written in batches of any cut, and costing nothing without them."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest

from projections.balances.holds import HOLDS
from projections.balances.parts import AnyPartKind
from projections.balances.topups import TOPUPS
from projections.interface import ProjectedEvent
from tests.specs.balances import Balances, balances
from tests.specs.event_factory import projected, write_log

KINDS = [
    pytest.param(HOLDS, {"open", "captured", "voided", "expired"}, id="holds"),
    pytest.param(
        TOPUPS, {"pending", "completed", "cancelled", "expired", "unapplied"}, id="top-ups"
    ),
]


@pytest.fixture
async def model(database: str) -> AsyncIterator[Balances]:
    async with balances(database) as model:
        yield model


def _folded(kind: AnyPartKind, events: Sequence[ProjectedEvent]) -> dict[str, Any]:
    views: dict[str, Any] = {}
    for recorded in events:
        event = kind.event_of(recorded)
        if event is not None:
            part_id = kind.part_of(event)
            views[part_id] = kind.evolve(views.get(part_id), recorded, event)
    return views


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(("kind", "statuses"), KINDS)
async def test_rows_are_the_fold_of_the_log_however_it_is_cut(
    model: Balances, kind: AnyPartKind, statuses: set[str], size: int
) -> None:
    model.factory.history(5, 600)
    events = [projected(event) for event in await write_log(model.connection, model.factory)]
    for start in range(0, len(events), size):
        # Each batch begins with some of the one before, as after a relay's restart.
        await model.apply(events[max(0, start - 5) : start + size])
    expected = _folded(kind, events)
    assert {view.status for view in expected.values()} == statuses
    found = await model.parts(kind)
    assert msgspec.json.encode(found, order="sorted") == msgspec.json.encode(
        expected, order="sorted"
    )


@pytest.mark.parametrize("kind", [HOLDS, TOPUPS], ids=lambda kind: kind.name)
async def test_a_batch_without_parts_says_nothing_to_their_table(
    model: Balances, kind: AnyPartKind
) -> None:
    wallet = model.factory.open()
    model.factory.credit(wallet, 1000)
    model.factory.hold(wallet, 100)
    model.factory.topup(wallet, 100)
    said: list[str] = []
    with model.connection.query_logger(lambda record: said.append(record.query)):
        await model.happened()
        assert any(kind.table in query for query in said), "they are written by such queries"
        said.clear()
        model.factory.debit(wallet, 1)
        await model.happened()
    assert any("balances" in query for query in said)
    assert not any(kind.table in query for query in said)
