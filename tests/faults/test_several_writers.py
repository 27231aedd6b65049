"""Several processes append at once, and one of them is stopped while it holds the turn."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import aiohttp

from services.supervisor.ports import RememberedPorts
from tests.faults.aftermath import check
from tests.faults.load import Load, over_http, over_kafka
from tests.specs.running_stack import RunningStack, eventually

BEFORE = 500
AFTER = 500
_TRIES = 100
_STOPPED_S = 5.0

_TURNS = """
SELECT pid, xact_start FROM pg_stat_activity
WHERE application_name = 'ledger append' AND state = 'idle in transaction'
"""


async def test_two_gateways_write_at_once(stack: RunningStack, tmp_path: Path) -> None:
    """A debit that is asked for again may go to the other one; one of them ends meanwhile."""
    port = RememberedPorts(tmp_path).take("gateway")
    url = f"http://127.0.0.1:{port}"
    second = await stack.start("gateway", LEDGER_HTTP_PORT=str(port))
    await eventually(lambda: _is_ready(url), "the second gateway is ready")
    async with over_http(stack, stack.url, url) as senders, Load(stack, *senders) as load:
        await load.more(BEFORE)
        second.terminate()
        output, _ = await second.communicate()
        assert second.returncode == 0, output.decode()
        await load.more(AFTER)
    await check(load)


async def test_a_gateway_that_is_stopped_in_its_turn_does_not_stop_the_ledger(
    stack: RunningStack,
) -> None:
    async with AsyncExitStack() as clients:
        http = await clients.enter_async_context(over_http(stack))
        kafka = await clients.enter_async_context(over_kafka(stack))
        async with Load(stack, *kafka, *http) as load:
            await load.more(BEFORE)
            await _stop_in_its_turn(stack)
            try:
                # The gateway answers nothing now: these are the intake's.
                await asyncio.gather(load.more(AFTER), asyncio.sleep(_STOPPED_S))
            finally:
                stack.signal("gateway", SIGCONT)
            await load.more(AFTER)
    await check(load)


async def _stop_in_its_turn(stack: RunningStack) -> None:
    """Stop the gateway at a moment at which it holds the turn, which takes a few tries."""
    for _ in range(_TRIES):
        stack.signal("gateway", SIGSTOP)
        before = await stack.fetch(_TURNS)
        await asyncio.sleep(0.1)
        # The intake's turns last milliseconds, so one that lasts is the gateway's.
        if set(before) & set(await stack.fetch(_TURNS)):
            return
        stack.signal("gateway", SIGCONT)
        await asyncio.sleep(0.05)
    raise AssertionError("the gateway never held the turn when it was stopped")


async def _is_ready(url: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
        return answer.status == 200
