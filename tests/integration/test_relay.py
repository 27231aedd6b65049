"""The relay as processes, on real PostgreSQL and Kafka: complete, in order, whatever dies."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from schemas.identifiers import NOBODYS_TENANT, tenant_stream
from services.relay.leadership import GENERATION, LOCK_CLASS
from services.runtime.administration import administering
from services.runtime.kafka import partition_for
from tests.specs.databases import Databases
from tests.specs.log_seed import append_seed
from tests.specs.relay_line import PARTITIONS, ROOT, RelayLine, heard, until

TAKEOVER_S = 6.0
"""How long a standby may take after its leader fell silent."""


@pytest.fixture
async def line(database: str, kafka_server: str, tmp_path: Path) -> AsyncIterator[RelayLine]:
    """A migrated database, a topic that does not exist yet, no relay."""
    line = RelayLine(database, kafka_server, tmp_path)
    await line.open()
    yield line
    await line.close()


async def test_the_log_is_published_once_in_order_and_to_the_right_partitions(
    line: RelayLine,
) -> None:
    last = await append_seed(line.connection, 5000)
    relay = await line.relay()
    await line.until_published(last)
    for _ in range(20):
        last = await append_seed(line.connection, 3)
    await line.until_published(last)

    relay.signal(signal.SIGTERM)
    assert await relay.ended() == 0, "a relay stops in order"

    messages = await line.received()
    assert len(messages) == last, "without a failure nothing is published twice"
    assert heard(messages) == await line.log()
    for message in messages:
        assert message.partition == partition_for(message.wallet.encode(), PARTITIONS)
    recorded = await line.connection.fetchrow(
        "SELECT published_position, published_hash = hash AS same"
        " FROM relay_progress JOIN events ON position = published_position"
    )
    assert recorded is not None
    assert (recorded["published_position"], recorded["same"]) == (last, True)


async def test_what_administrators_did_is_published_like_all_else(line: RelayLine) -> None:
    await append_seed(line.connection, 50)
    async with administering(line.dsn, "operator:test") as administrator:
        merchant = await administrator.create_merchant("Kiosk")
        await administrator.create_credential(merchant.live_tenant_id, ["wallets:read"])
        await administrator.begin_vault_maintenance("reconcile")
    last = await append_seed(line.connection, 50)
    await line.relay()
    await line.until_published(last)

    messages = await line.received()

    assert heard(messages) == await line.log()
    assert {each.wallet for each in messages if each.wallet.startswith("ten_")} == {
        tenant_stream(merchant.live_tenant_id),
        tenant_stream(merchant.sandbox_tenant_id),
        tenant_stream(NOBODYS_TENANT),
    }
    for message in messages:
        assert message.partition == partition_for(message.wallet.encode(), PARTITIONS)


async def test_an_append_is_published_at_once(line: RelayLine) -> None:
    """Far below the polling pace of anything slow; the machine may be busy, so not below 1 s."""
    relay = await line.relay()
    await until(lambda: relay.logged("leading"), 30)

    for _ in range(5):
        last = await append_seed(line.connection, 1)
        await line.until_published(last, timeout_s=1.0)


@pytest.mark.parametrize("standing_by", [True, False], ids=["standby", "started anew"])
async def test_a_killed_relay_is_resumed_with_nothing_lost(
    line: RelayLine, standing_by: bool
) -> None:
    last = await append_seed(line.connection, 60_000)
    leader = await line.relay()
    if standing_by:
        await until(lambda: leader.logged("leading"), 30)
        await line.relay()
    await line.until_published(1)

    leader.signal(signal.SIGKILL)
    await leader.ended()
    killed_at = await line.published_position()
    assert killed_at < last, "it was killed midway"
    if not standing_by:
        await line.relay()
    await line.until_published(last)

    messages = await line.received()
    assert len(messages) >= last
    assert heard(messages) == await line.log()


@pytest.mark.parametrize(
    "busy",
    [True, pytest.param(False, marks=pytest.mark.slow)],
    ids=["busy", "idle"],
)
async def test_a_stopped_leader_is_replaced_and_does_no_harm_when_it_wakes(
    line: RelayLine, busy: bool
) -> None:
    leader = await line.relay()
    await until(lambda: leader.logged("leading"), 30)
    standby = await line.relay()
    await until(lambda: standby.logged("standing_by"), 30)
    if busy:
        await append_seed(line.connection, 60_000)
        await line.until_published(1)
    leader.signal(signal.SIGSTOP)
    stopped_at = asyncio.get_running_loop().time()

    await until(lambda: standby.logged("leading"), TAKEOVER_S + 2)
    assert asyncio.get_running_loop().time() - stopped_at < TAKEOVER_S
    last = await append_seed(line.connection, 100)
    await line.until_published(last)
    leader.signal(signal.SIGCONT)
    await until(lambda: leader.logged("session_lost") and leader.logged("standing_by"), 10)
    last = await append_seed(line.connection, 100)
    await line.until_published(last)

    assert heard(await line.received()) == await line.log()
    assert len(leader.logged("leading")) == 1, "the woken one stands by"
    assert await line.published_position() == last


async def test_a_leader_stuck_in_a_statement_is_evicted(line: RelayLine) -> None:
    """Stopped while PostgreSQL sends it a page, it is not idle: no idle timeout ends it."""
    stuck = await asyncpg.connect(line.dsn)
    await stuck.execute("SELECT pg_advisory_lock($1::integer, $2::integer)", LOCK_CLASS, GENERATION)
    statement = asyncio.create_task(stuck.execute("SELECT pg_sleep(60)"))
    last = await append_seed(line.connection, 10)

    await line.relay()

    await line.until_published(last, timeout_s=TAKEOVER_S + 5)
    with pytest.raises(asyncpg.PostgresError, match="terminating connection"):
        await statement


async def test_a_topic_that_was_made_again_is_refused(line: RelayLine) -> None:
    last = await append_seed(line.connection, 10)
    first = await line.relay()
    await line.until_published(last)
    first.signal(signal.SIGTERM)
    await first.ended()
    await line.make_topic_again()
    last = await append_seed(line.connection, 10)

    second = await line.relay()

    assert await second.ended() == 1
    (refusal,) = second.logged("topic_refused")
    assert refusal["topic_id"] != refusal["recorded_topic_id"]
    assert await line.published_position() == last - 10
    assert await line.received() == []


async def test_another_number_of_partitions_is_refused(line: RelayLine) -> None:
    await append_seed(line.connection, 10)
    first = await line.relay()
    await line.until_published(10)
    first.signal(signal.SIGTERM)
    await first.ended()
    await line.connection.execute("UPDATE relay_progress SET partition_count = 5")

    second = await line.relay()

    assert await second.ended() == 1
    assert second.logged("topic_refused")


@pytest.mark.parametrize("at_the_end", [False, True], ids=["in the middle", "at the end"])
async def test_a_hole_in_the_log_stops_the_relay(line: RelayLine, at_the_end: bool) -> None:
    last = await append_seed(line.connection, 100)
    hole = last if at_the_end else 50
    await line.connection.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    await line.connection.execute("DELETE FROM events WHERE position = $1", hole)

    relay = await line.relay()

    assert await relay.ended() == 1
    assert relay.logged("log_gap")
    assert await line.published_position() < hole


async def test_a_log_that_lost_what_was_published_stops_the_relay(line: RelayLine) -> None:
    last = await append_seed(line.connection, 100)
    first = await line.relay()
    await line.until_published(last)
    first.signal(signal.SIGTERM)
    await first.ended()
    await line.connection.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    await line.connection.execute("DELETE FROM events WHERE position > 90")

    second = await line.relay()

    assert await second.ended() == 1
    (divergence,) = second.logged("log_diverged")
    assert divergence["published_position"] == last
    assert divergence["log_hash"] is None


async def test_a_topic_of_another_ledger_stops_the_relay(
    line: RelayLine, databases: Databases
) -> None:
    """It is not told to make a new generation of it, but to choose another name."""
    last = await append_seed(line.connection, 10)
    await line.relay()
    await line.until_published(last)

    with databases.clone() as dsn:
        stranger = await line.relay(LEDGER_DATABASE_URL=dsn)

        assert await stranger.ended() == 1
        (divergence,) = stranger.logged("log_diverged")
    assert "give each topics of its own: LEDGER_EVENTS_TOPIC" in divergence["hint"]


async def test_leader_and_standby_are_ready_and_tell_how_far_they_are(line: RelayLine) -> None:
    last = await append_seed(line.connection, 10)
    ports = _free_ports(2)
    leader = await line.relay(LEDGER_HEALTH_PORT=str(ports[0]))
    await line.until_published(last)
    standby = await line.relay(LEDGER_HEALTH_PORT=str(ports[1]))
    await until(lambda: standby.logged("standing_by"), 10)

    async with ClientSession() as client:
        for port in ports:
            async with client.get(f"http://127.0.0.1:{port}/readyz") as response:
                assert response.status == 200, await response.text()
        samples = [await _samples(client, port) for port in ports]

    assert samples[0]["ledger_relay_is_leader"] == 1
    assert samples[0]["ledger_relay_published_position"] == last
    assert samples[0]["ledger_relay_published_events_total"] == last
    assert samples[0]["ledger_relay_send_failures_total"] == 0
    assert samples[1]["ledger_relay_is_leader"] == 0
    leader.signal(signal.SIGTERM)
    assert await leader.ended() == 0
    await until(lambda: standby.logged("leading"), 2.5)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


async def _samples(client: ClientSession, port: int) -> dict[str, float]:
    async with client.get(f"http://127.0.0.1:{port}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    return {sample.name: sample.value for family in families for sample in family.samples}


async def test_tail_shows_a_line_per_event(line: RelayLine) -> None:
    last = await append_seed(line.connection, 30, wallet_count=1)

    async def tail(*arguments: str) -> list[str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.command_line", "tail", "--no-follow", *arguments),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"LEDGER_DATABASE_URL": line.dsn, "PYTHONIOENCODING": "utf-8"},
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode().splitlines()

    newest, after = await tail(), await tail("--after", str(last - 2))

    assert len(newest) == 20, "without a position, the newest twenty"
    assert newest[-2:] == after
    (wallet,) = await line.log()
    time, position, shown_wallet, version, kind, *rest = after[-1].split()
    assert time.endswith("Z")
    assert (position, shown_wallet, version) == ("30", wallet, "v30")
    assert kind == "wallet.credited"
    assert " ".join(rest) == "GH₵0.01 → balance GH₵0.30 client:seed"


async def test_a_lost_session_is_made_again(line: RelayLine) -> None:
    relay = await line.relay()
    await until(lambda: relay.logged("leading"), 30)
    await line.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'ledger relay' AND datname = current_database()"
    )
    last = await append_seed(line.connection, 10)

    await line.until_published(last)

    assert heard(await line.received()) == await line.log()
    assert relay.process.returncode is None
