"""Two ledgers on one machine, each with a home and a port of its own, do not meet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.commands import DebitWallet
from services.client import CommandClient
from services.supervisor.ports import RememberedPorts
from tests.specs.running_stack import PATIENCE_S, RunningStack
from tests.specs.shop_calls import ShopCalls


@pytest.fixture
async def other(server_home: Path, _no_settings_of_the_caller: None) -> AsyncIterator[RunningStack]:
    """A second stack, beside the one of the whole run."""
    running = RunningStack(server_home / "home", RememberedPorts(server_home).take("gateway"))
    try:
        await asyncio.to_thread(running.wait_until_ready)
        yield running
    finally:
        if running.supervisor.poll() is None:
            running.supervisor.kill()
            running.supervisor.wait()


@pytest.mark.slow
async def test_two_stacks_do_not_meet(stack: RunningStack, other: RunningStack) -> None:
    # Given a merchant on each, with the same customer and the same references
    shops = [ShopCalls(each.url, each.authorization) for each in (stack, other)]
    before = await _events(stack)
    wallets = [await shop.open_wallet("cus_of_two_stacks") for shop in shops]
    for shop, wallet, amount in zip(shops, wallets, (500, 700), strict=True):
        await shop.credit(wallet, amount, "of-two-stacks")

    # When each gets a command over its own Kafka
    for each, wallet in zip((stack, other), wallets, strict=True):
        sandbox = each.sandbox
        async with CommandClient(
            sandbox["KAFKA_BOOTSTRAP"], sandbox["TENANT_ID"], "/test"
        ) as client:
            debit = DebitWallet(wallet_id=wallet, amount=100, reference="of-two-stacks-too")
            assert (await client.execute(debit)).status == "accepted"

    # Then each has its own money and events, and the other's wallet and key are unknown to it
    assert [await shop.balance(wallet) for shop, wallet in zip(shops, wallets, strict=True)] == [
        400,
        600,
    ]
    for shop, others_wallet in zip(shops, reversed(wallets), strict=True):
        assert await shop.status(f"/wallets/{others_wallet}") == 404
    assert await ShopCalls(other.url, stack.authorization).status("/wallets") == 401
    assert await _events(stack) == before + 3
    assert await _events(other) == 3
    await stack.wait_until_caught_up()
    await other.wait_until_caught_up()

    # And one stops without the other
    assert await asyncio.to_thread(other.stop) == 0, other.said()
    assert await shops[0].balance(wallets[0]) == 400


async def test_a_second_start_that_would_meet_the_first_is_refused_clearly(
    stack: RunningStack, tmp_path: Path
) -> None:
    port = int(stack.url.rpartition(":")[2])
    for home, said in (
        (stack.home, f"a ledger runs on {stack.home} already (pid {stack.supervisor.pid})"),
        (tmp_path / "home", f"port {port} on 127.0.0.1 is taken; choose another"),
    ):
        refused = await stack.start("up", LEDGER_HOME=str(home), LEDGER_HTTP_PORT=str(port))
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await refused.communicate()
        assert refused.returncode == 1
        assert said in output.decode()
    assert await ShopCalls(stack.url, stack.authorization).status("/wallets") == 200


async def _events(stack: RunningStack) -> int:
    (row,) = await stack.fetch("SELECT count(*) FROM events")
    return int(row[0])
