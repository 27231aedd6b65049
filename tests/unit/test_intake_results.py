"""What the intake answers: results and rejections as messages."""

from hashlib import sha256

import msgspec

from ledger.command_handling.submission import Submission
from schemas.commands import FreezeWallet
from schemas.results import CommandResult, RejectedMessage
from services.intake.messages import Refusal
from services.intake.results import EVENT_ID_BYTES, Place, rejected_reply, result_reply

TENANT = "0197f3c2-5a10-7c44-9d0e-6f2b8a1c3e57"
RANDOM = bytes(range(EVENT_ID_BYTES))
FREEZE = Submission(
    tenant_id=TENANT,
    command=FreezeWallet(wallet_id="wal_" + "0a" * 16),
    command_id="cmd-1",
    who="kafka:/billing",
    correlation_id="req-7",
)


def test_a_result_is_keyed_by_its_command_and_says_whose_it_is() -> None:
    result = CommandResult(status="accepted", position=7)
    first = result_reply(FREEZE, result, replayed=False, random_bytes=RANDOM)
    again = result_reply(FREEZE, result, replayed=True, random_bytes=RANDOM)
    assert first.key == b"cmd-1"
    assert msgspec.json.decode(first.value, type=CommandResult) == result
    assert dict(first.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"00010203-0405-4607-a809-0a0b0c0d0e0f",
        "ce_source": f"/ledger/{TENANT}".encode(),
        "ce_type": b"ledger.command_result.v1",
        "ce_tenantid": TENANT.encode(),
        "ce_causationid": b"cmd-1",
        "ce_correlationid": b"req-7",
        "ce_replayed": b"false",
        "content-type": b"application/json",
    }
    assert dict(again.headers)["ce_replayed"] == b"true"
    assert again.value == first.value


def test_a_rejection_names_the_message_and_never_repeats_it() -> None:
    refusal = Refusal(
        reason="invalid_command", detail="amount: is required", command_id="cmd-1", tenant_id=TENANT
    )
    value = b'{"wallet_id": "hunter2"}'
    reply = rejected_reply(refusal, Place("commands", 3, 42), value, random_bytes=RANDOM)
    assert msgspec.json.decode(reply.value, type=RejectedMessage) == RejectedMessage(
        topic="commands",
        partition=3,
        offset=42,
        reason="invalid_command",
        detail="amount: is required",
        sha256=sha256(value).hexdigest(),
    )
    assert reply.key == b"cmd-1"
    assert dict(reply.headers)["ce_causationid"] == b"cmd-1"
    assert dict(reply.headers)["ce_tenantid"] == TENANT.encode()


def test_a_rejection_without_a_command_id_is_keyed_by_its_place() -> None:
    refusal = Refusal(reason="missing_command_id", detail="ce_id: is required")
    reply = rejected_reply(refusal, Place("commands", 3, 42), None, random_bytes=RANDOM)
    assert reply.key == b"commands/3/42"
    assert "ce_causationid" not in dict(reply.headers)
    assert msgspec.json.decode(reply.value, type=RejectedMessage).sha256 == ""
