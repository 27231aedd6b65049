"""What an operator does with a running system: look, verify, rebuild, tail, give out keys."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import msgspec
import pytest

from services.gateway.authentication import MAX_CREDENTIAL_AGE_SECONDS
from services.gateway.docs import OPENAPI_FILE
from tests.end_to_end.curl import Curl, merchant
from tests.specs.running_stack import PROCESSES, RunningStack

_MUST_NOT_BE_LOGGED = ("CLIENT_SECRET", "API_KEY", "DATABASE_URL")
_LINK = re.compile(r'(?:href|src)="(?!data:|#)([^"]+)"')


@pytest.fixture
def curl(stack: RunningStack) -> Curl:
    """The sandbox's merchant."""
    return merchant(stack)


async def _open_wallet(curl: Curl) -> str:
    reply = await curl.post("/wallets", {"customer_id": f"cus_{uuid4().hex}", "currency": "GHS"})
    assert reply.status == 201, reply
    return str(reply.json["id"])


@pytest.mark.parametrize("name", PROCESSES)
async def test_each_process_shows_its_health(stack: RunningStack, name: str) -> None:
    async with aiohttp.ClientSession(stack.health_url(name)) as session:
        async with session.get("/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "alive"})
        async with session.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (
                200,
                {"status": "ready", "reasons": []},
            )
        async with session.get("/metrics") as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            metrics = await answer.text()
    own = name.split("-", maxsplit=1)[0]
    assert re.search(rf"^ledger_{own}_\w+.* [0-9.e+]+$", metrics, re.MULTILINE), metrics


async def test_the_documents_are_served_and_ask_for_nothing_elsewhere(stack: RunningStack) -> None:
    async with aiohttp.ClientSession(stack.url) as session:
        async with session.get("/v1/openapi.json") as answer:
            assert answer.headers["Content-Type"] == "application/json"
            assert await answer.read() == OPENAPI_FILE.read_bytes()
        async with session.get("/docs") as answer:
            assert answer.status == 200
            page = await answer.text()
        links = _LINK.findall(page)
        assert links, "the page has a style sheet and a script"
        for link in links:
            async with session.get(f"/{link.removeprefix('/')}") as answer:
                assert answer.status == 200, link


async def test_logs_are_json_lines_that_name_the_request_and_no_secret(
    stack: RunningStack, curl: Curl
) -> None:
    request_id, correlation_id = f"req-{uuid4().hex}", f"cor-{uuid4().hex}"
    refused = await curl.post(
        f"/wallets/wal_{'0' * 32}/debit",
        {"amount": 1, "reference": "r"},
        f"X-Request-Id: {request_id}",
        f"X-Correlation-Id: {correlation_id}",
    )
    assert refused.headers["X-Request-Id"] == request_id

    entries = {name: _entries(stack, name) for name in PROCESSES}
    for name, lines in entries.items():
        for line in lines:
            assert line["process"] == name
            assert line.keys() >= {"timestamp", "level", "event"}
    (line,) = (line for line in entries["gateway"] if line.get("request_id") == request_id)
    assert (line["status"], line["correlation_id"]) == (404, correlation_id)
    assert line["key_id"] == stack.sandbox["CLIENT_ID"]

    sandbox = stack.sandbox
    secrets = {sandbox[name] for name in _MUST_NOT_BE_LOGGED}
    secrets.add(sandbox["API_KEY"].split(".")[1])
    for path in (*(stack.home / "logs").iterdir(), stack.output):
        text = path.read_text(errors="replace")
        assert [secret for secret in secrets if secret in text] == [], path.name


def _entries(stack: RunningStack, name: str) -> list[dict[str, object]]:
    log = (stack.home / "logs" / f"{name}.log").read_bytes()
    # A process that a test has killed may have died within a line.
    lines = [line for line in log.splitlines() if line]
    assert lines, f"{name} says at least that it started"
    return [msgspec.json.decode(line) for line in lines]


async def test_read_models_are_rebuilt_while_they_are_used(stack: RunningStack) -> None:
    await stack.verify()
    async with _debits_meanwhile(stack):
        for name in ("balances", "transactions", "trial_balance"):
            ended = await stack.run("rebuild", name)
            assert ended.status == 0, ended.output
    await stack.wait_until_caught_up()
    await stack.verify()


@asynccontextmanager
async def _debits_meanwhile(stack: RunningStack) -> AsyncIterator[None]:
    """One client that goes on and on, and sees each of its writes."""
    curl = merchant(stack)
    wallet = await _open_wallet(curl)
    await curl.post(f"/wallets/{wallet}/credit", {"amount": 100_000, "reference": uuid4().hex})
    is_over = asyncio.Event()

    async def debit() -> None:
        while not is_over.is_set():
            body = {"amount": 1, "reference": uuid4().hex}
            debited = await curl.post(f"/wallets/{wallet}/debit", body)
            shown = await curl.get(f"/wallets/{wallet}")
            assert (debited.status, shown.status) == (200, 200)
            assert shown.json["balance"] == debited.json["balance_after"]

    debits = asyncio.create_task(debit())
    try:
        yield
    finally:
        is_over.set()
        await debits


async def test_tail_shows_what_came_and_what_comes(stack: RunningStack, curl: Curl) -> None:
    ((position,),) = await stack.fetch("SELECT coalesce(max(position), 0) FROM events")
    before = await _open_wallet(curl)
    shown = await stack.run("tail", "--no-follow", "--after", str(position))
    assert shown.status == 0, shown.output
    (line,) = (line for line in shown.output.splitlines() if before in line)
    assert "wallet.opened" in line
    assert f"client:{stack.sandbox['CLIENT_ID']}" in line

    tail = await stack.start("tail", "--after", str(position))
    assert tail.stdout is not None
    assert before in (await tail.stdout.readline()).decode()
    after = await _open_wallet(curl)
    assert after in (await tail.stdout.readline()).decode()
    tail.terminate()
    await tail.communicate()
    assert tail.returncode == 0


async def test_a_second_start_on_the_same_home_says_who_is_there(stack: RunningStack) -> None:
    second = await stack.run("up")
    assert second.status == 1
    assert f"a ledger runs on {stack.home} already" in second.output
    assert f"(pid {stack.supervisor.pid})" in second.output


async def test_a_key_works_until_it_is_revoked(stack: RunningStack) -> None:
    made = _told(await _run(stack, "keys", "create", "--tenant", stack.sandbox["TENANT_ID"]))
    curl = Curl(stack.url, f"{made['client id']}:{made['client secret']}")
    wallet = await _open_wallet(curl)

    await _run(stack, "keys", "revoke", made["client id"])
    # What the gateway has read of a credential is never older than this.
    await asyncio.sleep(MAX_CREDENTIAL_AGE_SECONDS)
    refused = await curl.get(f"/wallets/{wallet}")
    assert (refused.status, refused.code) == (401, "unauthorized")
    # The tenant's other credentials are as they were.
    assert (await merchant(stack).get(f"/wallets/{wallet}")).status == 200


async def test_another_merchants_wallet_does_not_exist(stack: RunningStack, curl: Curl) -> None:
    other = _told(await _run(stack, "merchants", "create", "Another"))
    key = _told(await _run(stack, "keys", "create", "--tenant", other["live tenant"]))
    theirs = await _open_wallet(Curl(stack.url, f"{key['client id']}:{key['client secret']}"))

    money = {"amount": 1, "reference": uuid4().hex}
    for reply in (
        await curl.get(f"/wallets/{theirs}"),
        await curl.get(f"/wallets/{theirs}/transactions"),
        *[await curl.post(f"/wallets/{theirs}/{verb}", money) for verb in ("debit", "credit")],
        *[await curl.post(f"/wallets/{theirs}/{v}") for v in ("freeze", "unfreeze", "close")],
    ):
        assert (reply.status, reply.code) == (404, "wallet_not_found")
        assert theirs not in reply.body.decode()


async def test_a_merchant_keeps_a_list_of_where_browsers_may_go(stack: RunningStack) -> None:
    merchant_id = _told(await _run(stack, "merchants", "create", "Lister"))["merchant"]
    origin = "https://shop.example.com"

    said = await _run(stack, "merchants", "allow-redirect", merchant_id, f"{origin}:443")
    assert said.strip() == f"allowed {origin}"
    await _run(stack, "merchants", "allow-redirect", merchant_id, "http://localhost:3000")
    listed = await _run(stack, "merchants", "redirects", merchant_id)
    assert listed.split() == ["http://localhost:3000", origin]
    await _run(stack, "merchants", "disallow-redirect", merchant_id, origin)
    assert (await _run(stack, "merchants", "redirects", merchant_id)).split() == [
        "http://localhost:3000"
    ]

    for wrong in (
        ("allow-redirect", merchant_id, "https://shop.example.com/thanks"),
        ("allow-redirect", str(uuid4()), origin),
        ("disallow-redirect", merchant_id, origin),
        ("redirects", str(uuid4())),
    ):
        ended = await stack.run("merchants", *wrong)
        assert ended.status == 1, ended.output


async def _run(stack: RunningStack, *arguments: str) -> str:
    ended = await stack.run(*arguments)
    assert ended.status == 0, ended.output
    return ended.output


def _told(output: str) -> dict[str, str]:
    """`name      value` lines as a dictionary."""
    found = (re.fullmatch(r"(\w+(?: \w+)?) +(\S+)", line) for line in output.splitlines())
    return {match[1]: match[2] for match in found if match}
