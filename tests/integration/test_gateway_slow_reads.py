"""Slow and long reads: whom they delay, how far they go, and what is said where they end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from projections.balances.read_model import list_wallets_of_customer
from projections.registry import PROJECTIONS
from services.gateway import reads
from services.gateway.baas import transaction_queries
from services.runtime.migrations import all_migrations, apply_migrations
from services.runtime.postgres import connect
from tests.specs.baas_client import BaasClient, failure
from tests.specs.event_factory import TENANT_ID
from tests.specs.published_log import wait_until
from tests.specs.running_gateway import FAST, RunningGateway, running_gateway

ROOT = Path(__file__).parents[2]
OTHER_TENANT = "6b1f7c52-0c5e-4a6c-8a59-6d0a3f2f6d11"
WAITING = "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted"
LIST = (ROOT / "services/gateway/baas/sql/list_wallets.sql").read_text()
WALLETS = """
INSERT INTO balances (tenant_id, wallet_id, version, customer_id, user_id, currency, status,
                      balance, available_balance, opened_position, created_at, updated_at, metadata)
SELECT $1, gen_random_uuid(), 1, 'c', gen_random_uuid(), $2, 'active', 0, 0,
       number * 5461 + $3, now(), now(), 'null'
FROM generate_series(1, $4) AS number
"""


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


@asynccontextmanager
async def histories_do_not_answer(dsn: str) -> AsyncIterator[None]:
    """Whoever reads `transactions` waits until the statement is given up, after a second."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def test_slow_reads_of_one_tenant_delay_no_other(
    gateway: RunningGateway, database: str
) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "r")
    await gateway.project()
    body = {"customer_id": "hot", "currency": "GHS"}
    hot = (await gateway.post("/wallets", body, who="stranger")).json["id"]
    stopping = False

    async def crawl() -> None:
        while not stopping:
            await gateway.get(f"/wallets/{hot}/transactions", who="stranger")

    crawlers = [asyncio.create_task(crawl()) for _ in range(24)]
    try:
        async with histories_do_not_answer(database):
            await asyncio.sleep(0.3)
            started = time.monotonic()
            # Credentials that nobody has used yet are looked up; others again within a second.
            for number, who in enumerate(("writer", "merchant", "admin")):
                debit = {"amount": 1, "reference": f"d{number}"}
                reply = await gateway.post(f"/wallets/{wallet}/debit", debit, who=who)
                assert reply.status == 200, reply
            reply = await gateway.get(f"/wallets/{wallet}", who="reader", headers=FAST)
            listed = await gateway.get("/wallets", who="reader")
            ready = await gateway.call("GET", "/readyz", who=None)
            took = time.monotonic() - started
    finally:
        stopping = True
        await asyncio.gather(*crawlers)
    assert (listed.status, ready.status) == (200, 200)
    assert reply.status == 200
    assert took < 2, "in the queue of the others it would be three seconds, and then a 503"


async def test_a_page_that_skips_too_much_is_refused_and_one_behind_the_end_is_empty(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    baas = BaasClient(gateway)
    user_id, _ = await baas.open_wallet()
    for number in range(8):
        await baas.credit(user_id, 1, f"r{number}")
    await gateway.project()
    monkeypatch.setattr(transaction_queries, "MAX_SKIPPED", 4)

    async def page(number: int) -> Any:
        return await baas.get(f"/transactions/customer/{user_id}?page={number}&limit=2")

    shown = [each["reference"] for n in (1, 2, 3) for each in (await page(n)).json["data"]]
    assert shown == [f"r{number}" for number in (7, 6, 5, 4, 3, 2)]
    status, message, fields = failure(await page(4))
    assert (status, message, list(fields)) == (400, "Invalid parameter", ["page"])
    assert "from 1 to 3" in fields["page"]
    behind = (await page(5)).json
    assert (behind["data"], behind["meta"]["totalItems"]) == ([], 8)


async def test_wallets_of_a_customer_are_read_by_the_hundred_however_few_are_asked_for(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(12):
        wallet = await gateway.open_wallet("cus_1")
        await gateway.post(f"/wallets/{wallet}/close")
    await gateway.project()
    asked = []

    async def counted(*arguments: Any, **more: Any) -> Any:
        asked.append(more["limit"])
        return await list_wallets_of_customer(*arguments, **more)

    monkeypatch.setattr(reads, "list_wallets_of_customer", counted)
    page = (await gateway.get("/wallets?customer_id=cus_1&status=frozen&limit=1")).json
    assert (page["data"], page["has_more"], asked) == ([], False, [100])


async def test_a_long_search_goes_on_by_the_cursor_and_skips_nothing(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = []
    for number in range(13):
        wallet = await gateway.open_wallet("cus_1", {2: "NGN", 3: "KES"}.get(number, "GHS"))
        if number in (2, 3):
            await gateway.post(f"/wallets/{wallet}/freeze")
            frozen.append(wallet)
        else:
            await gateway.post(f"/wallets/{wallet}/close")
    await gateway.project()
    monkeypatch.setattr(reads, "_WALLETS_AT_A_TIME", 2)
    monkeypatch.setattr(reads, "MAX_WALLETS_LOOKED_AT", 4)
    path = "/wallets?customer_id=cus_1&status=frozen&limit=1"
    found: list[str] = []
    after, pages = "", 0
    while True:
        page = (await gateway.get(path + after)).json
        found += [each["id"] for each in page["data"]]
        pages += 1
        if not page["has_more"]:
            break
        after = f"&after={page['next_cursor']}"
    assert found == frozen[::-1]
    assert 3 < pages < 13


async def test_wallets_that_were_there_before_they_were_counted_are_listed_and_counted(
    empty_database: str,
) -> None:
    """Page by page over blocks of three wallets each, and each page as if it were cut from all."""
    connection = await connect(empty_database, "test")
    try:
        counted = "balances/0007_wallet_counts.sql"
        before = [each for each in all_migrations() if each.name != counted]
        await apply_migrations(connection, before)
        await connection.execute(WALLETS, TENANT_ID, "NGN", 0, 20)
        await connection.execute(WALLETS, TENANT_ID, "GHS", 1, 5)
        await connection.execute(WALLETS, OTHER_TENANT, "NGN", 2, 3)
        assert await apply_migrations(connection) == [counted]
        rows = await connection.fetch(
            "SELECT wallet_id FROM balances WHERE tenant_id = $1 AND currency = 'NGN' "
            "ORDER BY opened_position DESC",
            TENANT_ID,
        )
        everything = [row["wallet_id"] for row in rows]
        for limit in (1, 3, 100):
            for skipped in range(22):
                page = await connection.fetch(LIST, TENANT_ID, "NGN", limit, skipped)
                shown = [row["wallet_id"] for row in page if row["wallet_id"] is not None]
                assert shown == everything[skipped : skipped + limit]
                assert {row["total_items"] for row in page} == {20}
        (nothing,) = await connection.fetch(LIST, OTHER_TENANT, "GHS", 10, 0)
        assert tuple(nothing) == (0, None)
    finally:
        await connection.close()


async def test_a_list_locks_in_the_order_in_which_a_rebuild_locks(database: str) -> None:
    """So whoever waits for the first table has nothing of the second."""
    connection, rebuild = await asyncpg.connect(database), await asyncpg.connect(database)
    first, *_, last = PROJECTIONS["balances"].tables
    async with rebuild.transaction():
        await rebuild.execute(f"LOCK TABLE {first} IN ACCESS EXCLUSIVE MODE")
        listing = asyncio.create_task(connection.fetch(LIST, TENANT_ID, "NGN", 10, 0))

        async def waits() -> bool:
            return bool(await rebuild.fetchval(WAITING, connection.get_server_pid()))

        await wait_until(waits)
        await rebuild.execute(f"LOCK TABLE {last} IN ACCESS EXCLUSIVE MODE NOWAIT")
    assert [tuple(row) for row in await listing] == [(0, None)]
    await connection.close()
    await rebuild.close()
