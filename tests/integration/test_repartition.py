"""`ledger repartition`: the log in a new topic, whole and in order, whatever dies meanwhile."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.relay.leadership import GENERATION, LOCK_CLASS
from services.runtime.kafka import partition_for
from services.runtime.settings import Settings
from services.runtime.topics import ensure_topics, events_topic_of
from tests.specs.log_seed import append_seed
from tests.specs.relay_line import PARTITIONS, RelayLine, heard, until

MORE = 12
LONG = 40_000
"""So many events that filling takes a while, and can be stopped in the middle."""

_FILLING = "SELECT published_position FROM relay_progress WHERE is_filling"
_CURRENT = """
SELECT generation, topic, partition_count FROM relay_progress
WHERE NOT is_filling ORDER BY generation DESC LIMIT 1
"""


@pytest.fixture
async def line(database: str, kafka_server: str, tmp_path: Path) -> AsyncIterator[RelayLine]:
    """A migrated database, a topic that does not exist yet, no relay."""
    line = RelayLine(database, kafka_server, tmp_path)
    await line.open()
    yield line
    await line.close()


async def repartitioned(line: RelayLine, *arguments: str) -> tuple[int, str]:
    """Exit status and words of a call to its end."""
    process = await line.repartition(*arguments)
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def filled(line: RelayLine) -> int:
    """How far a topic is filled beside the one that everybody goes by; 0 if none is."""
    return int(await line.connection.fetchval(_FILLING) or 0)


async def test_the_relay_goes_over_to_a_new_topic_that_has_everything(line: RelayLine) -> None:
    last = await append_seed(line.connection, 5000)
    relay = await line.relay()
    await line.until_published(last)

    status, said = await repartitioned(line, "--partitions", str(MORE))

    assert status == 0, said
    assert f"{line.topic}.2 has taken over at position {last}, with {MORE} partitions" in said
    await until(lambda: len(relay.logged("leading")) == 2, 15)
    for _ in range(20):
        last = await append_seed(line.connection, 3)
    await line.until_published(last)
    new = await line.received(f"{line.topic}.2", MORE)
    assert heard(new) == await line.log()
    for message in new:
        assert message.partition == partition_for(message.wallet.encode(), MORE)
    old = await line.received()
    assert max(message.position for message in old) == 5000, "it gets nothing more"
    relay.signal(signal.SIGTERM)
    assert await relay.ended() == 0


async def test_an_idle_relay_and_its_standby_go_over_too(line: RelayLine) -> None:
    last = await append_seed(line.connection, 100)
    relays = [await line.relay(), await line.relay()]
    await line.until_published(last)

    status, said = await repartitioned(line)
    assert status == 0, said
    last = await append_seed(line.connection, 1)
    await line.until_published(last)

    assert heard(await line.received(f"{line.topic}.2")) == await line.log()
    current = await line.connection.fetchrow(_CURRENT)
    assert tuple(current or ()) == (2, f"{line.topic}.2", PARTITIONS)
    led = [entry["topic"] for relay in relays for entry in relay.logged("leading")]
    assert led[0] != led[-1] or len(led) == 2


async def test_a_killed_call_is_continued_by_the_next(line: RelayLine) -> None:
    last = await append_seed(line.connection, LONG)
    await line.relay()
    await line.until_published(last)
    killed = await line.repartition("--partitions", str(MORE))
    async with asyncio.timeout(30):
        while not await filled(line):  # noqa: ASYNC110 - another process makes it hold
            await asyncio.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    await killed.wait()
    at = await filled(line)
    assert 0 < at < LONG, "it was killed in the middle"
    last = await append_seed(line.connection, 10)
    await line.until_published(last)
    assert (await line.connection.fetchval("SELECT count(*) FROM relay_progress")) == 2

    status, said = await repartitioned(line)

    assert status == 0, said
    assert f"going on with {line.topic}.2 at {at}" in said
    new = await line.received(f"{line.topic}.2", MORE)
    assert heard(new) == await line.log()
    assert len(new) < last + LONG // 2, "what was filled before is not filled again"


async def test_another_number_of_partitions_gives_up_what_was_begun(line: RelayLine) -> None:
    last = await append_seed(line.connection, 100)
    relay = await line.relay()
    await line.until_published(last)
    relay.signal(signal.SIGTERM)
    await relay.ended()
    await line.connection.execute(
        "INSERT INTO relay_progress (generation, topic, topic_id, partition_count,"
        " published_position, updated_at, is_filling) VALUES (2, $1, 'x', 5, 0, now(), true)",
        f"{line.topic}.2",
    )

    status, said = await repartitioned(line, "--partitions", "3")

    assert status == 0, said
    assert f"gave up {line.topic}.2" in said
    assert heard(await line.received(f"{line.topic}.3", 3)) == await line.log()


async def test_a_topic_that_kafka_has_already_is_passed_over(line: RelayLine) -> None:
    """As after a restore to before an earlier repartition."""
    last = await append_seed(line.connection, 100)
    await line.relay()
    await line.until_published(last)
    settings = Settings(kafka_bootstrap=line.bootstrap)
    await ensure_topics(settings, [events_topic_of(f"{line.topic}.2", 1)])

    status, said = await repartitioned(line)

    assert status == 0, said
    assert heard(await line.received(f"{line.topic}.3")) == await line.log()


@pytest.mark.parametrize("broken", ["topic", "log"])
async def test_a_relay_that_refused_goes_on_with_a_new_topic(line: RelayLine, broken: str) -> None:
    last = await append_seed(line.connection, 100)
    relay = await line.relay()
    await line.until_published(last)
    relay.signal(signal.SIGTERM)
    await relay.ended()
    if broken == "topic":
        await line.make_topic_again()
    else:
        await line.connection.execute("UPDATE relay_progress SET published_hash = sha256('x')")
    refusing = await line.relay()
    assert await refusing.ended() == 1

    status, said = await repartitioned(line)
    assert status == 0, said
    await line.relay()
    last = await append_seed(line.connection, 5)
    await line.until_published(last)

    assert heard(await line.received(f"{line.topic}.2")) == await line.log()


async def test_two_calls_at_once_are_one(line: RelayLine) -> None:
    last = await append_seed(line.connection, 100)
    relay = await line.relay()
    await line.until_published(last)
    relay.signal(signal.SIGTERM)
    await relay.ended()
    await line.connection.execute(f"SELECT pg_advisory_lock({LOCK_CLASS}, {GENERATION + 1})")

    status, said = await repartitioned(line)

    assert (status, said) == (1, f"not repartitioned: {line.topic}.2 is being filled already\n")
    assert (await line.connection.fetchval("SELECT count(*) FROM relay_progress")) == 1


async def test_a_call_that_another_is_ahead_of_does_not_give_up_what_that_one_fills(
    line: RelayLine,
) -> None:
    last = await append_seed(line.connection, 100)
    await line.relay()
    await line.until_published(last)
    await line.connection.execute(
        "INSERT INTO relay_progress (generation, topic, topic_id, partition_count,"
        " published_position, updated_at, is_filling) VALUES (2, $1, 'x', 5, 0, now(), true)",
        f"{line.topic}.2",
    )
    await line.connection.execute("SELECT pg_advisory_lock(hashtext('ledger repartition'), 0)")

    status, said = await repartitioned(line, "--partitions", "3")

    assert status == 1
    assert said.startswith("not repartitioned: a topic is being filled already by another call")
    assert (await line.connection.fetchval("SELECT count(*) FROM relay_progress")) == 2


async def test_of_two_calls_with_other_numbers_of_partitions_one_is_refused(
    line: RelayLine,
) -> None:
    last = await append_seed(line.connection, LONG)
    await line.relay()
    await line.until_published(last)
    first = await line.repartition("--partitions", str(MORE))
    async with asyncio.timeout(30):
        while not await filled(line):  # noqa: ASYNC110 - another process makes it hold
            await asyncio.sleep(0.002)
    # Stopped, so that it is in the middle for as long as the second call takes.
    first.send_signal(signal.SIGSTOP)

    status, said = await repartitioned(line, "--partitions", "3")

    first.send_signal(signal.SIGCONT)
    output, _ = await first.communicate()
    assert (status, "is being filled already by another call" in said) == (1, True), said
    if first.returncode:  # It was stopped for so long that PostgreSQL ended its session.
        assert b"call it again to go on" in output
        status, said = await repartitioned(line)
        assert status == 0, said
    current = await line.connection.fetchrow(_CURRENT)
    assert tuple(current or ()) == (2, f"{line.topic}.2", MORE)
    assert heard(await line.received(f"{line.topic}.2", MORE)) == await line.log()


async def test_before_the_relay_has_led_there_is_nothing_to_repartition(line: RelayLine) -> None:
    status, said = await repartitioned(line)

    assert status == 1
    assert said.startswith("not repartitioned: the relay has published nothing yet")


async def test_without_kafka_it_says_so_and_changes_nothing(line: RelayLine) -> None:
    last = await append_seed(line.connection, 10)
    relay = await line.relay()
    await line.until_published(last)
    relay.signal(signal.SIGTERM)
    await relay.ended()
    line.bootstrap = "127.0.0.1:1"

    status, said = await repartitioned(line)

    assert status == 1
    assert "Kafka could not be asked" in said
    assert (await line.connection.fetchval("SELECT count(*) FROM relay_progress")) == 1


async def test_a_renamed_setting_is_refused_after_a_repartition_as_before(line: RelayLine) -> None:
    last = await append_seed(line.connection, 10)
    await line.relay()
    await line.until_published(last)
    status, said = await repartitioned(line)
    assert status == 0, said

    renamed = await line.relay(LEDGER_EVENTS_TOPIC=f"{line.topic}.other")

    await until(lambda: renamed.logged("topic_refused"), 15)
    assert await renamed.ended() == 1


async def test_a_log_that_was_taken_back_with_its_progress_stops_the_relay(line: RelayLine) -> None:
    """What a restore does: progress fits the log, but the topic has more than both."""
    await append_seed(line.connection, 90)
    last = await append_seed(line.connection, 10)
    first = await line.relay()
    await line.until_published(last)
    first.signal(signal.SIGTERM)
    await first.ended()
    progress = (
        "UPDATE relay_progress SET published_position = 90,"
        " published_hash = (SELECT hash FROM events WHERE position = 90)"
    )
    for statement in (
        "ALTER TABLE events DISABLE TRIGGER append_only",
        "ALTER TABLE appends DISABLE TRIGGER append_only",
        "DELETE FROM events WHERE position > 90",
        "DELETE FROM appends WHERE last_position > 90",
        progress,
    ):
        await line.connection.execute(statement)

    second = await line.relay()
    assert await second.ended() == 1
    (divergence,) = second.logged("log_diverged")
    assert set(divergence["positions_that_the_log_lacks"]) <= set(range(91, 101))
    assert 100 in divergence["positions_that_the_log_lacks"]

    status, said = await repartitioned(line)
    assert status == 0, said
    await line.relay()
    last = await append_seed(line.connection, 5)
    await line.until_published(last)
    assert heard(await line.received(f"{line.topic}.2")) == await line.log()
