"""`kill -9` of each process in the middle of load: it comes back; nothing is lost or doubled."""

from contextlib import AsyncExitStack
from signal import SIGKILL

import pytest

from tests.faults.aftermath import check
from tests.faults.load import Load, over_http, over_kafka
from tests.specs.running_stack import RunningStack

BEFORE = 500
AFTER = 500


@pytest.mark.parametrize(
    "name",
    [
        *("gateway", "relay", "scheduler", "projector-balances"),
        pytest.param("projector-transactions", marks=pytest.mark.slow),
        pytest.param("projector-trial_balance", marks=pytest.mark.slow),
    ],
)
async def test_a_killed_process_comes_back(stack: RunningStack, name: str) -> None:
    async with over_http(stack) as senders, Load(stack, *senders) as load:
        await load.more(BEFORE)
        killed = stack.signal(name, SIGKILL)
        await stack.wait_until_back(name, killed)
        await load.more(AFTER)
    await check(load)


async def test_a_killed_intake_comes_back(stack: RunningStack) -> None:
    """Commands come over Kafka and over HTTP, so that two writers take turns meanwhile."""
    async with AsyncExitStack() as clients:
        http = await clients.enter_async_context(over_http(stack))
        kafka = await clients.enter_async_context(over_kafka(stack))
        async with Load(stack, *kafka, *http[:8]) as load:
            await load.more(BEFORE)
            killed = stack.signal("intake", SIGKILL)
            await stack.wait_until_back("intake", killed)
            await load.more(AFTER)
    await check(load)
