"""A batch of commands that stand by themselves is the same commands sent one by one."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.specs.running_gateway import RunningGateway, Who, running_gateway

_IDS_AND_TIMES = re.compile(
    rb'(wal|txn|hol|trf|req)_[0-9a-f]+|"user_id":"[^"]+"|\d{4}-\d\d-\d\dT[0-9:.]+Z'
)


class Step(NamedTuple):
    """A command to come, its wallets not yet named."""

    kind: str
    wallet: int
    amount: int
    reference: int


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(
            ["credit", "credit", "debit", "hold", "transfer", "freeze", "unfreeze", "close"]
        ),
        wallet=st.integers(0, 1),
        amount=st.integers(0, 30),
        reference=st.integers(0, 6),
    ),
    min_size=1,
    max_size=25,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps, st.sampled_from(["objects", "lines"]))
def test_a_batch_is_its_commands_one_by_one(
    database: str, story: list[Step], form: Literal["objects", "lines"]
) -> None:
    at_once, one_by_one = asyncio.run(_told_twice(database, story, form))
    assert at_once == one_by_one


async def _told_twice(
    dsn: str, story: Sequence[Step], form: Literal["objects", "lines"]
) -> tuple[list[Any], list[Any]]:
    """What two merchants are answered, of whom one sends a batch and the other single calls."""
    async with running_gateway(dsn) as gateway:
        members = _members(story, await _wallets(gateway, "merchant"))
        if form == "lines":
            lines = msgspec.json.Encoder().encode_lines(members)
            headers = {"Content-Type": "application/x-ndjson"}
            reply = await gateway.post("/batch", data=lines, headers=headers)
            results = msgspec.json.Decoder().decode_lines(reply.body)
        else:
            results = (await gateway.post("/batch", {"commands": members})).json["results"]
        at_once = [_plain(each["status"], each["replayed"], each["body"]) for each in results]

        one_by_one = []
        for member in _members(story, await _wallets(gateway, "stranger")):
            reply = await gateway.post(_path_of(member), member, who="stranger")
            replayed = "Idempotent-Replayed" in reply.headers
            one_by_one.append(_plain(reply.status, replayed, reply.json))
    return at_once, one_by_one


async def _wallets(gateway: RunningGateway, who: Who) -> list[str]:
    bodies = [{"customer_id": f"cus_{number}", "currency": "GHS"} for number in range(2)]
    return [(await gateway.post("/wallets", body, who=who)).json["id"] for body in bodies]


def _members(story: Sequence[Step], wallets: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "type": step.kind,
            "wallet_id": wallets[step.wallet],
            "from": wallets[step.wallet],
            "to": wallets[1 - step.wallet],
            "amount": step.amount,
            "reference": f"{step.kind} {step.reference}",
        }
        for step in story
    ]


def _path_of(member: dict[str, Any]) -> str:
    kind = member["type"]
    if kind == "transfer":
        return "/transfers"
    return f"/wallets/{member['wallet_id']}/{'holds' if kind == 'hold' else kind}"


def _plain(status: int, replayed: object, body: object) -> tuple[int, object, bytes]:
    """An answer without what is new in each: ids and times."""
    return status, replayed, _IDS_AND_TIMES.sub(rb"\1", msgspec.json.encode(body))
