"""The gateway on real PostgreSQL: what the Credit Wallets API promises when all goes well."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from schemas.http.credit_wallets import Transaction, Wallet
from services.gateway.main import gateway_on
from services.runtime.settings import Settings
from services.supervisor.ports import RememberedPorts
from tests.specs.running_gateway import FAST, RunningGateway, basic, running_gateway


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def test_a_wallet_is_opened(gateway: RunningGateway) -> None:
    metadata = '{"b": 1.50,  "a": "é"}'.encode()
    body = b'{"customer_id": "cus_abc123", "currency": "GHS", "metadata": %s}' % metadata
    reply = await gateway.post("/wallets", data=body)
    assert reply.status == 201
    wallet = msgspec.json.decode(reply.body, type=Wallet, strict=True)
    assert reply.headers["Location"] == f"/v1/wallets/{wallet.id}"
    assert reply.headers["ETag"] == '"1"'
    assert reply.headers["Content-Type"] == "application/json"
    assert (wallet.balance, wallet.balance_formatted, wallet.status) == (0, "GH₵0.00", "active")
    assert b'"metadata":' + metadata in reply.body
    assert reply.json["created_at"].endswith("Z")

    again = await gateway.get(f"/wallets/{wallet.id}")
    assert again.status == 200
    assert again.body == reply.body


async def test_no_answer_is_kept_or_taken_for_a_page(gateway: RunningGateway) -> None:
    opened = await gateway.post("/wallets", data=b'{"customer_id": "c", "currency": "GHS"}')
    refused = await gateway.post("/wallets", data=b"{}")
    shown = await gateway.get(f"/wallets/{opened.json['id']}")

    assert (opened.status, refused.status, shown.status) == (201, 422, 200)
    for reply in (opened, refused, shown):
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_money_goes_in_and_out(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    credited = await gateway.credit(wallet, 15_000, "salary")
    assert credited.json["type"] == "credit"
    body = {"amount": 500, "description": "Airtime", "reference": "sms_batch_8821"}
    debited = await gateway.post(f"/wallets/{wallet}/debit", body)
    transaction = msgspec.json.decode(debited.body, type=Transaction, strict=True)
    assert debited.status == 200
    assert debited.headers["ETag"] == '"3"'
    assert transaction.type == "debit"
    assert (transaction.balance_before, transaction.balance_after) == (15_000, 14_500)
    assert (transaction.amount, transaction.reference) == (500, "sms_batch_8821")
    assert (transaction.wallet_id, transaction.description) == (wallet, "Airtime")
    assert (await gateway.get(f"/wallets/{wallet}")).json["balance"] == 14_500


async def test_the_content_type_may_name_the_charset(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    for number, kind in enumerate(
        ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']
    ):
        reply = await gateway.post(
            f"/wallets/{wallet}/credit",
            {"amount": 5, "reference": f"r{number}"},
            headers={"Content-Type": kind},
        )
        assert reply.status == 200


async def test_what_is_escaped_comes_back_as_it_was_meant(gateway: RunningGateway) -> None:
    """A backslash before `u0000` is text, and a pair of surrogates is a character."""
    wallet = await gateway.open_wallet()
    texts = rb'"reference":"a\\u0000b","description":"\ud83d\ude00","metadata":{"k":"\\u0000"}'
    reply = await gateway.post(f"/wallets/{wallet}/credit", data=b'{"amount":5,%s}' % texts)
    assert reply.status == 200
    assert reply.json["reference"] == r"a\u0000b"
    assert reply.json["description"] == "😀"
    assert reply.json["metadata"] == {"k": r"\u0000"}


async def test_freeze_unfreeze_and_close_can_be_repeated(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    for verb, status in (("freeze", "frozen"), ("unfreeze", "active"), ("close", "closed")):
        first = await gateway.post(f"/wallets/{wallet}/{verb}")
        assert (first.status, first.json["status"]) == (200, status)
        before = await gateway.position()
        second = await gateway.post(f"/wallets/{wallet}/{verb}", {})
        assert (second.status, second.json["status"]) == (200, status)
        assert await gateway.position() == before


async def test_a_frozen_wallet_takes_credits(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.post(f"/wallets/{wallet}/freeze")
    assert (await gateway.credit(wallet, 5, "gift")).json["balance_after"] == 5


async def test_closing_frees_the_customers_slot(gateway: RunningGateway) -> None:
    first = await gateway.open_wallet("cus_1")
    await gateway.credit(first, 100, "gift")
    reply = await gateway.post(f"/wallets/{first}/close", {"remaining_balance": "forfeit"})
    assert (reply.status, reply.json["balance"]) == (200, 0)
    assert await gateway.open_wallet("cus_1") != first


async def test_a_reference_has_one_effect_and_one_answer(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 1000, "salary")
    path, body = f"/wallets/{wallet}/debit", {"amount": 7, "reference": "once"}
    replies = await asyncio.gather(*(gateway.post(path, body) for _ in range(20)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    fresh = [reply for reply in replies if "Idempotent-Replayed" not in reply.headers]
    assert len(fresh) == 1
    later = await gateway.post(path, body)
    assert later.headers["Idempotent-Replayed"] == "true"
    assert later.body == fresh[0].body
    assert later.headers["ETag"] == fresh[0].headers["ETag"]
    assert (await gateway.get(f"/wallets/{wallet}")).json["balance"] == 993


async def test_a_reference_is_each_merchants_own(gateway: RunningGateway) -> None:
    body = {"customer_id": "cus_1", "currency": "GHS"}
    ours = await gateway.open_wallet("cus_1")
    theirs = (await gateway.post("/wallets", body, who="stranger")).json["id"]
    await gateway.credit(ours, 5, "same")
    reply = await gateway.post(
        f"/wallets/{theirs}/credit", {"amount": 9, "reference": "same"}, who="stranger"
    )
    assert (reply.status, reply.json["balance_after"]) == (200, 9)


async def test_an_idempotency_key_freezes_a_decline(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    path, body = f"/wallets/{wallet}/debit", {"amount": 50, "reference": "rent"}
    key = {"Idempotency-Key": "try-1"}
    declined = await gateway.post(path, body, headers=key)
    assert declined.code == "insufficient_funds"
    await gateway.credit(wallet, 100, "salary")
    repeated = await gateway.post(path, body, headers=key)
    assert repeated.status == 409
    assert repeated.body == declined.body
    assert repeated.headers["Idempotent-Replayed"] == "true"
    # Without the key it is a new try, and the reference is still free.
    assert (await gateway.post(path, body)).status == 200


async def test_an_idempotency_key_makes_a_create_repeatable(gateway: RunningGateway) -> None:
    key = {"Idempotency-Key": "open-1"}
    body = {"customer_id": "cus_1", "currency": "GHS", "metadata": {"a": 1}}
    first = await gateway.post("/wallets", body, headers=key)
    second = await gateway.post("/wallets", body, headers=key)
    assert (first.status, second.status) == (201, 201)
    assert second.body == first.body
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotent-Replayed"] == "true"


async def test_every_answer_names_its_request(gateway: RunningGateway) -> None:
    reply = await gateway.get("/wallets", headers={"X-Request-Id": "my-own-id"})
    assert reply.headers["X-Request-Id"] == "my-own-id"
    first, second = await gateway.get("/wallets"), await gateway.get("/wallets")
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    for odd in ("with space", "é", "x" * 129):
        reply = await gateway.get("/wallets", headers={"X-Request-Id": odd})
        assert reply.headers["X-Request-Id"] != odd


async def test_events_carry_who_and_the_correlation_id(gateway: RunningGateway) -> None:
    reply = await gateway.post(
        "/wallets",
        {"customer_id": "cus_1", "currency": "GHS"},
        headers={"X-Correlation-Id": "journey-7", "Idempotency-Key": "open-1"},
    )
    assert reply.status == 201
    text = await gateway.connection.fetchval(
        "SELECT metadata FROM events WHERE type = 'wallet.opened'"
    )
    assert msgspec.json.decode(text) == {
        "who": f"client:{gateway.secrets['merchant'].key_id}",
        "correlation_id": "journey-7",
        "causation_id": "open-1",
    }


async def test_a_revoked_credential_stops_within_a_second(gateway: RunningGateway) -> None:
    assert (await gateway.get("/wallets", who="reader")).status == 200
    await gateway.revoke("reader")
    await asyncio.sleep(1.05)
    assert (await gateway.get("/wallets", who="reader")).status == 401
    assert (await gateway.get("/wallets")).status == 200


async def test_head_is_get_without_a_body(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    got = await gateway.get(f"/wallets/{wallet}", headers=FAST)
    head = await gateway.call("HEAD", f"/v1/wallets/{wallet}", headers=FAST)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["ETag"] == got.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(got.body))


async def test_a_known_version_is_not_sent_again(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    for known in ('"1"', 'W/"1"', '"0", "1"', "*"):
        reply = await gateway.get(f"/wallets/{wallet}", headers=FAST | {"If-None-Match": known})
        assert (reply.status, reply.body) == (304, b"")
        assert reply.headers["ETag"] == '"1"'
    reply = await gateway.get(f"/wallets/{wallet}", headers=FAST | {"If-None-Match": '"2"'})
    assert reply.status == 200


async def test_the_document_and_the_page_are_public(gateway: RunningGateway) -> None:
    document = await gateway.get("/openapi.json", who=None)
    assert document.status == 200
    assert document.json["openapi"].startswith("3.1")
    page = await gateway.call("GET", "/docs", who=None)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    for path in ("/docs/page.js", "/docs/page.css"):
        assert (await gateway.call("GET", path, who=None)).status == 200
    for path in ("/docs/../main.py", "/docs/%2e%2e/main.py"):
        assert (await gateway.call("GET", path, who=None)).status == 404
    known = {"If-None-Match": document.headers["ETag"]}
    assert (await gateway.get("/openapi.json", who=None, headers=known)).status == 304


@pytest.mark.parametrize(
    ("typed", "location"), [("/", "docs"), ("/docs/", "../docs"), ("/baas/docs/", "../docs")]
)
async def test_who_opens_the_bare_address_is_sent_to_the_documentation(
    gateway: RunningGateway, typed: str, location: str
) -> None:
    reply = await gateway.call("GET", typed, who=None)
    assert (reply.status, reply.headers["Location"]) == (302, location)


async def test_health_and_metrics(gateway: RunningGateway) -> None:
    assert (await gateway.call("GET", "/healthz", who=None)).status == 200
    ready = await gateway.call("GET", "/readyz", who=None)
    assert ready.json == {"status": "ready", "reasons": []}
    await gateway.open_wallet()
    metrics = (await gateway.call("GET", "/metrics", who=None)).body.decode()
    created = 'ledger_gateway_requests_total{method="POST",route="/v1/wallets",status="201"} 1.0'
    assert created in metrics
    assert 'ledger_gateway_request_seconds_bucket{le="+Inf",route="/v1/wallets"} 1.0' in metrics
    assert 'ledger_commands_total{outcome="accepted"} 1.0' in metrics
    assert "ledger_ready 1.0" in metrics


async def test_with_a_port_for_its_health_the_gateway_shows_it_there_alone(
    database: str, tmp_path: Path
) -> None:
    """Nobody who calls it sees what is inside; that it runs may be known."""
    port = RememberedPorts(tmp_path).take("health")
    inside = f"http://127.0.0.1:{port}"
    async with (
        running_gateway(database, settings=Settings(health_port=port)) as gateway,
        aiohttp.ClientSession() as session,
    ):
        await gateway.open_wallet()
        assert (await gateway.call("GET", "/healthz", who=None)).status == 200
        for path in ("/readyz", "/metrics"):
            assert (await gateway.call("GET", path, who=None)).code == "not_found"
        async with session.get(f"{inside}/readyz") as ready:
            assert await ready.json() == {"status": "ready", "reasons": []}
        async with session.get(f"{inside}/metrics") as shown:
            metrics = await shown.text()
        async with session.get(f"{inside}/v1/wallets") as nothing:
            assert nothing.status == 404
    assert 'ledger_commands_total{outcome="accepted"} 1.0' in metrics
    assert 'route="/v1/wallets",status="201"} 1.0' in metrics
    assert "ledger_ready 1.0" in metrics


async def test_what_is_not_http_is_a_problem_too(gateway: RunningGateway) -> None:
    for sent in (
        b"GARBAGE\r\n\r\n",
        b"GET /v1/wallets HTTP/1.1\r\nA: " + b"x" * 20_000 + b"\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(sent)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b'"code":"malformed_request"' in answer
        writer.close()
        await writer.wait_closed()


async def test_http_1_0_and_a_closing_client(gateway: RunningGateway) -> None:
    for head, ending in (
        (b"GET /healthz HTTP/1.0\r\n\r\n", b""),
        (
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"Connection: close\r\n",
        ),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(head)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert ending in answer
        writer.close()
        await writer.wait_closed()


async def test_a_client_that_waits_to_send_its_body_is_told_to(gateway: RunningGateway) -> None:
    body = b'{"customer_id":"cus_1","currency":"GHS"}'
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(
        b"POST /v1/wallets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
        b"Authorization: %s\r\nContent-Length: %d\r\n\r\n"
        % (gateway.authorization().encode(), len(body))
    )
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert (await reader.read()).startswith(b"HTTP/1.1 201 Created\r\n")
    writer.close()
    await writer.wait_closed()


async def test_a_body_may_come_in_pieces(gateway: RunningGateway) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"customer_id":', b'"cus_1",', b'"currency":"GHS"}'):
            yield piece
            await asyncio.sleep(0.01)

    assert (await gateway.post("/wallets", data=pieces())).status == 201

    async def flood() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10_000

    reply = await gateway.post("/wallets", data=flood())
    assert (reply.status, reply.code) == (413, "payload_too_large")


async def test_calls_under_way_are_answered_at_shutdown(database: str) -> None:
    replies: list[asyncio.Task[int]] = []

    async def credit(gateway: RunningGateway, wallet: str, number: int) -> int:
        body = {"amount": 1, "reference": f"r{number}"}
        try:
            return (await gateway.post(f"/wallets/{wallet}/credit", body)).status
        except aiohttp.ClientError:
            return 0

    async with running_gateway(database) as gateway:
        wallet = await gateway.open_wallet()
        replies = [asyncio.create_task(credit(gateway, wallet, number)) for number in range(50)]
        await asyncio.wait(replies, return_when=asyncio.FIRST_COMPLETED)
    statuses = await asyncio.gather(*replies)
    async with running_gateway(database) as gateway:
        credits_recorded = await gateway.connection.fetchval(
            "SELECT count(*) FROM events WHERE type = 'wallet.credited'"
        )
    assert set(statuses) <= {200, 503, 0}
    assert statuses.count(200) == credits_recorded


async def test_without_its_database_the_gateway_says_so() -> None:
    """It starts, is not ready, and answers every call with a 503 that can be retried."""
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    async with (
        aiohttp.ClientSession() as session,
        gateway_on(
            nowhere,
            host="127.0.0.1",
            port=0,
            public_url="http://127.0.0.1",
            registry=CollectorRegistry(),
        ) as port,
    ):
        url = f"http://127.0.0.1:{port}"
        async with session.get(f"{url}/healthz") as alive:
            assert alive.status == 200
        async with session.get(f"{url}/readyz") as ready:
            assert ready.status == 503
            assert (await ready.json())["reasons"] == ["the database cannot be reached"]
        headers = {"Authorization": basic("key_" + "0a" * 12, "secret")}
        async with session.get(f"{url}/v1/wallets", headers=headers) as refused:
            assert refused.status == 503
            assert refused.headers["Retry-After"] == "1"
            problem = msgspec.json.decode(await refused.read())
            assert problem["code"] == "ledger_unavailable"
