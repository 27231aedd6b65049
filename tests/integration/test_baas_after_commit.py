"""The BaaS API, where the answer cannot be had although the money has moved."""

from collections.abc import AsyncIterator
from typing import Any, NoReturn

import pytest

from ledger.command_handling.errors import (
    ClockSteppedError,
    LedgerUnavailableError,
    OutcomeUnknownError,
    OverloadedError,
)
from ledger.command_handling.submission import Settled
from services.gateway.baas.customers import Customers, KnownReference
from services.gateway.baas.recorded import Log
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.problems import ReadsUnavailableError
from tests.specs.baas_client import BaasClient, failure
from tests.specs.running_gateway import running_gateway

UNKNOWN_OUTCOME = "Outcome unknown, try again with the same reference"
TRANSFER = "/wallets/transfer/bank"


@pytest.fixture
async def baas(database: str) -> AsyncIterator[BaasClient]:
    async with running_gateway(database) as gateway:
        yield BaasClient(gateway)


async def transfer_of(baas: BaasClient, amount: float) -> tuple[str, dict[str, object]]:
    """A sender who has 100, as a UUID, and the body of a transfer to somebody else."""
    sender, from_wallet = await baas.open_wallet("cus_1")
    _, to_wallet = await baas.open_wallet("cus_2")
    await baas.credit(sender, 100, "in")
    return sender, {"from_wallet_id": from_wallet, "to_wallet_id": to_wallet, "amount": amount}


async def balance(baas: BaasClient, user_id: str) -> Any:
    await baas.gateway.project()
    return (await baas.get(f"/wallets/{user_id}")).json["data"]["booked_balance"]


async def _away(*_: object) -> NoReturn:
    raise ReadsUnavailableError("the database cannot be reached")


def reference_named_in(errors: dict[str, str]) -> str:
    words, _, reference = errors["reference"].rpartition(" ")
    assert words == "try again with"
    return reference


async def test_nothing_is_read_after_a_transfer(
    baas: BaasClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nothing that cannot be read denies it, and the client does not send it twice."""
    sender, body = await transfer_of(baas, 30)
    with monkeypatch.context() as patched:
        patched.setattr(Log, "transaction", _away)
        reply = await baas.post(TRANSFER, body)
    assert reply.status == 201
    shown = reply.json["data"]
    assert (shown["type"], shown["balance_before"], shown["balance_after"]) == ("CREDIT", 0, 30)
    found = await baas.get(f"/transactions/{shown['reference']}")
    assert found.json["data"] == shown
    assert await balance(baas, sender) == 70


async def test_a_repeated_transfer_that_cannot_be_read_is_not_denied(
    baas: BaasClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says with which reference it can be repeated, and that has one effect."""
    sender, body = await transfer_of(baas, 30)
    key = {"Idempotency-Key": "rent"}
    first = await baas.post(TRANSFER, body, headers=key)
    with monkeypatch.context() as patched:
        patched.setattr(Log, "transaction", _away)
        reply = await baas.post(TRANSFER, body, headers=key)
    status, message, errors = failure(reply)
    assert (status, message) == (503, UNKNOWN_OUTCOME)
    assert reply.headers["Retry-After"] == "1"
    reference = reference_named_in(errors)
    assert reference == first.json["data"]["reference"]
    again = await baas.post(TRANSFER, body | {"reference": reference})
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await balance(baas, sender) == 70


@pytest.mark.parametrize("path", ["/wallets/debit", TRANSFER])
async def test_a_reference_that_was_made_is_named_where_the_outcome_is_unknown(
    baas: BaasClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Nobody but the gateway knows it; whoever repeats the call with it moves the money once."""
    sender, body = await transfer_of(baas, 30)
    if path != TRANSFER:
        body = {"customer_id": sender, "amount": 30}
    hand_in = Settlement.hand_in

    async def hand_in_and_lose(self: Settlement, *arguments: Any) -> Settled:
        await hand_in(self, *arguments)
        raise OutcomeUnknownError

    with monkeypatch.context() as patched:
        patched.setattr(Settlement, "hand_in", hand_in_and_lose)
        status, message, errors = failure(await baas.post(path, body))
    assert (status, message) == (503, UNKNOWN_OUTCOME)
    again = await baas.post(path, body | {"reference": reference_named_in(errors)})
    assert again.status == 201
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await balance(baas, sender) == 70


@pytest.mark.parametrize(
    "error", [LedgerUnavailableError, OverloadedError, ClockSteppedError, OutcomeUnknownError]
)
async def test_what_the_same_call_did_meanwhile_is_not_denied(
    baas: BaasClient, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """The call's key is used by then: whatever comes of asking once more, the money has moved."""
    sender, _ = await transfer_of(baas, 30)
    body = {"customer_id": sender, "amount": 30}
    key = {"Idempotency-Key": "rent"}
    first = await baas.post("/wallets/debit", body, headers=key)
    known_reference, hand_in = Customers.known_reference, Settlement.hand_in
    looked: list[str | None] = []
    handed_in: list[object] = []

    async def not_yet(self: Customers, tenant_id: str, command_id: str | None) -> KnownReference:
        known = await known_reference(self, tenant_id, command_id)
        looked.append(known.reference)
        return known if len(looked) > 1 else KnownReference(None, known.unix_seconds)

    async def only_once(self: Settlement, *arguments: Any) -> Settled:
        handed_in.append(arguments)
        if len(handed_in) > 1:
            raise error
        return await hand_in(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Customers, "known_reference", not_yet)
        patched.setattr(Settlement, "hand_in", only_once)
        status, message, errors = failure(await baas.post("/wallets/debit", body, headers=key))
    assert (len(looked), len(handed_in)) == (2, 2)
    assert (status, message) == (503, UNKNOWN_OUTCOME)
    if error is OutcomeUnknownError:
        assert reference_named_in(errors) == first.json["data"]["reference"]
    again = await baas.post("/wallets/debit", body, headers=key)
    assert (again.status, again.body) == (201, first.body)
    assert await balance(baas, sender) == 70
