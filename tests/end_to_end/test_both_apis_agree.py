"""One merchant uses both APIs in random turns: they agree on every balance and every history.

On the stack that `ledger up` starts, so that what is shown has gone through Kafka.
"""

import asyncio
from base64 import b64decode
from itertools import chain
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from services.gateway.baas.failures import reason_of_code
from services.gateway.baas.identifiers import uuid_of
from tests.specs.running_stack import RunningStack
from tests.specs.two_dialects import CUSTOMERS, KINDS, Client, Line, Merchant, Step

PAGE = 7
"""Not what a history has by chance."""
STATUSES = {"completed": "COMPLETED", "failed": "FAILED"}
CATEGORIES = {
    "credit": "CREDIT_CUSTOMER_WALLET",
    "debit": "DEBIT_CUSTOMER_WALLET",
    "forfeiture": "DEBIT_CUSTOMER_WALLET",
    "transfer": "TRANSFER",
    "capture": "HOLD_CAPTURE",
    "hold": "HOLD_CAPTURE",
    "reversal": "REVERSAL",
}
OVER_THE_TIER = 5_000_001
"""One kobo more than may be credited to a customer at tier one at once."""

steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from([*KINDS, *["credit"] * 5, "debit", "debit", "transfer", "unfreeze"]),
        api=st.sampled_from(["a", "b"]),
        customer=st.integers(0, CUSTOMERS - 1),
        amount=st.integers(1, 500) | st.sampled_from([OVER_THE_TIER, 3_000_000]),
        reference=st.integers(0, 40),
        choice=st.integers(0, 9),
        text=st.sampled_from(["", "Airtime", "é 😀"]),
    ),
    min_size=15,
    max_size=40,
)


@pytest.mark.parametrize("examples", [25, pytest.param(600, marks=pytest.mark.slow)])
def test_both_apis_tell_the_same(stack: RunningStack, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    @given(steps)
    @example(_told("a", "b"))
    @example(_told("b", "a"))
    def both_agree(history: list[Step]) -> None:
        asyncio.run(_play(stack, history))

    both_agree()


def _told(one: Any, other: Any) -> list[Step]:
    """A history with everything in it, mostly through this API and then through that one."""
    told: list[tuple[str, Any, int, int, int]] = [
        ("credit", one, 0, 500, 0),
        ("again", one, 0, 1, 0),
        ("credit", one, 2, OVER_THE_TIER, 0),
        ("credit", other, 2, 300, 0),
        ("debit", other, 0, 501, 0),
        ("debit", one, 0, 100, 0),
        ("transfer", one, 0, 50, 0),
        ("transfer", other, 0, 60, 1),
        ("again", one, 0, 1, 0),
        ("reverse", one, 0, 1, 0),
        ("reverse", one, 0, 61, 1),
        ("hold", one, 0, 40, 0),
        ("hold", one, 0, 4_000, 0),
        ("capture", one, 0, 10, 1),
        ("capture", one, 0, 41, 4),
        ("void", one, 0, 1, 0),
        ("capture", one, 0, 1, 1),
        ("topup", one, 1, 70, 0),
        ("freeze", other, 2, 1, 0),
        ("debit", one, 2, 1, 0),
        ("transfer", other, 0, 1, 1),
        ("unfreeze", one, 2, 1, 0),
        ("close", one, 1, 1, 0),
        ("credit", other, 1, 5, 0),
        ("reopen", one, 1, 1, 0),
        ("credit", other, 1, 5, 0),
    ]
    return [
        Step(kind, api, customer, amount, number, choice, "why")
        for number, (kind, api, customer, amount, choice) in enumerate(told)
    ]


async def _play(stack: RunningStack, history: list[Step]) -> None:
    async with aiohttp.ClientSession() as session:
        merchant = Merchant(Client(stack, session))
        await merchant.begin()
        for step in history:
            await merchant.make(step)
        for user, wallets in zip(merchant.users, merchant.wallets, strict=True):
            await _compare_wallet(merchant, user, wallets[-1])
            await _compare_histories(merchant, user, wallets)
        await _compare_topups(merchant)
        await _compare_merchant(merchant)


async def _compare_wallet(merchant: Merchant, user: str, wallet: str) -> None:
    here = await merchant.client.get("a", f"/wallets/{wallet}")
    there = (await merchant.client.get("b", f"/wallets/{user}"))["data"]
    assert here["balance"] == merchant.balances[wallet]
    assert there["id"] == uuid_of(wallet)
    shown = {"booked_balance": "balance", "available_balance": "available_balance"}
    for its, ours in shown.items():
        assert round(there[its] * 100) == here[ours]
    assert (there["user_id"], there["created_at"], there["updated_at"]) == (
        here["user_id"],
        here["created_at"],
        here["updated_at"],
    )
    assert there["status"] == here["status"].upper()


async def _compare_histories(merchant: Merchant, user: str, wallets: list[str]) -> None:
    listed = await _pages_of_b(merchant.client, user)
    of_a = {wallet: await _lines_of_a(merchant.client, wallet) for wallet in wallets}
    for wallet, by_status in of_a.items():
        for status, lines in by_status.items():
            found = [Line(x["kind"], x["amount"], x["reference"], x["status"]) for x in lines]
            expected = [line for line in merchant.lines[wallet] if line.status == status]
            assert found == expected[::-1]
    lines = [*chain.from_iterable(chain.from_iterable(each.values()) for each in of_a.values())]
    for line, shown in zip(_in_order_of(listed, lines), listed, strict=True):
        told = _as_b_tells(line, user)
        assert {name: shown.get(name) for name in told} | {"metadata": _metadata_of(shown)} == told
    assert {each["id"] for each in listed} == {uuid_of(line["id"]) for line in lines}
    await _compare_by_reference(merchant, user, listed)


async def _lines_of_a(client: Client, wallet: str) -> dict[str, list[Any]]:
    """Each status's lines, the newest first."""
    path = f"/wallets/{wallet}/transactions?limit=100&status="
    return {status: (await client.get("a", path + status))["data"] for status in STATUSES}


async def _pages_of_b(client: Client, user: str) -> list[Any]:
    """All of a customer's lines, the newest first, page by page."""
    found: list[Any] = []
    page = 1
    while True:
        shown = await client.get("b", f"/transactions/customer/{user}?page={page}&limit={PAGE}")
        found += shown["data"]
        if page >= shown["meta"]["totalPages"]:
            assert shown["meta"]["totalItems"] == len(found)
            return found
        page += 1


def _in_order_of(listed: list[Any], lines: list[Any]) -> list[Any]:
    """The Credit Wallets API's lines as the BaaS API has them; there, too, newest first."""
    by_id = {uuid_of(line["id"]): line for line in lines}
    found = [by_id[each["id"]] for each in listed]
    moments = [line["created_at"] for line in found]
    assert moments == sorted(moments, reverse=True)
    for wallet in {line["wallet_id"] for line in found}:
        for status in STATUSES:
            order = [line["id"] for line in found if _is_of(line, wallet, status)]
            assert order == [line["id"] for line in lines if _is_of(line, wallet, status)]
    return found


def _is_of(line: Any, wallet: str, status: str) -> bool:
    return (line["wallet_id"], line["status"]) == (wallet, status)


def _as_b_tells(line: Any, user: str) -> dict[str, object]:
    """A line of the Credit Wallets API as the BaaS API must show it."""
    has_failed = line["status"] == "failed"
    ends = [
        uuid_of(line["wallet_id"]),
        line["other_wallet_id"] and uuid_of(line["other_wallet_id"]),
    ]
    if line["kind"] != "transfer":
        ends = [None, None]
    sender, receiver = ends if line["type"] == "debit" else ends[::-1]
    return {
        "id": uuid_of(line["id"]),
        "user_id": user,
        "reference": line["reference"],
        "amount": line["amount"] / 100,
        "balance_before": line["balance_before"] / 100,
        "balance_after": line["balance_after"] / 100,
        "metadata": line["metadata"],
        "status": STATUSES[line["status"]],
        "type": line["type"].upper(),
        "category": CATEGORIES[line["kind"]],
        "description": reason_of_code(line["code"]) if has_failed else line["description"] or None,
        "from_wallet_id": sender,
        "to_wallet_id": receiver,
    }


async def _compare_by_reference(merchant: Merchant, user: str, listed: list[Any]) -> None:
    """A reference leads to what it moved; or else to the latest that was declined."""
    of_topups = {*merchant.topups.values()}
    for reference in {each["reference"] for each in listed} - {None} - of_topups:
        named = [each for each in listed if each["reference"] == reference]
        moved = [each for each in named if each["status"] == "COMPLETED"]
        path = f"/transactions/customer/{user}/{quote(reference)}"
        shown = (await merchant.client.get("b", path))["data"]
        expected = (moved or named)[0]
        assert shown == {name: expected[name] for name in expected if name != "total_items"}


async def _compare_topups(merchant: Merchant) -> None:
    for topup_id, reference in merchant.topups.items():
        topup = await merchant.client.get("a", f"/topups/{topup_id}")
        shown = await merchant.client.get("b", f"/transactions/{quote(reference)}")
        waits = topup["status"] == "pending"
        assert shown["data"]["status"] == ("PENDING" if waits else "FAILED")
        assert round(shown["data"]["amount"] * 100) == topup["amount"]


async def _compare_merchant(merchant: Merchant) -> None:
    """The merchant's own wallet is an account of the books, seen from the other side."""
    accounts = (await merchant.client.get("a", "/accounts?limit=100"))["data"]
    balances = [each["balance"] for each in accounts if each["id"] == "merchant.NGN"]
    shown = (await merchant.client.get("b", "/wallets/merchants"))["data"]
    assert round(shown["booked_balance"] * 100) == -sum(balances)


def _metadata_of(shown: Any) -> object:
    """The BaaS API's metadata as the Credit Wallets API shows it."""
    return shown["metadata"] and msgspec.json.decode(b64decode(shown["metadata"]))
