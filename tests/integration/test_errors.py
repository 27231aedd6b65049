"""Every refusal of contract A: its status, its code, and that nothing is written.

The log's position and its number of appends stay as they were. Refusals that depend on
what happened before are in `test_gateway_refusals`.
"""

from collections.abc import AsyncIterator

import pytest

from schemas.http.problems import PROBLEMS
from tests.specs.refused_calls import NO_WALLET, ROWS
from tests.specs.running_gateway import FAST, Reply, RunningGateway, basic, running_gateway


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def test_every_refusal_of_the_table(
    gateway: RunningGateway, subtests: pytest.Subtests
) -> None:
    """One gateway for all rows, as nothing that is refused leaves anything behind."""
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 1000, "salary")
    before = (await gateway.position(), await gateway.appends())
    for row in ROWS:
        with subtests.test(row.name):
            reply = await gateway.call(
                row.method,
                row.path.replace("{wallet}", wallet),
                row.body,
                data=row.data,
                headers=FAST | (row.headers or {}),
                who=row.who,
            )
            assert (reply.status, reply.code) == (row.status, row.code)
            assert reply.json.get("param") == row.param
            assert well_formed(reply)
            assert (await gateway.position(), await gateway.appends()) == before


def well_formed(reply: Reply) -> bool:
    """Whether a problem says what RFC 9457 and the contract ask for, and leaks nothing."""
    problem = reply.json
    return (
        problem["status"] == reply.status
        and problem["type"]
        and problem["title"]
        and problem["detail"]
        and problem["request_id"] == reply.headers["X-Request-Id"]
        and (reply.status != 401 or "WWW-Authenticate" in reply.headers)
        and (reply.status != 405 or "Allow" in reply.headers)
        and not any(
            word in reply.body for word in (b"Traceback", b"asyncpg", b"SELECT", b"msgspec")
        )
    )


def test_the_names_of_the_rows_are_unique() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)


async def test_a_wrong_secret_is_401(gateway: RunningGateway) -> None:
    key_id = gateway.secrets["merchant"].key_id
    for secret in ("wrong", "", gateway.secrets["stranger"].secret):
        headers = {"Authorization": basic(key_id, secret)}
        reply = await gateway.get("/wallets", headers=headers, who=None)
        assert (reply.status, reply.code) == (401, "unauthorized")


async def test_all_offending_fields_are_named_at_once(gateway: RunningGateway) -> None:
    body = {"amount": "5", "reference": "", "description": 7, "metadata": [], "expires_at": "soon"}
    reply = await gateway.post(f"/wallets/{NO_WALLET}/credit", body)
    assert reply.status == 422
    assert reply.code == "validation_failed"
    errors = [(error["param"], error["code"]) for error in reply.json["errors"]]
    assert errors == [
        ("amount", "wrong_type"),
        ("description", "wrong_type"),
        ("reference", "too_short"),
        ("metadata", "wrong_type"),
        ("expires_at", "unsupported_field"),
    ]
    assert reply.json["param"] == "amount"


def test_every_code_of_the_table_is_in_the_catalogue() -> None:
    assert {row.code for row in ROWS} <= set(PROBLEMS)
    assert all(PROBLEMS[row.code].status == row.status for row in ROWS)
