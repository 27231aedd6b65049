"""Reading your own write, and pages: the read models are fed as far as each test says."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.specs.running_gateway import FAST, RunningGateway, running_gateway


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def all_pages(gateway: RunningGateway, path: str, limit: int) -> list[Any]:
    """Every entry of a list, page by page."""
    entries: list[Any] = []
    joint = "&" if "?" in path else "?"
    after = ""
    while True:
        page = (await gateway.get(f"{path}{joint}limit={limit}{after}")).json
        entries += page["data"]
        assert page["has_more"] == (page["next_cursor"] is not None)
        assert len(page["data"]) == limit or not page["has_more"]
        if not page["has_more"]:
            return entries
        after = f"&after={page['next_cursor']}"


async def test_a_wallet_is_right_while_the_read_model_stands_still(gateway: RunningGateway) -> None:
    """The first query waits a second, the ones after it fold at once."""
    wallet = await gateway.open_wallet()
    for number in range(1, 4):
        await gateway.credit(wallet, 100, f"r{number}")
        started = time.monotonic()
        reply = await gateway.get(f"/wallets/{wallet}")
        assert reply.json["balance"] == 100 * number
        assert reply.headers["ETag"] == f'"{number + 1}"'
        took = time.monotonic() - started
        assert took < 0.5 if number > 1 else took > 0.9


async def test_a_wallet_that_is_caught_up_with_meanwhile(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "r1")
    waiting = asyncio.create_task(gateway.get(f"/wallets/{wallet}"))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    await gateway.project("balances")
    reply = await waiting
    assert reply.json["balance"] == 100
    assert time.monotonic() - started < 0.5


async def test_many_wallets_at_once(gateway: RunningGateway) -> None:
    wallets = [await gateway.open_wallet(f"cus_{number}") for number in range(20)]
    for number, wallet in enumerate(wallets):
        await gateway.credit(wallet, number + 1, f"r{number}")
    await gateway.project("balances")
    replies = await asyncio.gather(
        *(gateway.get(f"/wallets/{wallet}") for wallet in wallets * 5),
        gateway.get("/wallets/wal_" + "0a" * 16),
    )
    assert [reply.json["balance"] for reply in replies[:-1]] == list(range(1, 21)) * 5
    assert replies[-1].status == 404


async def test_eventual_reads_say_how_far_they_lag(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.project("balances", "transactions")
    await gateway.credit(wallet, 100, "r1")
    await gateway.credit(wallet, 100, "r2")
    for path in (f"/wallets/{wallet}", f"/wallets/{wallet}/transactions"):
        reply = await gateway.get(path, headers=FAST)
        assert (reply.status, reply.headers["Ledger-Lag"], reply.headers["ETag"]) == (
            200,
            "2",
            '"1"',
        )
    assert (await gateway.get(f"/wallets/{wallet}", headers=FAST)).json["balance"] == 0


async def test_a_history_that_is_behind_is_refused(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "r1")
    reply = await gateway.get(f"/wallets/{wallet}/transactions")
    assert (reply.status, reply.code) == (503, "read_model_behind")
    assert reply.headers["Retry-After"] == "1"
    await gateway.project("transactions")
    reply = await gateway.get(f"/wallets/{wallet}/transactions")
    assert [entry["reference"] for entry in reply.json["data"]] == ["r1"]


async def test_a_history_page_by_page(gateway: RunningGateway) -> None:
    """No row twice, none skipped, also when money moves between two pages."""
    wallet = await gateway.open_wallet()
    for number in range(7):
        await gateway.credit(wallet, 10, f"credit-{number}")
        await gateway.post(
            f"/wallets/{wallet}/debit", {"amount": 1, "reference": f"debit-{number}"}
        )
    await gateway.post(f"/wallets/{wallet}/debit", {"amount": 1000, "reference": "declined"})
    await gateway.project()
    path = f"/wallets/{wallet}/transactions"

    entries = await all_pages(gateway, path, 3)
    names = [f"{kind}-{number}" for number in reversed(range(7)) for kind in ("debit", "credit")]
    assert [entry["reference"] for entry in entries] == names

    first = (await gateway.get(f"{path}?limit=5")).json
    await gateway.credit(wallet, 1, "late")
    await gateway.project()
    second = (await gateway.get(f"{path}?limit=5&after={first['next_cursor']}")).json
    shown = [entry["reference"] for entry in first["data"] + second["data"]]
    assert shown == names[:10]

    only = await all_pages(gateway, f"{path}?type=debit", 2)
    assert [entry["type"] for entry in only] == ["debit"] * 7
    failed = (await gateway.get(f"{path}?status=failed")).json["data"]
    assert [(entry["reference"], entry["code"]) for entry in failed] == [
        ("declined", "insufficient_funds")
    ]
    assert (await gateway.get(f"{path}?type=topup")).json["data"] == []


async def test_an_answer_is_the_row_of_the_history(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    body = {"amount": 5, "reference": "r", "description": "Gift", "metadata": {"a": [1, 2.50]}}
    credited = await gateway.post(f"/wallets/{wallet}/credit", body)
    await gateway.project("transactions")
    page = await gateway.get(f"/wallets/{wallet}/transactions")
    assert page.json["data"] == [credited.json]
    assert credited.body in page.body


async def test_wallets_page_by_page(gateway: RunningGateway) -> None:
    opened = [await gateway.open_wallet(f"cus_{number}") for number in range(5)]
    await gateway.open_wallet("cus_0", "NGN")
    await gateway.post(f"/wallets/{opened[1]}/freeze")
    await gateway.project("balances")
    ghs = await all_pages(gateway, "/wallets?currency=GHS", 2)
    assert [entry["id"] for entry in ghs] == opened[::-1]
    assert len(await all_pages(gateway, "/wallets", 4)) == 6
    frozen = await all_pages(gateway, "/wallets?status=frozen", 4)
    assert [entry["id"] for entry in frozen] == [opened[1]]
    assert (await gateway.get("/wallets", who="stranger")).json["data"] == []


async def test_a_customers_wallets_show_ones_own_write(gateway: RunningGateway) -> None:
    """Also before any projector has run, and the status is judged on the wallet as it is."""
    first = await gateway.open_wallet("cus_1", "GHS")
    second = await gateway.open_wallet("cus_1", "NGN")
    await gateway.open_wallet("cus_2", "GHS")
    await gateway.post(f"/wallets/{first}/freeze")
    page = (await gateway.get("/wallets?customer_id=cus_1")).json["data"]
    assert [(entry["id"], entry["status"]) for entry in page] == [
        (second, "active"),
        (first, "frozen"),
    ]
    page = (await gateway.get("/wallets?customer_id=cus_1&status=frozen")).json["data"]
    assert [entry["id"] for entry in page] == [first]
    page = (await gateway.get("/wallets?customer_id=cus_1&currency=NGN")).json["data"]
    assert [entry["id"] for entry in page] == [second]
    assert (await gateway.get("/wallets?customer_id=nobody")).json["data"] == []
    pages = await all_pages(gateway, "/wallets?customer_id=cus_1", 1)
    assert [entry["id"] for entry in pages] == [second, first]


async def test_too_much_to_fold_is_refused(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    for start in range(0, 1001, 100):
        await asyncio.gather(
            *(gateway.credit(wallet, 1, f"r{number}") for number in range(start, start + 100))
        )
    reply = await gateway.get(f"/wallets/{wallet}")
    assert (reply.status, reply.code) == (503, "read_model_behind")
    await gateway.project("balances")
    assert (await gateway.get(f"/wallets/{wallet}")).json["balance"] == 1100


async def test_holds_that_are_behind_are_refused(gateway: RunningGateway) -> None:
    """Known to the log is never 404, and never older than what was acknowledged."""
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "r1")
    hold = await gateway.place_hold(wallet, 10, "ride")
    transaction = (await gateway.credit(wallet, 1, "r2")).json["id"]
    paths = (f"/wallets/{wallet}/holds", f"/holds/{hold}", f"/transactions/{transaction}")
    for path in paths:
        reply = await gateway.get(path)
        assert (reply.status, reply.code) == (503, "read_model_behind")
    for path in paths[1:]:
        reply = await gateway.get(path, headers=FAST)
        assert (reply.status, reply.code) == (503, "read_model_behind")
    await gateway.project()
    await gateway.credit(wallet, 1, "r3")
    for path in paths:
        reply = await gateway.get(path, headers=FAST)
        lag, version = reply.headers["Ledger-Lag"], reply.headers["ETag"]
        assert (reply.status, lag, version) == (200, "1", '"4"')
    await gateway.project()
    for path in paths:
        reply = await gateway.get(path)
        assert (reply.status, reply.headers["ETag"]) == (200, '"5"')
        assert "Ledger-Lag" not in reply.headers


async def test_a_hold_that_is_caught_up_with_meanwhile(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "r1")
    hold = await gateway.place_hold(wallet, 10, "ride")
    waiting = asyncio.create_task(gateway.get(f"/holds/{hold}"))
    await asyncio.sleep(0.1)
    await gateway.project("balances")
    assert (await waiting).json["held_amount"] == 10


async def test_holds_page_by_page(gateway: RunningGateway) -> None:
    """No hold twice, none skipped, also when holds change and come between two pages."""
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "r1")
    holds = [await gateway.place_hold(wallet, 1, f"ride-{number}") for number in range(7)]
    await gateway.post(f"/holds/{holds[2]}/void")
    await gateway.post(f"/holds/{holds[4]}/capture")
    await gateway.project("balances")
    path = f"/wallets/{wallet}/holds"
    assert [hold["id"] for hold in await all_pages(gateway, path, 3)] == holds[::-1]
    still_open = await all_pages(gateway, f"{path}?status=open", 2)
    assert [hold["id"] for hold in still_open] == [holds[n] for n in (6, 5, 3, 1, 0)]
    for status, number in (("voided", 2), ("captured", 4)):
        (only,) = (await gateway.get(f"{path}?status={status}")).json["data"]
        assert (only["id"], only["status"]) == (holds[number], status)
    assert (await gateway.get(f"{path}?status=expired")).json["data"] == []

    first = (await gateway.get(f"{path}?limit=4")).json
    await gateway.place_hold(wallet, 1, "late")
    await gateway.post(f"/holds/{holds[1]}/void")
    await gateway.project("balances")
    second = (await gateway.get(f"{path}?limit=4&after={first['next_cursor']}")).json
    shown = [hold["id"] for hold in first["data"] + second["data"]]
    assert (shown, second["has_more"]) == (holds[::-1], False)
    cursor = first["next_cursor"]
    for other in (
        f"{path}?status=open&after={cursor}",
        f"/wallets/{wallet}/transactions?after={cursor}",
    ):
        assert (await gateway.get(other)).code == "invalid_cursor"
