"""Questions to the read models: what they answer, how far they are behind, by which index."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from projections.balances import read_model as balances
from projections.balances.evolve import fold
from projections.balances.holds import HOLDS
from projections.log import find_event, prepare_session
from projections.transactions import read_model as transactions
from projections.transactions.evolve import transaction_of
from schemas.identifiers import StreamKey
from services.runtime.postgres import Connection
from tests.specs.databases import Databases
from tests.specs.event_factory import EPOCH, TENANT_ID, projected
from tests.specs.read_models import Models, read_models

OTHER_TENANT = "6b1f7c52-0c5e-4a6c-8a59-6d0a3f2f6d11"


_MANY_HOLDS = """
INSERT INTO holds
SELECT tenant_id, wallet_id, gen_random_uuid(), opened_version + number, status, amount,
       captured_amount, held_amount, currency, reference, description, metadata,
       created_at + number * interval '1 s', created_at, updated_at, version + number
FROM holds, generate_series(1, 100) AS number
"""


@pytest.fixture
async def models(database: str) -> AsyncIterator[Models]:
    async with read_models(database) as models:
        yield models


@pytest.fixture(scope="module")
def large_once(databases: Databases) -> Iterator[str]:
    async def fill(dsn: str) -> None:
        async with read_models(dsn) as models:
            models.factory.history(3000, 3000)
            await models.happened()
            await models.connection.execute(_MANY_HOLDS)
            await models.connection.execute("ANALYZE")

    with databases.prepare(fill) as prepared:
        yield prepared.name


@pytest.fixture
async def large(databases: Databases, large_once: str) -> AsyncIterator[Connection]:
    """Read models with enough in them for plans to matter, and a session as they are read by."""
    with databases.clone(large_once) as dsn:
        connection = await asyncpg.connect(dsn)
        await prepare_session(connection)
        yield connection
        await connection.close()


def _key(wallet: str, tenant_id: str = TENANT_ID) -> StreamKey:
    return StreamKey(tenant_id, wallet)


async def test_many_wallets_are_read_in_the_order_asked_for(models: Models) -> None:
    wallets = models.factory.history(20, 200)
    await models.happened()
    unknown = "wal_" + "0" * 32
    asked = [_key(wallets[3]), _key(unknown), _key(wallets[3], OTHER_TENANT), _key(wallets[0])]
    third, none, others, first = await balances.read_many(models.connection, asked)
    assert (none, others) == (None, None), "another tenant's wallet is unknown"
    assert third is not None
    assert first is not None
    assert (third.wallet_id, first.wallet_id) == (wallets[3], wallets[0])
    assert (third.behind, first.behind) == (0, 0)


async def test_a_row_that_is_behind_says_so_and_is_caught_up_from_the_log(models: Models) -> None:
    wallet = models.factory.open()
    models.factory.credit(wallet, 100)
    earlier = await models.happened()
    models.factory.debit(wallet, 30)
    models.factory.freeze(wallet)
    new_wallet = models.factory.open()
    later = await models.happened(folded=False)
    reading, new = await balances.read_many(models.connection, [_key(wallet), _key(new_wallet)])
    assert reading is not None
    assert reading.view is not None
    assert (reading.behind, reading.view.balance) == (2, 100)
    caught_up = await balances.catch_up(models.connection, _key(wallet), reading)
    own = [projected(each) for each in (*earlier, *later) if each.stream_id == wallet]
    assert caught_up == fold(None, own)
    assert new is not None
    assert (new.behind, new.view) == (1, None)
    view = await balances.catch_up(models.connection, _key(new_wallet), new)
    assert view is not None
    assert view.id == new_wallet


async def test_a_row_that_is_too_far_behind_is_not_caught_up(models: Models) -> None:
    wallet = models.factory.open()
    for _ in range(balances.CATCH_UP_LIMIT):
        models.factory.credit(wallet, 1)
    await models.happened(folded=False)
    (reading,) = await balances.read_many(models.connection, [_key(wallet)])
    assert reading is not None
    assert reading.behind == balances.CATCH_UP_LIMIT + 1
    assert await balances.catch_up(models.connection, _key(wallet), reading) is None


async def test_lists_are_newest_first_in_pages_that_new_wallets_do_not_disturb(
    models: Models,
) -> None:
    wallets = models.factory.history(25, 100)
    models.factory.open(tenant_id=OTHER_TENANT)
    await models.happened()
    found: list[str] = []
    before = balances.FROM_NEWEST
    while page := await balances.list_wallets(
        models.connection, TENANT_ID, limit=10, before_position=before
    ):
        found += [each.reading.wallet_id for each in page]
        before = page[-1].opened_position
        models.factory.open()
        await models.happened()
    assert found == wallets[::-1]


async def test_wallets_are_counted_as_they_are_opened(models: Models) -> None:
    for _ in range(3):
        models.factory.history(10, 50)
        models.factory.open(tenant_id=OTHER_TENANT)
        await models.happened()
    counted = await models.connection.fetch(
        "SELECT tenant_id, block, currency, wallets FROM wallet_counts ORDER BY 1, 2, 3"
    )
    there = await models.connection.fetch(
        "SELECT tenant_id, opened_position / 16384, currency, count(*) FROM balances "
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    assert [tuple(row) for row in counted] == [tuple(row) for row in there]
    assert sum(row["wallets"] for row in counted) == 33


@pytest.mark.parametrize("currency", [None, "NGN"])
@pytest.mark.parametrize("status", [None, "frozen"])
async def test_lists_can_be_filtered(models: Models, currency: str | None, status: Any) -> None:
    models.factory.history(40, 300)
    await models.happened()
    everything = await balances.list_wallets(models.connection, TENANT_ID, limit=100)
    expected = [
        each
        for each in everything
        if each.reading.view is not None
        and currency in (None, each.reading.view.currency)
        and status in (None, each.reading.view.status)
    ]
    assert expected
    found = await balances.list_wallets(
        models.connection, TENANT_ID, currency=currency, status=status, limit=100
    )
    assert found == expected


async def test_a_customers_wallets_are_all_there_before_any_is_folded(models: Models) -> None:
    first = models.factory.open(customer_id="cus_1", currency="GHS")
    await models.happened()
    second = models.factory.open(customer_id="cus_1", currency="NGN")
    models.factory.open(customer_id="cus_2")
    await models.happened(folded=False)
    found = await balances.list_wallets_of_customer(models.connection, TENANT_ID, "cus_1", limit=10)
    assert [each.reading.wallet_id for each in found] == [second, first]
    assert [each.reading.behind for each in found] == [1, 0]
    (only,) = await balances.list_wallets_of_customer(
        models.connection, TENANT_ID, "cus_1", currency="NGN", limit=10
    )
    assert only.reading.wallet_id == second
    assert only.opened_position == found[0].opened_position
    general = await balances.list_wallets(models.connection, TENANT_ID, limit=10)
    assert general[0].opened_position == found[1].opened_position, "one kind of cursor"


async def test_history_comes_newest_first_in_pages(models: Models) -> None:
    wallet = models.factory.open()
    events = [models.factory.credit(wallet, 10) for _ in range(7)]
    models.factory.decline(wallet, "debit")
    events.append(models.factory.debit(wallet, 5))
    await models.happened()
    found: list[str] = []
    before = transactions.FROM_NEWEST
    while True:
        page = await transactions.read_page(
            models.connection, _key(wallet), limit=3, before_version=before
        )
        assert page is not None
        if not page.transactions:
            break
        found += [each.id for each in page.transactions]
        before = page.transactions[-1].version
    assert found == [f"txn_{event.event_id}" for event in reversed(events)]


async def test_history_by_type_and_by_status(models: Models) -> None:
    wallet = models.factory.open()
    models.factory.credit(wallet, 10)
    models.factory.decline(wallet, "credit")
    models.factory.debit(wallet, 4)
    models.factory.decline(wallet, "debit")
    await models.happened()

    async def amounts(**filters: Any) -> list[int]:
        page = await transactions.read_page(models.connection, _key(wallet), limit=10, **filters)
        assert page is not None
        return [each.amount for each in page.transactions]

    assert await amounts() == [4, 10]
    assert await amounts(transaction_type="debit") == [4]
    assert await amounts(transaction_type="credit") == [10]
    assert await amounts(transaction_type="topup") == []
    assert await amounts(status="failed") == [7, 11]
    assert await amounts(status="failed", transaction_type="credit") == [11]


async def test_history_says_how_far_it_is_complete(models: Models) -> None:
    wallet = models.factory.open()
    await models.happened()
    models.factory.credit(wallet, 10)
    await models.happened(folded=False)
    page = await transactions.read_page(models.connection, _key(wallet), limit=10)
    assert page is not None
    assert (page.newest_version, page.complete_to_version, page.behind) == (2, 1, 1)
    assert page.transactions == []
    assert (
        await transactions.read_page(models.connection, _key(wallet, OTHER_TENANT), limit=10)
        is None
    )


async def test_a_transaction_by_its_event_and_how_much_of_it_is_reversed(models: Models) -> None:
    wallet = models.factory.open()
    models.factory.credit(wallet, 1000)
    debited = models.factory.debit(wallet, 100)
    models.factory.reverse(debited, 30)
    await models.happened()
    found = await find_event(models.connection, TENANT_ID, debited.event_id)
    assert found == (_key(wallet), 3)
    assert await find_event(models.connection, OTHER_TENANT, debited.event_id) is None
    assert await find_event(models.connection, TENANT_ID, "0" * 32) is None
    reading = await transactions.read_transaction(models.connection, *found)
    assert reading is not None
    assert reading.line is not None
    assert reading.line.transaction == transaction_of(projected(debited))
    assert (reading.line.reversed_amount, reading.behind) == (30, 0)
    models.factory.reverse(debited)
    await models.happened()
    page = await transactions.read_page(models.connection, _key(wallet), limit=10)
    assert page is not None
    assert [(line.transaction.kind, line.reversed_amount) for line in page.lines] == [
        ("reversal", 0),
        ("reversal", 0),
        ("debit", 100),
        ("credit", 0),
    ]
    by_type = await transactions.read_page(
        models.connection, _key(wallet), limit=10, transaction_type="debit"
    )
    assert by_type is not None
    assert by_type.lines == page.lines[2:3]


async def test_a_transaction_that_is_not_folded_yet_is_behind(models: Models) -> None:
    wallet = models.factory.open()
    await models.happened()
    models.factory.credit(wallet, 10)
    await models.happened(folded=False)
    reading = await transactions.read_transaction(models.connection, _key(wallet), 2)
    assert reading is not None
    assert (reading.line, reading.behind) == (None, 1)
    none = await transactions.read_transaction(models.connection, _key(wallet, OTHER_TENANT), 2)
    assert none is None


async def test_a_page_shows_what_only_some_transactions_have(models: Models) -> None:
    """Whatever the history holds, a line says what the event said."""
    wallets = models.factory.history(4, 300)
    events = await models.happened()
    expected = {
        view.id: view for event in events if (view := transaction_of(projected(event))) is not None
    }
    for wallet in wallets:
        for status in ("completed", "failed"):
            page = await transactions.read_page(
                models.connection, _key(wallet), status=status, limit=1000
            )
            assert page is not None
            for view in page.transactions:
                assert view == expected.pop(view.id)
    assert expected == {}


@pytest.mark.parametrize(
    ("statement", "arguments", "indexes"),
    [
        (
            balances._READ_MANY,
            ([], []),
            {"balances_pkey", "events_tenant_id_stream_id_version_key"},
        ),
        (balances._LIST, (TENANT_ID, 9, 9), {"balances_by_opening"}),
        (balances._LIST_BY_CURRENCY, (TENANT_ID, 9, 9, "GHS"), {"balances_by_currency"}),
        (balances._LIST_BY_STATUS, (TENANT_ID, 9, 9, "frozen"), {"balances_by_status"}),
        (
            balances._LIST_BY_BOTH,
            (TENANT_ID, 9, 9, "GHS", "frozen"),
            {"balances_by_currency_and_status"},
        ),
        (
            transactions._PAGE,
            (TENANT_ID, TENANT_ID, 9, 9, "completed"),
            {"transactions_pkey", "events_tenant_id_stream_id_version_key"},
        ),
        (
            transactions._PAGE_BY_TYPE,
            (TENANT_ID, TENANT_ID, 9, 9, "debit"),
            {
                "transactions_by_type",
                "transactions_by_reversed",
                "events_tenant_id_stream_id_version_key",
            },
        ),
        (
            transactions._PAGE_DECLINED_BY_TYPE,
            (TENANT_ID, TENANT_ID, 9, 9, "debit"),
            {"transactions_declined_by_type", "events_tenant_id_stream_id_version_key"},
        ),
        (
            HOLDS.list_newest,
            (TENANT_ID, TENANT_ID, 9, 9),
            {"holds_by_opening", "balances_pkey", "events_tenant_id_stream_id_version_key"},
        ),
        (
            HOLDS.list_by_status,
            (TENANT_ID, TENANT_ID, 9, 9, "open"),
            {"holds_by_status", "balances_pkey", "events_tenant_id_stream_id_version_key"},
        ),
        (balances._LIST_DUE, (EPOCH, 9), {"balances_by_next_lapse", "holds_by_expiry"}),
    ],
    ids=[
        "many",
        "list",
        "currency",
        "status",
        "currency and status",
        "page",
        "page by type",
        "declined by type",
        "holds",
        "holds by status",
        "due",
    ],
)
async def test_plans_are_by_index_and_sort_nothing_that_grows(
    large: Connection, statement: str, arguments: tuple[Any, ...], indexes: set[str]
) -> None:
    await large.execute("RESET enable_seqscan; RESET enable_hashjoin")
    await large.execute("RESET enable_mergejoin")
    rows = await large.fetch(f"EXPLAIN {statement}", *arguments)
    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan" not in plan, plan
    for index in indexes:
        assert index in plan, plan
