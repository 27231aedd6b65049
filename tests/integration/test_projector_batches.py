"""A batch is one transaction: rows and checkpoint, all of it or nothing. On real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from projections.balances.evolve import fold
from projections.checkpoint import (
    Checkpoint,
    CheckpointLostError,
    Move,
    begin_checkpoints,
    check_log,
    read_checkpoints,
)
from projections.interface import (
    AnyProjection,
    LogDivergedError,
    ProjectedEvent,
    ProjectionGapError,
    ProjectionMismatchError,
)
from projections.log import prepare_session
from projections.registry import PROJECTIONS
from projections.runner import Applied, Runner, by_wallet
from projections.transactions.evolve import transaction_of
from projections.transactions.read_model import transaction_view
from schemas.events import RecordedEvent
from schemas.identifiers import StreamKey
from tests.specs.event_factory import TENANT_ID, EventFactory, projected, write_log

START = Checkpoint(partition=0, topic_id="topic", next_offset=0, position=0, hash=None)


class Model:
    """One read model, and a checkpoint that follows what is applied to it."""

    def __init__(self, dsn: str, connection: "asyncpg.Connection[Any]", name: str) -> None:
        self.dsn = dsn
        self.connection = connection
        self.projection: AnyProjection = PROJECTIONS[name]
        self.runner = Runner(self.projection, connection)
        self.at = START
        self.factory = EventFactory(seed=3)

    async def apply(self, events: Sequence[ProjectedEvent]) -> Applied:
        """Apply a batch that ends at the last event's position."""
        after = replace(
            self.at,
            next_offset=self.at.next_offset + len(events),
            position=max((event.position for event in events), default=0),
        )
        applied = await self.runner.apply(events, [Move(self.at, after)])
        self.at = after
        return applied

    async def write(self) -> list[ProjectedEvent]:
        """Put what the factory made into the log."""
        return [projected(event) for event in await write_log(self.connection, self.factory)]

    async def rows(self) -> list[Any]:
        """Everything that the read model's tables hold."""
        return [
            await self.connection.fetch(f"SELECT * FROM {table} AS t ORDER BY t::text")  # noqa: S608
            for table in self.projection.tables
        ]


@pytest.fixture(params=sorted(PROJECTIONS))
async def model(request: pytest.FixtureRequest, database: str) -> AsyncIterator[Model]:
    connection = await asyncpg.connect(database)
    await prepare_session(connection)
    model = Model(database, connection, request.param)
    await begin_checkpoints(connection, request.param, [START])
    yield model
    connection.terminate()


async def test_rows_are_the_fold_of_the_log(database: str) -> None:
    connection = await asyncpg.connect(database)
    factory = EventFactory(seed=11)
    factory.history(20, 400)
    recorded = await write_log(connection, factory)
    for name in PROJECTIONS:
        await begin_checkpoints(connection, name, [START])
        model = Model(database, connection, name)
        await model.apply([projected(event) for event in recorded])
    await _expect_balances(connection, recorded)
    await _expect_transactions(connection, recorded)
    connection.terminate()


async def _expect_balances(
    connection: "asyncpg.Connection[Any]", recorded: Sequence[RecordedEvent]
) -> None:
    streams = by_wallet(projected(event) for event in recorded)
    found = await PROJECTIONS["balances"].load(connection, list(streams))
    assert len(found) == len(streams)
    for wallet, stream in streams.items():
        assert msgspec.json.encode(found[wallet]) == msgspec.json.encode(fold(None, stream))


async def _expect_transactions(
    connection: "asyncpg.Connection[Any]", recorded: Sequence[RecordedEvent]
) -> None:
    expected = [
        msgspec.json.encode(view)
        for event in recorded
        if (view := transaction_of(projected(event))) is not None
    ]
    rows = await connection.fetch("SELECT * FROM transactions ORDER BY position")
    found = [
        msgspec.json.encode(transaction_view(f"wal_{row['wallet_id'].hex}", row)) for row in rows
    ]
    assert found == expected


async def test_a_batch_that_comes_again_changes_nothing(model: Model) -> None:
    model.factory.history(5, 100)
    events = await model.write()
    await model.apply(events)
    once = await model.rows()
    assert all(once), "there is something in every table"
    applied = await model.apply(events)
    assert (applied.applied, applied.dropped) == (0, len(events))
    assert await model.rows() == once


async def test_batches_cut_anywhere_come_to_the_same(model: Model) -> None:
    model.factory.history(5, 200)
    events = await model.write()
    for start in range(0, len(events), 17):
        # Each batch begins with some of the one before, as after a relay's restart.
        await model.apply(events[max(0, start - 5) : start + 17])
    in_parts = await model.rows()
    await model.connection.execute(f"TRUNCATE {', '.join(model.projection.tables)}")
    model.runner.forget()
    await model.apply(events)
    assert await model.rows() == in_parts


async def test_a_process_that_lost_its_partition_writes_nothing(model: Model) -> None:
    model.factory.history(5, 50)
    events = await model.write()
    await model.apply(events[:20])
    before = await model.rows()
    stale = Model(model.dsn, model.connection, model.projection.name)
    with pytest.raises(CheckpointLostError):
        await stale.apply(events)
    assert await model.rows() == before
    assert (await read_checkpoints(model.connection, model.projection.name))[0] == model.at


async def test_two_processes_at_once_apply_a_batch_once(model: Model) -> None:
    model.factory.history(5, 50)
    events = await model.write()
    other_connection = await asyncpg.connect(model.dsn)
    other = Model(model.dsn, other_connection, model.projection.name)
    transaction = model.connection.transaction()
    await transaction.start()
    await model.apply(events)
    racing = asyncio.create_task(_outcome(other, events))
    done, _ = await asyncio.wait([racing], timeout=0.3)
    assert not done, "the other waits for the checkpoint"
    await transaction.commit()
    assert await racing == "lost"
    assert sum(row["version"] for row in (await model.rows())[0]) == len(events)
    other_connection.terminate()


async def _outcome(model: Model, events: Sequence[ProjectedEvent]) -> str:
    try:
        await model.apply(events)
    except CheckpointLostError:
        return "lost"
    return "applied"


async def test_a_hole_is_filled_from_the_log(model: Model) -> None:
    wallets = model.factory.history(3, 60)
    for wallet in wallets:
        model.factory.decline_change(wallet)
    events = await model.write()
    arrived = [event for event in events if event.version != 2 and event.position % 7]
    arrived += events[-3:]
    applied = await model.apply(sorted(set_of(arrived), key=lambda event: event.position))
    assert applied.fetched > 0
    assert applied.applied == len(events)
    assert sum(row["version"] for row in (await model.rows())[0]) == len(events)


def set_of(events: Sequence[ProjectedEvent]) -> list[ProjectedEvent]:
    return list({event.position: event for event in events}.values())


async def test_a_hole_that_the_log_does_not_fill_stops_loudly(model: Model) -> None:
    wallet = model.factory.open()
    model.factory.credit(wallet, 5)
    events = await model.write()
    model.factory.credit(wallet, 6)
    model.factory.credit(wallet, 7)
    never_written = projected(model.factory.take()[-1])
    await model.apply(events)
    before = await model.rows()
    with pytest.raises(ProjectionGapError) as raised:
        await model.apply([never_written])
    assert raised.value.code == "projection_gap"
    assert await model.rows() == before
    assert (await read_checkpoints(model.connection, model.projection.name))[0] == model.at


async def test_an_event_that_contradicts_its_row_stops_loudly(database: str) -> None:
    connection = await asyncpg.connect(database)
    await begin_checkpoints(connection, "balances", [START])
    model = Model(database, connection, "balances")
    wallet = model.factory.open()
    model.factory.credit(wallet, 5)
    await model.apply(await model.write())
    await connection.execute("UPDATE balances SET balance = balance + 1")
    model.factory.credit(wallet, 6)
    with pytest.raises(ProjectionMismatchError) as raised:
        await model.apply(await model.write())
    assert raised.value.code == "projection_mismatch"
    connection.terminate()


async def test_a_connection_that_breaks_in_the_middle_of_a_batch_leaves_nothing(
    model: Model,
) -> None:
    model.factory.history(5, 50)
    events = await model.write()
    before = await model.rows()
    victim_connection = await asyncpg.connect(model.dsn)
    victim = Model(model.dsn, victim_connection, model.projection.name)
    transaction = victim_connection.transaction()
    await transaction.start()
    await victim.apply(events)
    process = victim_connection.get_server_pid()
    await model.connection.execute("SELECT pg_terminate_backend($1)", process)
    assert await model.rows() == before
    await model.apply(events)
    assert sum(row["version"] for row in (await model.rows())[0]) == len(events)
    victim_connection.terminate()


async def test_a_log_that_was_restored_is_noticed(model: Model) -> None:
    model.factory.history(2, 10)
    events = await model.write()
    after = replace(START, next_offset=1, position=events[-1].position, hash=bytes(32))
    await model.runner.apply(events, [Move(START, after)])
    with pytest.raises(LogDivergedError) as raised:
        await check_log(model.connection, model.projection.name)
    assert raised.value.code == "log_diverged"


async def test_another_tenants_wallet_is_another_wallet(database: str) -> None:
    connection = await asyncpg.connect(database)
    await begin_checkpoints(connection, "balances", [START])
    model = Model(database, connection, "balances")
    other = TENANT_ID.replace("5", "6")
    wallet = model.factory.open()
    model.factory.open(tenant_id=other)
    await model.apply(await model.write())
    projection = PROJECTIONS["balances"]
    assert not await projection.load(connection, [StreamKey(other, wallet)])
    assert await projection.load(connection, [StreamKey(TENANT_ID, wallet)])
    connection.terminate()


async def test_rows_are_remembered_as_they_would_be_read(model: Model) -> None:
    wallets = model.factory.history(20, 200)
    await model.apply(await model.write())
    for _ in range(200):
        model.factory.some_event(wallets)
    events = await model.write()
    await model.apply(events)

    remembered = model.runner._rows
    read = await model.projection.load(model.connection, list(remembered))

    assert msgspec.json.encode(list(read.values())) == msgspec.json.encode(
        [remembered[wallet] for wallet in read]
    )
    assert remembered.keys() == read.keys()
    assert {event.wallet for event in events} <= remembered.keys()


async def test_what_is_remembered_counts_for_nothing_after_a_batch_that_failed(
    model: Model,
) -> None:
    wallets = model.factory.history(5, 50)
    first = await model.write()
    await model.apply(first)
    for _ in range(50):
        model.factory.some_event(wallets)
    second = await model.write()
    await _break_the_next_commit(model)
    with pytest.raises(asyncpg.RaiseError):
        await model.apply(second)
    await model.connection.execute("DROP TRIGGER broken ON projection_checkpoints")

    await model.apply(second)

    found = await model.projection.load(
        model.connection, list({event.wallet for event in [*first, *second]})
    )
    newest = {event.wallet: event.version for event in [*first, *second]}
    assert {wallet: row.version for wallet, row in found.items()} == newest


async def _break_the_next_commit(model: Model) -> None:
    """Let the transaction fail at its very end, when all has been folded and written."""
    await model.connection.execute(
        """
        CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
        CREATE CONSTRAINT TRIGGER broken AFTER UPDATE ON projection_checkpoints
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION broken();
        """
    )


async def test_tables_that_took_the_place_of_others_are_read_anew(model: Model) -> None:
    wallets = model.factory.history(5, 50)
    await model.apply(await model.write())
    for _ in range(50):
        model.factory.some_event(wallets)
    events = await model.write()
    await model.connection.execute(
        "UPDATE projection_checkpoints SET rebuilds = rebuilds + 1 WHERE projection = $1",
        model.projection.name,
    )

    with pytest.raises(CheckpointLostError):
        await model.apply(events)

    assert not model.runner._rows
    read = await read_checkpoints(model.connection, model.projection.name)
    model.at = read[0]
    await model.apply(events)


async def test_the_wallets_that_are_remembered_are_bounded(database: str) -> None:
    connection = await asyncpg.connect(database)
    model = Model(database, connection, "balances")
    model.runner = Runner(model.projection, connection, remembered_wallets=3)
    await begin_checkpoints(connection, "balances", [START])
    model.factory.history(10, 100)

    await model.apply(await model.write())

    assert len(model.runner._rows) == 3
    connection.terminate()
