"""From six partitions to twelve while debits come in, with a kill in the middle of it."""

import asyncio
import io
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import msgspec
import pytest

from services.supervisor.ports import RememberedPorts
from tests.faults.aftermath import check
from tests.faults.load import Load, open_wallet, over_http, over_kafka
from tests.specs.running_stack import PATIENCE_S, RunningStack

BEFORE, AFTER = 6, 12
HISTORY = 40_000
"""So many events that filling takes a while, and can be stopped in the middle."""

_FILLING = "SELECT topic, published_position FROM relay_progress WHERE is_filling"
_TOPICS = """
SELECT DISTINCT projection, checkpoint.partition, relay.topic
FROM projection_checkpoints AS checkpoint
LEFT JOIN relay_progress AS relay USING (topic_id)
WHERE checkpoint.partition >= 0
"""


@pytest.fixture
def six(server_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStack]:
    """A stack of the test's own, whose topics have six partitions."""
    monkeypatch.setenv("LEDGER_TOPIC_PARTITIONS", str(BEFORE))
    running = RunningStack(server_home / "home", RememberedPorts(server_home).take("gateway"))
    try:
        running.wait_until_ready()
        yield running
        assert running.stop() == 0, running.said()
    finally:
        if running.supervisor.poll() is None:
            running.supervisor.kill()
            running.supervisor.wait()


@pytest.mark.slow
async def test_from_six_partitions_to_twelve_under_load_with_a_kill_in_the_middle(
    six: RunningStack,
) -> None:
    async with AsyncExitStack() as clients:
        http = await clients.enter_async_context(over_http(six))
        kafka = await clients.enter_async_context(over_kafka(six, clients=4))
        async with Load(six, *kafka, *http[:8]) as load:
            await make_history(six)
            killed = await six.start("repartition", "--partitions", str(AFTER))
            at = await until_filling(six)
            killed.kill()
            await killed.communicate()
            still = await six.fetch(_FILLING)
            assert len(still) == 1, "it was killed in the middle"
            await load.more(200)

            ended = await six.run("repartition")
            assert ended.status == 0, ended.output
            assert f"going on with {still[0]['topic']}" in ended.output
            assert f"with {AFTER} partitions" in ended.output
            await load.more(500)
    assert at > 0
    await check(load)
    found = {tuple(row) for row in await six.fetch(_TOPICS)}
    names = ("balances", "transactions", "trial_balance")
    assert found == {
        (name, partition, "ledger.events.2") for name in names for partition in range(AFTER)
    }
    six.signal("projector-balances", signal.SIGKILL)
    six.signal("relay", signal.SIGKILL)
    await check(load)


async def make_history(stack: RunningStack) -> None:
    """Credits of one wallet, as one stream of commands."""
    wallet_id = await open_wallet(stack, 1)
    credit = {"type": "credit", "wallet_id": wallet_id, "amount": 1}
    lines = b"".join(
        msgspec.json.encode(credit | {"reference": f"history-{number}"}) + b"\n"
        for number in range(HISTORY)
    )
    headers = {"Authorization": stack.authorization, "Content-Type": "application/x-ndjson"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{stack.url}/v1/batch", data=io.BytesIO(lines)) as answer,
    ):
        results = (await answer.text()).splitlines()
    assert [line for line in results if '"status":200' not in line] == []
    assert len(results) == HISTORY


async def until_filling(stack: RunningStack) -> int:
    """Come back when a new topic has some of the log; how much."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for _, position in await stack.fetch(_FILLING):
                if position:
                    return int(position)
            await asyncio.sleep(0.002)
