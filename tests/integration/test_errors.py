"""Every refusal of the Credit Wallets API: its status, its code, and that nothing is written.

The log's position and its number of appends stay as they were. Refusals that depend on
what happened before are in `test_gateway_refusals`.
"""

from collections.abc import AsyncIterator
from functools import reduce
from typing import Any

import pytest

from schemas.http.problems import PROBLEMS
from schemas.identifiers import hex_of
from tests.specs import refused_batches, refused_calls, refused_movements, refused_topups
from tests.specs.refused_calls import NO_WALLET
from tests.specs.running_gateway import FAST, Reply, RunningGateway, basic, running_gateway

ROWS = [
    *refused_calls.ROWS,
    *refused_movements.ROWS,
    *refused_topups.ROWS,
    *refused_batches.ROWS,
]


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def test_every_refusal_of_the_table(
    gateway: RunningGateway, subtests: pytest.Subtests
) -> None:
    """One gateway for all rows, as nothing that is refused leaves anything behind."""
    names = await scene(gateway)
    before = (await gateway.position(), await gateway.appends())
    for row in ROWS:
        with subtests.test(row.name):
            reply = await gateway.call(
                row.method,
                filled(row.path, names),
                filled(row.body, names),
                data=row.data,
                headers=FAST | (row.headers or {}),
                who=row.who,
            )
            assert (reply.status, reply.code) == (row.status, row.code)
            assert reply.json.get("param") == row.param
            assert [error["param"] for error in reply.json.get("errors", [])] == row.named()
            assert well_formed(reply)
            assert (await gateway.position(), await gateway.appends()) == before


async def scene(gateway: RunningGateway) -> dict[str, str]:
    """What the rows' calls find, by the names that stand for it."""
    wallet = await gateway.open_wallet()
    yen_wallet = await gateway.open_wallet(currency="JPY")
    friend = await gateway.open_wallet("cus_2")
    credited = await gateway.credit(wallet, 1100, "salary")
    body = {"from": wallet, "to": friend, "amount": 100, "reference": "gift"}
    transfer = await gateway.post("/transfers", body)
    hold = await gateway.place_hold(wallet, 10, "ride")
    await gateway.project()
    transaction = credited.json["id"]
    return {
        "{wallet}": wallet,
        "{yen_wallet}": yen_wallet,
        "{hold}": hold,
        "{hold_digits}": hex_of(hold),
        "{transaction}": transaction,
        "{transaction_digits}": hex_of(transaction),
        "{transfer}": transfer.json["id"],
    }


def filled(part: Any, names: dict[str, str]) -> Any:
    """The same path or body with real ids in it."""
    match part:
        case str():
            return reduce(lambda text, name: text.replace(name, names[name]), names, part)
        case dict():
            return {name: filled(value, names) for name, value in part.items()}
        case list():
            return [filled(value, names) for value in part]
        case _:
            return part


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
        ("expires_at", "invalid_time"),
    ]
    assert reply.json["param"] == "amount"


def test_every_code_of_the_table_is_in_the_catalogue() -> None:
    assert {row.code for row in ROWS} <= set(PROBLEMS)
    assert all(PROBLEMS[row.code].status == row.status for row in ROWS)
