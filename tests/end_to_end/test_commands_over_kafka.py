"""Commands over Kafka, by kcat and by our own client, and the same ledger behind HTTP."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import pytest

from schemas.commands import CreateWallet, CreditWallet, DebitWallet, FreezeWallet
from schemas.rejections import ReferenceReused
from schemas.results import CommandResult
from services.client import CommandClient, CommandRejectedError
from tests.end_to_end.curl import Curl, merchant
from tests.specs.running_gateway import Reply
from tests.specs.running_stack import PATIENCE_S, RunningStack, eventually

NEWEST = "-300"
"""How many messages of each partition are looked through: other tests write to them, too."""


@pytest.fixture
def curl(stack: RunningStack) -> Curl:
    """The sandbox's merchant, over HTTP."""
    return merchant(stack)


class Message(NamedTuple):
    """A message as kcat shows it."""

    key: str
    headers: dict[str, str]
    value: dict[str, Any]


class Kcat(NamedTuple):
    """kcat, a Kafka client that this project did not write."""

    bootstrap: str
    tenant_id: str

    async def publish(self, command: str, key: str, command_id: str, value: object) -> None:
        """Publish one command."""
        headers = {
            "ce_specversion": "1.0",
            "ce_id": command_id,
            "ce_source": "/kcat",
            "ce_type": f"ledger.command.{command}.v1",
            "ce_tenantid": self.tenant_id,
            "ce_correlationid": f"correlation-of-{command_id}",
            "content-type": "application/json",
        }
        named = (word for name, text in headers.items() for word in ("-H", f"{name}={text}"))
        await self._run(
            *("-P", "-t", "ledger.commands", "-k", key, *named), stdin=json.dumps(value).encode()
        )

    async def find(self, topic: str, wanted: Callable[[Message], bool]) -> list[Message]:
        """The messages of a topic that are wanted, when there are any."""
        found: list[Message] = []

        async def look() -> bool:
            lines = ("-C", "-t", topic, "-o", NEWEST, "-e", "-q", "-f", "%k\t%h\t%s\n")
            found[:] = filter(wanted, map(_message, (await self._run(*lines)).splitlines()))
            return bool(found)

        await eventually(look, f"the message is in {topic}")
        return found

    async def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        process = await asyncio.create_subprocess_exec(
            *("kcat", "-b", self.bootstrap, "-X", "topic.partitioner=murmur2_random", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(stdin)
        assert process.returncode == 0
        return output


def _message(line: bytes) -> Message:
    key, headers, value = line.decode().split("\t", 2)
    named = dict(header.split("=", 1) for header in headers.split(","))
    return Message(key, named, json.loads(value))


async def test_kcat_publishes_commands_and_reads_results_and_events(
    stack: RunningStack, curl: Curl
) -> None:
    kcat = Kcat(stack.sandbox["KAFKA_BOOTSTRAP"], stack.sandbox["TENANT_ID"])
    customer, opening, crediting = uuid4().hex, f"open-{uuid4()}", f"credit-{uuid4()}"
    await kcat.publish(
        "create_wallet", customer, opening, {"customer_id": customer, "currency": "GHS"}
    )
    (opened,) = await kcat.find("ledger.command-results", lambda each: each.key == opening)
    assert opened.value["status"] == "accepted"
    wallet = opened.value["wallet"]["id"]
    assert opened.headers["ce_causationid"] == opening
    assert opened.headers["ce_correlationid"] == f"correlation-of-{opening}"

    credit = {"wallet_id": wallet, "amount": 250, "description": "hi", "reference": crediting}
    await kcat.publish("credit_wallet", wallet, crediting, credit)
    (credited,) = await kcat.find("ledger.command-results", lambda each: each.key == crediting)
    assert credited.value["transaction"]["balance_after"] == 250

    events = await kcat.find("ledger.events", lambda each: each.key == wallet)
    assert [event.headers["ce_type"] for event in events] == [
        "ledger.wallet.opened.v1",
        "ledger.wallet.credited.v1",
    ]
    headers = events[1].headers
    assert (headers["ce_specversion"], headers["ce_subject"]) == ("1.0", wallet)
    assert headers["ce_source"] == f"/ledger/{kcat.tenant_id}"
    assert (headers["ce_version"], headers["ce_causationid"]) == ("2", crediting)
    assert headers["ce_who"] == "kafka:/kcat"
    assert (events[1].value["amount"], events[1].value["balance_after"]) == (250, 250)

    shown = await curl.get(f"/wallets/{wallet}")
    assert (shown.status, shown.json["balance"], shown.json["customer_id"]) == (200, 250, customer)
    (line,) = (await curl.get(f"/wallets/{wallet}/transactions")).json["data"]
    assert line["id"] == credited.value["transaction"]["id"]


async def test_what_cannot_be_read_is_rejected(stack: RunningStack) -> None:
    kcat = Kcat(stack.sandbox["KAFKA_BOOTSTRAP"], stack.sandbox["TENANT_ID"])
    command_id = f"bad-{uuid4()}"
    await kcat.publish("debit_wallet", "any", command_id, {"amount": "much"})
    (rejected,) = await kcat.find("ledger.commands.rejected", lambda each: each.key == command_id)
    assert rejected.value["reason"] == "invalid_command"
    assert rejected.value["topic"] == "ledger.commands"


def _client(stack: RunningStack) -> CommandClient:
    sandbox = stack.sandbox
    return CommandClient(sandbox["KAFKA_BOOTSTRAP"], sandbox["TENANT_ID"], "/end-to-end")


async def _opened(client: CommandClient, credit: int) -> str:
    created = await client.execute(
        CreateWallet(customer_id=uuid4().hex, currency="GHS"), timeout_s=PATIENCE_S
    )
    assert created.wallet is not None
    await client.execute(
        CreditWallet(wallet_id=created.wallet.id, amount=credit, reference=uuid4().hex)
    )
    return created.wallet.id


async def test_our_client_gets_what_http_shows(stack: RunningStack, curl: Curl) -> None:
    async with _client(stack) as client:
        wallet = await _opened(client, 1000)
        debited = await client.execute(
            DebitWallet(wallet_id=wallet, amount=300, reference=uuid4().hex, description="out")
        )
        frozen = await client.execute(FreezeWallet(wallet_id=wallet))
        declined = await client.execute(
            DebitWallet(wallet_id=wallet, amount=1, reference=uuid4().hex)
        )
        with pytest.raises(CommandRejectedError, match="amount"):
            await client.execute(DebitWallet(wallet_id=wallet, amount=0, reference="r"))
    assert debited.transaction is not None
    assert frozen.wallet is not None
    assert (frozen.wallet.status, frozen.wallet.balance) == ("frozen", 700)
    assert (declined.status, type(declined.rejection).__name__) == ("declined", "WalletFrozen")
    newest, _ = (await curl.get(f"/wallets/{wallet}/transactions")).json["data"]
    assert _says_the_same(newest, debited)
    assert (await curl.get(f"/wallets/{wallet}")).json["status"] == "frozen"


async def test_a_debit_that_comes_by_http_and_by_kafka_has_one_effect(
    stack: RunningStack, curl: Curl
) -> None:
    """Whichever is first, and also when both come at once."""
    async with _client(stack) as client:
        wallet = await _opened(client, 1000)

        async def by_http(reference: str) -> Reply:
            body = {"amount": 10, "description": "once", "reference": reference}
            return await curl.post(f"/wallets/{wallet}/debit", body)

        async def by_kafka(reference: str, amount: int = 10) -> CommandResult:
            return await client.execute(
                DebitWallet(
                    wallet_id=wallet, amount=amount, description="once", reference=reference
                )
            )

        first, second, third = (uuid4().hex for _ in range(3))
        http, kafka = await by_http(first), await by_kafka(first)
        assert "Idempotent-Replayed" not in http.headers
        _check_same(http, kafka)
        reused = await by_kafka(first, amount=11)

        kafka, http = await by_kafka(second), await by_http(second)
        assert http.headers["Idempotent-Replayed"] == "true"
        _check_same(http, kafka)

        _check_same(*await asyncio.gather(by_http(third), by_kafka(third)))
    assert isinstance(reused.rejection, ReferenceReused)
    assert (await curl.get(f"/wallets/{wallet}")).json["balance"] == 1000 - 3 * 10


async def test_a_decline_that_comes_by_http_is_frozen_for_kafka_too(
    stack: RunningStack, curl: Curl
) -> None:
    key, reference = f"key-{uuid4()}", uuid4().hex
    async with _client(stack) as client:
        wallet = await _opened(client, 5)
        body = {"amount": 6, "reference": reference}
        declined = await curl.post(f"/wallets/{wallet}/debit", body, f"Idempotency-Key: {key}")
        assert (declined.status, declined.code) == (409, "insufficient_funds")
        await client.execute(CreditWallet(wallet_id=wallet, amount=100, reference=uuid4().hex))
        debit = DebitWallet(wallet_id=wallet, amount=6, reference=reference)
        replayed = await client.execute(debit, command_id=key)
        assert replayed.status == "declined"
        assert replayed.transaction is not None
        assert replayed.transaction.id == declined.json["transaction_id"]
        assert (await client.execute(debit)).status == "accepted"


def _check_same(http: Reply, kafka: CommandResult) -> None:
    assert (http.status, kafka.status) == (200, "accepted")
    assert _says_the_same(http.json, kafka)


def _says_the_same(shown: dict[str, Any], result: CommandResult) -> bool:
    """Whether the transaction over HTTP has every field of the one over Kafka."""
    assert result.transaction is not None
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result.transaction))
    # The version travels as ETag; and times are spelled with microseconds over HTTP.
    del told["version"]
    told["held_amount"] = told.pop("held_after")
    # What was reversed of it since is not the command's, it is the query's.
    told["reversed_amount"] = 0
    return {**shown, "created_at": None} == {**told, "created_at": None}
