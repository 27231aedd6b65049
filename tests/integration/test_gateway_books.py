"""Accounts, entries and the trial balance over HTTP, on real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from projections.trial_balance.evolve import CHART
from schemas.http import books
from tests.specs.running_gateway import FAST, RunningGateway, running_gateway


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def _debit(gateway: RunningGateway, wallet: str, amount: int, reference: str) -> Any:
    body = {"amount": amount, "reference": reference}
    reply = await gateway.post(f"/wallets/{wallet}/debit", body)
    assert reply.status == 200, reply
    return reply.json


async def _story(gateway: RunningGateway) -> str:
    """Five events: opened, 15000 in, 500 out; and 700 into a wallet of another currency."""
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 15_000, "welcome")
    await _debit(gateway, wallet, 500, "sms-1")
    other = await gateway.open_wallet(currency="NGN")
    await gateway.credit(other, 700, "in-naira")
    await gateway.project()
    return wallet


async def test_the_accounts_of_a_small_story(gateway: RunningGateway) -> None:
    await _story(gateway)
    reply = await gateway.get("/accounts")
    page = msgspec.json.decode(reply.body, type=books.AccountPage)
    assert page.position == gateway.begun + 5
    assert [(each.id, each.debits, each.credits, each.balance) for each in page.data] == [
        ("customer_wallet.GHS", 500, 15_000, -14_500),
        ("customer_wallet.NGN", 0, 700, -700),
        ("merchant.GHS", 15_000, 500, 14_500),
        ("merchant.NGN", 700, 0, 700),
    ]
    assert (page.has_more, page.next_cursor) == (False, None)


async def test_accounts_page_by_page_are_all_of_them_once(gateway: RunningGateway) -> None:
    await _story(gateway)
    whole = (await gateway.get("/accounts")).json["data"]
    found: list[Any] = []
    after = ""
    while True:
        page = (await gateway.get(f"/accounts?limit=1{after}")).json
        found += page["data"]
        assert len(page["data"]) == 1
        if not page["has_more"]:
            break
        after = f"&after={page['next_cursor']}"
    assert found == whole
    assert page["next_cursor"] is None


async def test_an_account_has_its_entries_newest_first(gateway: RunningGateway) -> None:
    wallet = await _story(gateway)
    debit = await _debit(gateway, wallet, 250, "sms-2")
    await gateway.project()
    reply = await gateway.get("/accounts/customer_wallet.GHS/entries")
    page = msgspec.json.decode(reply.body, type=books.AccountEntryPage)
    begun = gateway.begun
    assert [
        (each.position - begun, each.side, each.amount, each.balance_after) for each in page.data
    ] == [
        (6, "debit", 250, -14_250),
        (3, "debit", 500, -14_500),
        (2, "credit", 15_000, -15_000),
    ]
    newest = page.data[0]
    assert (newest.transaction_id, newest.wallet_id) == (debit["id"], wallet)
    assert (newest.event, newest.other_account) == ("wallet.debited", "merchant.GHS")
    seen = (await gateway.get(f"/transactions/{newest.transaction_id}")).json
    assert seen["created_at"] == reply.json["data"][0]["created_at"]


async def test_entries_page_by_page_have_the_same_balances(gateway: RunningGateway) -> None:
    wallet = await _story(gateway)
    for number in range(5):
        await _debit(gateway, wallet, 10 + number, f"d{number}")
    await gateway.project()
    whole = (await gateway.get("/accounts/merchant.GHS/entries")).json["data"]
    assert len(whole) == 7
    found: list[Any] = []
    after = ""
    while True:
        page = (await gateway.get(f"/accounts/merchant.GHS/entries?limit=2{after}")).json
        found += page["data"]
        # What happens between two pages comes before the first, and moves nothing.
        await gateway.credit(wallet, 1, f"between-{len(found)}")
        await gateway.project()
        if not page["has_more"]:
            break
        after = f"&after={page['next_cursor']}"
    assert found == whole


async def test_the_trial_balance_is_zero_in_each_currency(gateway: RunningGateway) -> None:
    await _story(gateway)
    reply = await gateway.get("/trial-balance")
    found = msgspec.json.decode(reply.body, type=books.TrialBalance)
    assert (found.as_of, found.position, found.is_exact) == (None, gateway.begun + 5, False)
    assert [(each.currency, each.debits, each.credits) for each in found.currencies] == [
        ("GHS", 15_500, 15_500),
        ("NGN", 700, 700),
    ]
    assert all(each.difference == 0 for each in found.currencies)
    assert all(sum(a.balance for a in each.accounts) == 0 for each in found.currencies)


async def test_the_trial_balance_as_of_a_position_and_a_moment(gateway: RunningGateway) -> None:
    await _story(gateway)
    by_position = await gateway.get(f"/trial-balance?as_of={gateway.begun + 2}")
    found = msgspec.json.decode(by_position.body, type=books.TrialBalance)
    assert (found.position, found.is_exact) == (gateway.begun + 2, True)
    assert [(a.id, a.balance) for each in found.currencies for a in each.accounts] == [
        ("customer_wallet.GHS", -15_000),
        ("merchant.GHS", 15_000),
    ]
    moment = (await gateway.get("/accounts/merchant.GHS/entries")).json["data"][1]["created_at"]
    by_moment = (await gateway.get(f"/trial-balance?as_of={moment}")).json
    assert by_moment.pop("as_of") == moment
    assert by_moment == {key: value for key, value in by_position.json.items() if key != "as_of"}
    assert by_position.json["as_of"] == gateway.begun + 2
    in_words = await gateway.get(f"/trial-balance?as_of=position:{gateway.begun + 2}")
    assert in_words.json == by_position.json
    before_all = (await gateway.get("/trial-balance?as_of=2020-01-01")).json
    assert (before_all["position"], before_all["currencies"]) == (0, [])


@pytest.mark.parametrize(
    "as_of",
    [
        *("-1", "100000", "9223372036854775807", "99999999999999999999", "yesterday", "", "01"),
        *("%00", "position:1000", "position:", "position:-1", "2020-W10-1"),
    ],
)
async def test_an_as_of_that_cannot_be_is_refused(gateway: RunningGateway, as_of: str) -> None:
    await _story(gateway)
    reply = await gateway.get(f"/trial-balance?as_of={as_of}")
    assert (reply.status, reply.code) == (400, "invalid_parameter")
    assert reply.json["param"] == "as_of"


@pytest.mark.parametrize("as_of", ["2020", "20200101"])
async def test_what_may_be_a_date_or_a_position_is_asked_for_again(
    gateway: RunningGateway, as_of: str
) -> None:
    reply = await gateway.get(f"/trial-balance?as_of={as_of}")
    assert (reply.status, reply.code) == (400, "invalid_parameter")
    assert reply.json["detail"].startswith("as_of may be a position or a date: write position:")


async def test_a_moment_that_is_still_to_come_is_refused(gateway: RunningGateway) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    reply = await gateway.get(f"/trial-balance?as_of={ahead}")
    assert (reply.status, reply.code) == (400, "invalid_parameter")
    assert "ahead of now" in reply.json["detail"]


@pytest.mark.parametrize(
    "name", ["merchant.GHS", "merchant.XYZ", "merchant", "fees.GHS", "wal_1", "merchant%2EGHS", "ä"]
)
async def test_an_account_without_entries_is_not_found(gateway: RunningGateway, name: str) -> None:
    reply = await gateway.get(f"/accounts/{name}/entries")
    assert (reply.status, reply.code) == (404, "account_not_found")


async def test_another_merchant_has_other_books(gateway: RunningGateway) -> None:
    await _story(gateway)
    assert (await gateway.get("/accounts", who="stranger")).json["data"] == []
    assert (await gateway.get("/trial-balance", who="stranger")).json["currencies"] == []
    reply = await gateway.get("/accounts/merchant.GHS/entries", who="stranger")
    assert reply.code == "account_not_found"


async def test_a_cursor_is_of_one_account(gateway: RunningGateway) -> None:
    await _story(gateway)
    page = (await gateway.get("/accounts/merchant.GHS/entries?limit=1")).json
    path = f"/accounts/customer_wallet.GHS/entries?after={page['next_cursor']}"
    assert (await gateway.get(path)).code == "invalid_cursor"


async def test_what_is_not_booked_yet_is_waited_for_or_said(gateway: RunningGateway) -> None:
    wallet = await _story(gateway)
    await _debit(gateway, wallet, 1, "late")
    eventual = await gateway.get("/trial-balance", headers=FAST)
    late = gateway.begun + 6
    assert eventual.json["position"] == late - 1
    waiting = asyncio.create_task(gateway.get(f"/trial-balance?as_of={late}"))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done
    await gateway.project("trial_balance")
    assert (await waiting).json["position"] == late
    await _debit(gateway, wallet, 1, "later")
    later = f"/trial-balance?as_of={late + 1}"
    for path in ("/accounts", "/accounts/merchant.GHS/entries", later):
        reply = await gateway.get(path)
        assert (reply.status, reply.code) == (503, "read_model_behind"), path
    # What was reached before is answered all the same.
    assert (await gateway.get(f"/trial-balance?as_of={late}")).status == 200


async def _forget_progress(gateway: RunningGateway) -> None:
    """As when the journal is made anew from the beginning, beside accounts that are there."""
    await gateway.connection.execute("UPDATE journal_completeness SET position = 0")
    await gateway.connection.execute("DELETE FROM journal_progress")


@pytest.mark.parametrize("headers", [{}, FAST], ids=["strong", "eventual"])
async def test_a_next_page_waits_until_it_has_no_holes(
    gateway: RunningGateway, headers: dict[str, str]
) -> None:
    await _story(gateway)
    path = "/accounts/merchant.GHS/entries?limit=1"
    first = (await gateway.get(path)).json
    await _forget_progress(gateway)
    reply = await gateway.get(f"{path}&after={first['next_cursor']}", headers=headers)
    assert (reply.status, reply.code) == (503, "read_model_behind")


async def test_a_next_page_waits_for_nothing_that_is_not_on_it(gateway: RunningGateway) -> None:
    wallet = await _story(gateway)
    path = "/accounts/merchant.GHS/entries?limit=1"
    first = (await gateway.get(path)).json
    await _debit(gateway, wallet, 1, "not booked")
    second = await gateway.get(f"{path}&after={first['next_cursor']}")
    assert [each["amount"] for each in second.json["data"]] == [15_000]


async def test_an_account_whose_entries_are_not_shown_yet_is_empty_and_not_unknown(
    gateway: RunningGateway,
) -> None:
    await _story(gateway)
    await _forget_progress(gateway)
    reply = await gateway.get("/accounts/merchant.GHS/entries", headers=FAST)
    assert (reply.status, reply.json["data"], reply.json["has_more"]) == (200, [], False)
    unknown = await gateway.get("/accounts/merchant.USD/entries", headers=FAST)
    assert unknown.code == "account_not_found"


async def test_no_answer_tells_how_much_other_merchants_do(gateway: RunningGateway) -> None:
    await _story(gateway)
    for number in range(3):
        wallet = await gateway.post(
            "/wallets", {"customer_id": f"c{number}", "currency": "GHS"}, who="stranger"
        )
        assert wallet.status == 201
    await gateway.project()
    head = await gateway.position()
    assert head == gateway.begun + 8
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for path in ("/accounts", "/accounts/merchant.GHS/entries", f"/trial-balance?as_of={now}"):
        assert (await gateway.get(path)).json["position"] == gateway.begun + 5, path
    exact = (await gateway.get(f"/trial-balance?as_of={now}")).json
    again = (await gateway.get(f"/trial-balance?as_of={gateway.begun + 5}")).json
    assert exact["currencies"] == again["currencies"]
    ahead = await gateway.get("/trial-balance?as_of=700")
    assert str(head) not in ahead.json["detail"]


async def test_sums_may_be_larger_than_any_integer_of_the_database(
    gateway: RunningGateway,
) -> None:
    await _story(gateway)
    await gateway.connection.execute("UPDATE accounts SET debits = debits + 10::numeric ^ 20")
    found = (await gateway.get("/trial-balance", headers=FAST)).body
    assert b'"debits":100000000000000000500' in found


def test_every_account_of_the_chart_can_be_named() -> None:
    for name in CHART:
        assert msgspec.convert(f"{name}.GHS", type=books.AccountId)
