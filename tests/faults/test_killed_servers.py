"""PostgreSQL and Kafka crash in the middle of load: clients try again, and all comes right."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGCONT, SIGKILL, SIGQUIT, SIGSTOP
from uuid import uuid4

import aiohttp
import pytest

from tests.faults.aftermath import check
from tests.faults.load import Load, open_wallet, over_http
from tests.specs.running_stack import RunningStack

BEFORE = 500
AFTER = 500

_BACKENDS = """
SELECT pid FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY application_name = 'ledger append' DESC
"""


async def test_postgres_recovers_when_a_backend_is_killed(stack: RunningStack) -> None:
    """PostgreSQL then ends all the others, too, and replays its journal."""
    async with over_http(stack) as senders, Load(stack, *senders) as load:
        await load.more(BEFORE)
        before = await stack.fetch(_BACKENDS)
        writer = before[0]["pid"]
        os.kill(writer, SIGKILL)
        await load.more(AFTER)
    await check(load)
    assert set(before) & set(await stack.fetch(_BACKENDS)) == set(), "all of them were ended"


async def test_postgres_crashes_and_is_started_again(stack: RunningStack) -> None:
    async with over_http(stack) as senders, Load(stack, *senders) as load:
        await load.more(BEFORE)
        # What `pg_ctl stop -m immediate` sends: it ends at once and writes nothing.
        ended = stack.signal("postgres", SIGQUIT)
        await stack.wait_until_back("postgres", ended)
        await load.more(AFTER)
    await check(load)


@pytest.mark.slow
async def test_while_kafka_is_away_commands_go_on_and_a_wallet_is_shown_right(
    stack: RunningStack,
) -> None:
    wallet = await open_wallet(stack, 1000)
    async with over_http(stack) as senders, Load(stack, *senders) as load:
        await load.more(BEFORE)
        with _supervisor_stopped(stack):
            killed = stack.signal("kafka", SIGKILL)
            for number in range(5):
                await _debit_and_look(stack, wallet, expected=1000 - number - 1)
            await load.more(AFTER)
            assert not _takes_connections(stack.sandbox["KAFKA_BOOTSTRAP"])
        await stack.wait_until_back("kafka", killed)
        await load.more(AFTER)
    await check(load)


async def _debit_and_look(stack: RunningStack, wallet_id: str, expected: int) -> None:
    url = f"{stack.url}/v1/wallets/{wallet_id}"
    body = {"amount": 1, "reference": uuid4().hex}
    async with aiohttp.ClientSession(headers={"Authorization": stack.authorization}) as session:
        async with session.post(f"{url}/debit", json=body) as answer:
            assert answer.status == 200, await answer.text()
            transaction = await answer.json()
        async with session.get(url) as answer:
            assert answer.status == 200, await answer.text()
            assert (await answer.json())["balance"] == expected
        # The history cannot be folded on the fly: it is refused rather than shown too old.
        async with session.get(f"{url}/transactions") as answer:
            if answer.status == 503:
                assert (await answer.json())["code"] == "read_model_behind"
                assert "Retry-After" in answer.headers
            else:
                # The projector may still have had this event when Kafka went away.
                assert (await answer.json())["data"][0] == transaction


@contextmanager
def _supervisor_stopped(stack: RunningStack) -> Iterator[None]:
    """So that what is killed meanwhile stays away until the test has looked."""
    stack.supervisor.send_signal(SIGSTOP)
    try:
        yield
    finally:
        stack.supervisor.send_signal(SIGCONT)


def _takes_connections(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True
