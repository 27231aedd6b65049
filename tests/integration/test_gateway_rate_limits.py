"""Rate limits over HTTP: each credential its own, at all gateways together, in both APIs."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from ledger.tenants.limits import RateLimit, parse_rate_limit
from services.gateway.rate_limits.failures import FAILURES
from services.runtime.settings import Settings
from tests.specs.baas_client import BaasClient, failure
from tests.specs.gateway_processes import gateway_process
from tests.specs.running_gateway import FAST, Reply, RunningGateway, Who, basic, running_gateway

FIVE = RateLimit(per_s=1, burst=5)
UNKNOWN_WALLET = "wal_" + "0a" * 16


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def limit(gateway: RunningGateway, who: Who, limited: RateLimit | None) -> None:
    """Limit a credential, which no gateway has read yet."""
    key_id = gateway.secrets[who].key_id
    assert await gateway.administrator.limit_credential(key_id, limited)


async def used_up(gateway: RunningGateway, who: Who = "merchant") -> list[Reply]:
    """Five calls, which are all that a credential may make."""
    await limit(gateway, who, FIVE)
    return [await gateway.get("/wallets", who=who, headers=FAST) for _ in range(5)]


def policy_and_left(reply: Reply) -> tuple[str, str]:
    """What a reply says of the limit."""
    return reply.headers["RateLimit-Policy"], reply.headers["RateLimit"]


async def test_every_authenticated_answer_says_what_is_left(gateway: RunningGateway) -> None:
    baas = BaasClient(gateway)
    wallet = await gateway.open_wallet()
    await gateway.project()
    etag = (await gateway.get(f"/wallets/{wallet}")).headers["ETag"]
    replies = [
        await gateway.get(f"/wallets/{wallet}", headers={"If-None-Match": etag}),
        await gateway.call("HEAD", f"/v1/wallets/{wallet}"),
        await gateway.get(f"/wallets/{UNKNOWN_WALLET}"),
        await gateway.post("/wallets", {"customer_id": 5}),
        await gateway.post("/wallets", {}, who="reader"),
        await gateway.post("/batch", {"commands": []}),
        await baas.get("/wallets/merchants"),
        await baas.get("/wallets/nobody"),
    ]
    lines = {"Content-Type": "application/x-ndjson"}
    replies.append(await gateway.post("/batch", data=b"1\n", headers=lines))
    assert [reply.status for reply in replies] == [304, 200, 404, 422, 403, 422, 200, 400, 200]
    for reply in replies:
        policy, left = policy_and_left(reply)
        assert policy == '"default";q=20000;w=1'
        assert left.startswith('"default";r=19')
        assert left.endswith(";t=1")


async def test_nobody_else_is_told_of_limits(gateway: RunningGateway) -> None:
    replies = [
        await gateway.get("/wallets", who=None),
        await gateway.get("/nothing"),
        await gateway.call("GET", "/healthz"),
        await gateway.call("GET", "/v1/openapi.json"),
    ]
    assert [reply.status for reply in replies] == [401, 404, 200, 200]
    assert not any("RateLimit" in reply.headers for reply in replies)


async def test_too_many_calls_are_refused_as_each_api_refuses(gateway: RunningGateway) -> None:
    replies = await used_up(gateway)
    assert [reply.status for reply in replies] == [200] * 5
    assert [policy_and_left(reply)[0] for reply in replies] == ['"default";q=5;w=5'] * 5
    before = (await gateway.position(), await gateway.appends())

    refused = await gateway.post("/wallets", {"customer_id": "cus_1", "currency": "GHS"})
    assert (refused.status, refused.code) == (429, "rate_limited")
    assert refused.json["request_id"] == refused.headers["X-Request-Id"]
    assert refused.headers["Retry-After"] == "1"
    assert policy_and_left(refused) == ('"default";q=5;w=5', '"default";r=0;t=1')

    other = await BaasClient(gateway).get("/wallets/merchants")
    status, message, fields = failure(other)
    assert (status, fields) == (429, {})
    assert message.startswith("Too many requests: these credentials may ask for 1/s:5")
    assert other.headers["Retry-After"] == "1"
    assert policy_and_left(other) == ('"default";q=5;w=5', '"default";r=0;t=1')
    assert (await gateway.position(), await gateway.appends()) == before

    # Others go on, also those of the same tenant.
    assert (await gateway.get("/wallets", who="writer", headers=FAST)).status == 200
    metrics = (await gateway.call("GET", "/metrics", who=None)).body.decode()
    assert 'ledger_gateway_rate_limited_total{reason="calls"} 2.0' in metrics
    assert gateway.secrets["merchant"].key_id not in metrics


async def test_the_limit_comes_before_all_but_the_credentials(gateway: RunningGateway) -> None:
    await used_up(gateway, "reader")
    key_id = gateway.secrets["reader"].key_id
    wrong = {"Authorization": basic(key_id, "wrong")}
    replies = [
        await gateway.get("/wallets", who=None, headers=wrong),
        await gateway.get("/nothing", who="reader"),
        # Without the scope, with a bad key, with a body that is never read.
        await gateway.post("/wallets", {}, who="reader"),
        await gateway.post("/wallets", data=b"{", who="reader", headers={"Idempotency-Key": " "}),
        await gateway.post("/wallets", data=b"x" * 200_000, who="reader"),
    ]
    assert [reply.status for reply in replies] == [401, 404, 429, 429, 429]


async def test_a_refused_command_is_not_remembered(gateway: RunningGateway) -> None:
    await used_up(gateway)
    body = {"customer_id": "cus_1", "currency": "GHS"}
    key = {"Idempotency-Key": "once"}
    assert (await gateway.post("/wallets", body, headers=key)).status == 429
    await limit(gateway, "merchant", None)
    async with asyncio.timeout(10):
        while True:
            reply = await gateway.post("/wallets", body, headers=key)
            if reply.status != 429:
                break
            await asyncio.sleep(0.05)
    assert reply.status == 201
    assert "Idempotent-Replayed" not in reply.headers


async def test_a_new_limit_counts_within_a_second(gateway: RunningGateway) -> None:
    assert policy_and_left(await gateway.get("/wallets"))[0] == '"default";q=20000;w=1'
    await limit(gateway, "merchant", parse_rate_limit("2/s"))
    await asyncio.sleep(1.1)
    assert policy_and_left(await gateway.get("/wallets"))[0] == '"default";q=2;w=1'


async def test_a_batch_takes_a_unit_for_each_command(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await limit(gateway, "writer", RateLimit(per_s=1, burst=10))

    def batch(count: int, name: str, **more: object) -> dict[str, Any]:
        credit = {"type": "credit", "wallet_id": wallet, "amount": 1}
        return {"commands": [credit | {"reference": f"{name} {n}"} for n in range(count)], **more}

    first = await gateway.post("/batch", batch(5, "a"), who="writer")
    assert (first.status, first.headers["RateLimit"]) == (200, '"default";r=4;t=1')
    before = (await gateway.position(), await gateway.appends())
    for atomic in (False, True):
        refused = await gateway.post("/batch", batch(5, "b", atomic=atomic), who="writer")
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) >= 1
    assert (await gateway.position(), await gateway.appends()) == before


async def test_a_batch_larger_than_the_burst_is_taken_from_a_whole_one(
    gateway: RunningGateway,
) -> None:
    wallet = await gateway.open_wallet()
    await limit(gateway, "writer", RateLimit(per_s=1, burst=10))
    credit = {"type": "credit", "wallet_id": wallet, "amount": 1}
    commands = [credit | {"reference": f"{n}"} for n in range(30)]
    reply = await gateway.post("/batch", {"commands": commands}, who="writer")
    assert [result["status"] for result in reply.json["results"]] == [200] * 30
    refused = await gateway.get("/wallets", who="writer")
    assert refused.status == 429
    # 31 less 10 are owed, and one is asked for.
    assert 20 <= int(refused.headers["Retry-After"]) <= 22


async def test_a_stream_is_slowed_and_calls_go_on_beside_it(database: str) -> None:
    async with running_gateway(database, settings=Settings(rate_limit="100/s")) as gateway:
        wallet = await gateway.open_wallet()
        credit = b'{"type":"credit","wallet_id":"%s","amount":1,"reference":"%d"}\n'
        data = b"".join(credit % (wallet.encode(), n) for n in range(150))
        lines = {"Content-Type": "application/x-ndjson"}
        began = time.monotonic()
        streaming = asyncio.create_task(gateway.post("/batch", data=data, headers=lines))
        await asyncio.sleep(0.3)
        beside = [await gateway.get("/wallets", headers=FAST) for _ in range(10)]
        reply = await streaming
        # Half of the burst goes at once, and the rest as the limit allows.
        assert time.monotonic() - began >= 0.9
    assert [each.status for each in beside] == [200] * 10
    assert reply.body.count(b'"status":200') == 150


async def test_wrong_credentials_are_limited_by_address_and_right_ones_never(
    gateway: RunningGateway,
) -> None:
    key_id = gateway.secrets["merchant"].key_id
    guess = {"Authorization": basic(key_id, "guess")}
    statuses = [
        (await gateway.get("/wallets", who=None, headers=guess)).status
        for _ in range(FAILURES.burst)
    ]
    assert set(statuses) == {401}
    replies = [await gateway.get("/wallets", who=None, headers=guess) for _ in range(40)]
    refused = [reply for reply in replies if reply.status == 429]
    assert len(refused) > 20, "one a second is 401 again"
    assert refused[0].code == "rate_limited"
    assert refused[0].headers["Retry-After"] == "1"
    assert "RateLimit" not in refused[0].headers
    for other in ({"Authorization": "Bearer x"}, {"X-API-Key": "x"}, {}):
        path = "/baas/v1/wallets/merchants"
        replies = [await gateway.call("GET", path, who=None, headers=other) for _ in range(3)]
        assert failure(replies[-1])[0] == 429

    # The very key that is guessed at, and one that this gateway has never seen.
    for who in ("merchant", "stranger"):
        assert (await gateway.get("/wallets", who=who, headers=FAST)).status == 200
    assert (await BaasClient(gateway).get("/wallets/merchants", who="admin")).status == 200


# When a key was used, and how much, by all gateways.


async def last_used(gateway: RunningGateway, who: Who) -> Any:
    query = "SELECT last_used_at, units FROM credential_usage WHERE key_id = $1"
    return await gateway.connection.fetchrow(query, gateway.secrets[who].key_id)


async def test_the_last_use_is_known_within_two_seconds(gateway: RunningGateway) -> None:
    began = await gateway.connection.fetchval("SELECT clock_timestamp()")
    await gateway.get("/wallets", headers=FAST)
    await gateway.get("/wallets", headers=FAST)
    async with asyncio.timeout(2):
        while (row := await last_used(gateway, "merchant")) is None:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    assert row["last_used_at"] >= began
    assert row["units"] == 2
    assert await last_used(gateway, "reader") is None, "it was not used"
    await asyncio.sleep(1.2)
    assert await last_used(gateway, "merchant") == row, "nothing is written of what is not used"


class Hammered(NamedTuple):
    """What calls without a pause came to."""

    let_through: int
    refused: int


async def hammer(session: aiohttp.ClientSession, url: str, until: float) -> Hammered:
    """Call without a pause."""
    let_through = refused = 0
    while time.monotonic() < until:
        async with session.get(f"{url}/v1/wallets", headers=FAST) as reply:
            assert reply.status in {200, 429}
            let_through += reply.status == 200
            refused += reply.status == 429
        await asyncio.sleep(0.005)
    return Hammered(let_through, refused)


async def test_two_gateway_processes_share_one_limit(
    database: str, gateway: RunningGateway, tmp_path: Path
) -> None:
    seconds, limited = 5, RateLimit(per_s=20, burst=20)
    await limit(gateway, "merchant", limited)
    encoded = base64.b64encode(":".join(gateway.secrets["merchant"]).encode()).decode()
    async with (
        gateway_process(database, tmp_path / "a") as first,
        gateway_process(database, tmp_path / "b") as second,
        aiohttp.ClientSession(headers={"Authorization": f"Basic {encoded}"}) as session,
    ):
        began = time.monotonic()
        one, other = await asyncio.gather(
            *(hammer(session, url, began + seconds) for url in (first, second))
        )
        took = time.monotonic() - began
    both = one.let_through + other.let_through
    # Each may let a burst and a second's worth through of which the other has not heard. Alone,
    # each would let 120 through.
    alone = limited.burst + limited.per_s * took
    assert both <= alone + limited.burst + limited.per_s
    assert both >= limited.per_s * seconds / 2
    assert min(one.refused, other.refused) > 0
    row = await last_used(gateway, "merchant")
    assert row["units"] == both, "what was used last is told when a gateway stops"
