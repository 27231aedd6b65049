"""The checkout's pages and the provider's callbacks, on a gateway with real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.submission import Submission
from ledger.event_log.postgres import PostgresEventLog
from schemas.commands import CreateTopup, CreateWallet
from services.runtime.environment import SystemEnvironment
from tests.specs.payments import payments_at, running_provider, send_callback, told
from tests.specs.running_gateway import PUBLIC_URL, Reply, RunningGateway, running_gateway

UNKNOWN = "top_" + "0a" * 16
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[str]:
    async with running_provider(tmp_path) as url:
        yield url


@pytest.fixture
async def gateway(database: str, provider: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database, payments_at(provider)) as gateway:
        yield gateway


async def topup_of(gateway: RunningGateway, **more: object) -> str:
    """A pending top-up of 500 GHS, which the read models have."""
    topup = await gateway.create_topup(await gateway.open_wallet(), 500, **more)
    await gateway.project()
    return topup


async def page(gateway: RunningGateway, path: str, method: str = "GET") -> Reply:
    """What a browser is answered under /checkout, before it follows anything."""
    async with (
        aiohttp.ClientSession() as browser,
        browser.request(method, f"{gateway.url}/checkout/{path}", allow_redirects=False) as answer,
    ):
        return Reply(answer.status, answer.headers.copy(), await answer.read())


async def topup_now(gateway: RunningGateway, topup: str) -> Any:
    await gateway.project()
    return (await gateway.get(f"/topups/{topup}")).json


async def balance(gateway: RunningGateway, topup: str) -> int:
    wallet = (await topup_now(gateway, topup))["wallet_id"]
    return int((await gateway.get(f"/wallets/{wallet}")).json["balance"])


async def test_the_page_is_for_nobodys_cache_frame_or_script(gateway: RunningGateway) -> None:
    topup = await topup_of(gateway, description="<script>alert(1)</script>")

    shown, head = await page(gateway, topup), await page(gateway, topup, "HEAD")

    assert shown.status == 200
    assert {name: shown.headers[name] for name in _HEADERS} == _HEADERS
    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "GH₵5.00" in shown.body.decode()
    assert b"<script" not in shown.body
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(shown.body))


@pytest.mark.parametrize("topup", [UNKNOWN, "top_1", "nothing", "..%2f", "%00"])
@pytest.mark.parametrize("call", ["GET ", "POST /pay", "POST /cancel", "GET /return"])
async def test_what_is_no_top_up_is_a_page_that_says_so(
    gateway: RunningGateway, topup: str, call: str
) -> None:
    method, _, rest = call.partition(" ")

    answered = await page(gateway, topup + rest, method)

    assert answered.status == 404
    assert {name: answered.headers[name] for name in _HEADERS} == _HEADERS


async def test_to_pay_leads_to_one_session_however_often(
    gateway: RunningGateway, provider: str
) -> None:
    topup = await topup_of(gateway)

    answers = await asyncio.gather(*(page(gateway, f"{topup}/pay", "POST") for _ in range(5)))

    assert {answer.status for answer in answers} == {303}
    (session,) = {answer.headers["Location"] for answer in answers}
    assert session.startswith(f"{provider}/pay/ses_")


async def test_a_cancel_ends_the_session_and_the_top_up(gateway: RunningGateway) -> None:
    topup = await topup_of(gateway)
    session = (await page(gateway, f"{topup}/pay", "POST")).headers["Location"]

    cancelled = await page(gateway, f"{topup}/cancel", "POST")

    assert cancelled.status == 303
    landing = f"https://shop.example/thanks?topup_id={topup}&status=cancelled"
    assert cancelled.headers["Location"] == landing
    assert (await topup_now(gateway, topup))["status"] == "cancelled"
    async with aiohttp.ClientSession() as browser, browser.get(session) as answer:
        assert "was cancelled" in await answer.text()

    again = await page(gateway, f"{topup}/cancel", "POST")
    assert (again.status, again.headers["Location"]) == (303, f"{PUBLIC_URL}/checkout/{topup}")
    assert "was cancelled" in (await page(gateway, topup)).body.decode()


async def test_a_cancel_after_the_payment_leads_to_where_the_payment_is_waited_for(
    gateway: RunningGateway,
) -> None:
    topup = await topup_of(gateway)
    session = (await page(gateway, f"{topup}/pay", "POST")).headers["Location"]
    async with aiohttp.ClientSession() as browser:
        form = {"card": "4000000000000036"}
        async with browser.post(f"{session}/pay", data=form, allow_redirects=False) as paid:
            assert paid.headers["Location"] == f"{PUBLIC_URL}/checkout/{topup}/return"

    for call in ("cancel", "pay"):
        answered = await page(gateway, f"{topup}/{call}", "POST")
        assert answered.headers["Location"] == f"{PUBLIC_URL}/checkout/{topup}/return"
    assert (await topup_now(gateway, topup))["status"] == "pending"


async def test_without_the_provider_nothing_is_lost(database: str) -> None:
    # Nobody listens on this port.
    async with running_gateway(database, payments_at("http://127.0.0.1:9")) as gateway:
        topup = await topup_of(gateway)
        for call in ("pay", "cancel"):
            answered = await page(gateway, f"{topup}/{call}", "POST")
            assert (answered.status, answered.headers["Retry-After"]) == (503, "2")
            assert "Nothing was lost" in answered.body.decode()
        assert (await topup_now(gateway, topup))["status"] == "pending"
        metrics = (await gateway.call("GET", "/metrics")).body.decode()
        assert "ledger_payment_provider_failures_total 2.0" in metrics


async def test_the_way_back_waits_and_then_offers_itself_without_saying_more_than_is_known(
    gateway: RunningGateway,
) -> None:
    topup = await topup_of(gateway)

    first = await page(gateway, f"{topup}/return")
    later = await page(gateway, f"{topup}/return?look=3")

    assert (first.status, later.status) == (200, 200)
    assert b'<meta http-equiv="refresh" content="2;url=return?look=1">' in first.body
    assert b"shop.example" not in first.body
    assert b"status=pending" in later.body


@pytest.mark.parametrize("look", ["-1", "x", "٣", "9" * 5000, "1&look=2"])
async def test_a_count_that_makes_no_sense_is_no_fault_of_ours(
    gateway: RunningGateway, look: str
) -> None:
    topup = await topup_of(gateway)

    assert (await page(gateway, f"{topup}/return?look={look}")).status in {200, 400}


async def test_the_way_back_leads_to_the_merchant_as_soon_as_the_payment_is_known(
    gateway: RunningGateway,
) -> None:
    topup = await topup_of(gateway, redirect_url="https://shop.example/paid?basket=7#end")
    waiting = asyncio.create_task(page(gateway, f"{topup}/return"))

    taken = await send_callback(gateway, told(topup))
    await gateway.project()
    came_back = await waiting

    assert (taken.status, taken.json) == (200, {"outcome": "credited"})
    assert came_back.status == 303
    query = f"basket=7&topup_id={topup}&status=completed"
    assert came_back.headers["Location"] == f"https://shop.example/paid?{query}#end"


async def test_a_callback_is_credited_once_and_taken_again(gateway: RunningGateway) -> None:
    topup = await topup_of(gateway)

    outcomes = [(await send_callback(gateway, told(topup))).json["outcome"] for _ in range(3)]

    assert outcomes == ["credited", "known", "known"]
    assert await balance(gateway, topup) == 500
    ((who,),) = await gateway.connection.fetch(
        "SELECT metadata ->> 'who' FROM events WHERE type = 'wallet.topped_up'"
    )
    assert who == "provider:sandbox"


async def test_what_the_wallet_cannot_take_is_unapplied_and_not_sent_again(
    gateway: RunningGateway,
) -> None:
    topup = await topup_of(gateway)

    taken = await send_callback(gateway, told(topup, amount=499))

    assert (taken.status, taken.json) == (200, {"outcome": "unapplied"})
    now = await topup_now(gateway, topup)
    assert (now["status"], now["code"]) == ("unapplied", "payment_mismatch")
    assert await balance(gateway, topup) == 0
    assert "could not take it" in (await page(gateway, topup)).body.decode()


async def test_a_failed_payment_leaves_the_top_up_to_be_paid(gateway: RunningGateway) -> None:
    topup = await topup_of(gateway)

    taken = await send_callback(gateway, told(topup, type="payment.failed"))

    assert (taken.status, taken.json) == (200, {"outcome": "failed"})
    assert (await topup_now(gateway, topup))["status"] == "pending"


async def test_a_cancel_at_the_provider_ends_the_top_up(gateway: RunningGateway) -> None:
    topup = await topup_of(gateway)
    body = told(topup, type="session.cancelled", payment_id=None)

    outcomes = [(await send_callback(gateway, body)).json["outcome"] for _ in range(2)]

    assert outcomes == ["cancelled", "cancelled"]
    assert (await topup_now(gateway, topup))["status"] == "cancelled"


@pytest.mark.parametrize(
    "signed", [{"secret": "another"}, {"age": 400}, {"age": -400}], ids=["secret", "old", "ahead"]
)
async def test_a_callback_that_is_not_signed_rightly_changes_nothing(
    gateway: RunningGateway, signed: dict[str, Any]
) -> None:
    topup = await topup_of(gateway)
    before = await gateway.position()

    refused = await send_callback(gateway, told(topup), **signed)

    assert (refused.status, refused.code) == (401, "unauthorized")
    assert await gateway.position() == before
    metrics = (await gateway.call("GET", "/metrics")).body.decode()
    assert 'ledger_payment_callbacks_total{outcome="forged",provider="sandbox"} 1.0' in metrics


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_request"),
        (b"{", 400, "malformed_request"),
        (b"\xff", 400, "malformed_request"),
        (b"[" * 5000, 400, "malformed_request"),
        (told(UNKNOWN, amount=0), 400, "malformed_request"),
        (told(UNKNOWN, amount=5.0), 400, "malformed_request"),
        (told(UNKNOWN, amount=2**53), 400, "malformed_request"),
        (told(UNKNOWN, currency="XAU"), 400, "malformed_request"),
        (told(UNKNOWN, payment_id=None), 400, "malformed_request"),
        (told(UNKNOWN, payment_id="a\x00b"), 400, "malformed_request"),
        (told(UNKNOWN, payment_id="p" * 256), 400, "malformed_request"),
        (told(UNKNOWN, type="payment.refunded"), 400, "malformed_request"),
        (told("top_1"), 400, "malformed_request"),
        (b" " * 20_000, 413, "payload_too_large"),
        (told(UNKNOWN), 404, "topup_not_found"),
    ],
)
async def test_a_signed_callback_that_makes_no_sense_is_refused(
    gateway: RunningGateway, body: object, status: int, code: str
) -> None:
    refused = await send_callback(gateway, body)

    assert (refused.status, refused.code) == (status, code)


async def test_a_live_tenants_top_up_is_not_the_sandbox_providers(
    gateway: RunningGateway, database: str
) -> None:
    topup = await _live_topup(gateway, database)
    await gateway.project()
    before = await gateway.position()

    refused = await send_callback(gateway, told(topup))

    assert (refused.status, refused.code) == (403, "forbidden")
    assert await gateway.position() == before
    for answered in (await page(gateway, topup), await page(gateway, f"{topup}/pay", "POST")):
        assert answered.status == 409
        assert "cannot be paid here" in answered.body.decode()


async def _live_topup(gateway: RunningGateway, database: str) -> str:
    """As a command over Kafka would make it: over HTTP there is none for a live tenant."""
    log = PostgresEventLog(database)
    processor = CommandProcessor(log, SystemEnvironment())
    await processor.start()

    async def submit(command: CreateWallet | CreateTopup) -> Any:
        settled = await processor.submit(
            Submission(
                tenant_id=gateway.merchant.live_tenant_id,
                command=command,
                command_id=None,
                who="test",
                correlation_id=None,
            )
        )
        return settled.result

    try:
        opened = await submit(CreateWallet(customer_id="cus", currency="GHS"))
        url = "https://shop.example/"
        command = CreateTopup(wallet_id=opened.wallet.id, amount=500, redirect_url=url)
        return str((await submit(command)).topup.id)
    finally:
        await processor.stop()
        await log.close()


async def test_an_expired_top_up_cannot_be_paid_though_nobody_recorded_it_yet(
    gateway: RunningGateway,
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    topup = await topup_of(gateway, expires_at=soon.isoformat())
    # To its moment by the clock; what is waited for cannot come sooner.
    await asyncio.sleep((soon - datetime.now(UTC)).total_seconds() + 0.05)

    shown = await page(gateway, topup)
    answered = await page(gateway, f"{topup}/pay", "POST")
    came_back = await page(gateway, f"{topup}/return")

    assert "is over" in shown.body.decode()
    assert answered.headers["Location"] == f"{PUBLIC_URL}/checkout/{topup}"
    assert urlsplit(came_back.headers["Location"]).query.endswith("status=expired")
