"""The checkout and the callbacks when many come at once, or late, or do not say who they are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.gateway.payments import callbacks
from services.gateway.payments.topups import Topups
from tests.specs.payments import CALLBACKS, payments_at, running_provider, send_callback, told
from tests.specs.running_gateway import RunningGateway, running_gateway

SLOW_CARD = "4000000000000010"


@pytest.fixture
async def gateway(database: str, tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with (
        running_provider(tmp_path) as url,
        running_gateway(database, payments_at(url)) as opened,
    ):
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as opened:
        yield opened


async def topup_of(gateway: RunningGateway, **more: object) -> str:
    """A pending top-up of 500 GHS, which the read models have."""
    topup = await gateway.create_topup(await gateway.open_wallet(), 500, **more)
    await gateway.project()
    return topup


async def asked(browser: aiohttp.ClientSession, method: str, url: str) -> tuple[int, str, str]:
    """Status, Location and text of an answer."""
    async with browser.request(method, url, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def session_of(gateway: RunningGateway, browser: aiohttp.ClientSession, topup: str) -> str:
    """The provider's page of a top-up."""
    _, url, _ = await asked(browser, "POST", f"{gateway.url}/checkout/{topup}/pay")
    return url


async def paid_with(browser: aiohttp.ClientSession, session: str, card: str) -> int:
    async with browser.post(f"{session}/pay", data={"card": card}, allow_redirects=False) as answer:
        return answer.status


async def test_many_who_wait_for_one_top_up_do_not_ask_the_database_each(
    gateway: RunningGateway, browser: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    topup = await topup_of(gateway)
    looks = 0
    find = Topups.find

    async def counted(topups: Topups, topup_id: str) -> Any:
        nonlocal looks
        looks += 1
        return await find(topups, topup_id)

    monkeypatch.setattr(Topups, "find", counted)
    url = f"{gateway.url}/checkout/{topup}/return"
    first = asyncio.create_task(asked(browser, "GET", url))
    # Once somebody waits, nobody else looks: they see what was seen last.
    await asyncio.sleep(0.3)

    answers = await asyncio.gather(*(asked(browser, "GET", url) for _ in range(100)), first)

    assert {status for status, _, _ in answers} == {200}
    assert looks < 30


async def test_who_has_paid_for_what_was_cancelled_meanwhile_waits_and_is_not_told_otherwise(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    topup = await topup_of(gateway, cancel_url="https://shop.example/basket")
    session = await session_of(gateway, browser, topup)
    assert await paid_with(browser, session, SLOW_CARD) == 303
    cancelled = await gateway.post(f"/topups/{topup}/cancel")
    await gateway.project()
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")

    url = f"{gateway.url}/checkout/{topup}/return"
    first, later = await asked(browser, "GET", url), await asked(browser, "GET", f"{url}?look=3")

    assert (first[0], later[0]) == (200, 200)
    assert "shop.example" not in first[2]
    assert "status=pending" in later[2]
    assert "status=cancelled" not in later[2]
    assert (await send_callback(gateway, told(topup))).json["outcome"] == "credited"
    await gateway.project()
    status, landing, _ = await asked(browser, "GET", url)
    assert (status, landing) == (
        303,
        f"https://shop.example/thanks?topup_id={topup}&status=completed",
    )


async def test_who_has_paid_for_what_expired_meanwhile_waits_and_is_not_told_otherwise(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    topup = await topup_of(gateway, expires_at=soon.isoformat())
    assert await paid_with(browser, await session_of(gateway, browser, topup), SLOW_CARD) == 303
    # To its moment by the clock; what is waited for cannot come sooner.
    await asyncio.sleep(max((soon - datetime.now(UTC)).total_seconds(), 0) + 0.05)

    status, _, text = await asked(browser, "GET", f"{gateway.url}/checkout/{topup}/return")

    assert (status, "not confirmed yet" in text) == (200, True)


async def test_after_a_cancel_over_the_api_the_providers_page_takes_no_payment(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    topup = await topup_of(gateway)
    session = await session_of(gateway, browser, topup)

    assert (await gateway.post(f"/topups/{topup}/cancel")).status == 200

    _, _, text = await asked(browser, "GET", session)
    assert "was cancelled" in text
    await gateway.project()
    _, landing, _ = await asked(browser, "GET", f"{gateway.url}/checkout/{topup}/return")
    assert landing.endswith("status=cancelled")


async def test_without_the_provider_a_cancel_over_the_api_is_accepted_and_the_way_back_leads_on(
    database: str, browser: aiohttp.ClientSession
) -> None:
    # Nobody listens on this port.
    async with running_gateway(database, payments_at("http://127.0.0.1:9")) as gateway:
        topup = await topup_of(gateway)

        cancelled = await gateway.post(f"/topups/{topup}/cancel")
        await gateway.project()
        status, landing, _ = await asked(browser, "GET", f"{gateway.url}/checkout/{topup}/return")

    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    assert (status, landing.endswith("status=cancelled")) == (303, True)


async def test_a_burst_of_cancels_is_one_event(
    gateway: RunningGateway, browser: aiohttp.ClientSession
) -> None:
    topup, told_of = await topup_of(gateway), await _second_topup(gateway)
    body = told(told_of, type="session.cancelled", payment_id=None)
    url = f"{gateway.url}/checkout/{topup}/cancel"

    answers = await asyncio.gather(*(asked(browser, "POST", url) for _ in range(50)))
    for _ in range(3):
        assert (await send_callback(gateway, body)).json["outcome"] == "cancelled"

    # Nothing projects meanwhile: who comes behind the first may be told to try again.
    assert {303} <= {status for status, _, _ in answers} <= {303, 503}
    assert {landing for status, landing, _ in answers if status == 303} <= {
        f"https://shop.example/thanks?topup_id={topup}&status=cancelled",
        f"https://pay.example.com/checkout/{topup}",
    }
    assert await _events(gateway) == {"wallet.topup_ended": 2}


async def _second_topup(gateway: RunningGateway) -> str:
    topup = await gateway.create_topup(await gateway.open_wallet("cus_2"), 500)
    await gateway.project()
    return topup


async def _events(gateway: RunningGateway) -> dict[str, int]:
    """How many ends and declines of top-ups there are."""
    rows = await gateway.connection.fetch(
        "SELECT type, count(*) FROM events "
        "WHERE type IN ('wallet.topup_ended', 'wallet.topup_declined') GROUP BY 1"
    )
    return {str(row["type"]): int(row["count"]) for row in rows}


def _head(*lines: str) -> bytes:
    head = ("POST " + CALLBACKS + " HTTP/1.1", "Host: x", "Content-Type: application/json", *lines)
    return "".join(f"{line}\r\n" for line in (*head, "Content-Length: 1000", "")).encode() + b"{"


async def test_a_callback_that_is_not_signed_is_refused_before_its_body_has_come(
    gateway: RunningGateway,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(_head("Provider-Timestamp: 1"))

    status = await asyncio.wait_for(reader.readline(), 5)

    assert status.startswith(b"HTTP/1.1 401 ")
    writer.close()


async def test_a_callback_that_does_not_come_to_its_end_is_refused_in_time(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "MAX_READ_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(_head("Provider-Timestamp: 1", "Provider-Signature: v1=00"))

    status = await asyncio.wait_for(reader.readline(), 5)

    assert status.startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_a_client_that_goes_away_is_no_fault_of_ours(gateway: RunningGateway) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(_head("Provider-Timestamp: 1", "Provider-Signature: v1=00"))
    await asyncio.sleep(0.2)
    writer.transport.abort()

    async def counted() -> str:
        metrics = (await gateway.call("GET", "/metrics")).body.decode()
        return "\n".join(line for line in metrics.splitlines() if "callbacks" in line)

    for _ in range(50):
        if 'route="/payments/sandbox/callbacks"' in await counted():
            break
        await asyncio.sleep(0.05)
    assert 'status="400"' in await counted()
    assert 'status="500"' not in await counted()
