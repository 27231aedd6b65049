"""Replies: results and rejections as CloudEvents messages in binary mode. Pure."""

from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import msgspec

from ledger.command_handling.submission import Submission
from schemas.results import CommandResult, RejectedMessage
from services.intake.messages import Refusal

EVENT_ID_BYTES = 16
"""How much randomness the CloudEvents id of one reply takes."""

Header = tuple[str, bytes]

_SPEC_VERSION: Header = ("ce_specversion", b"1.0")
_CONTENT_TYPE: Header = ("content-type", b"application/json")
_RESULT_TYPE: Header = ("ce_type", b"ledger.command_result.v1")
_REJECTED_TYPE: Header = ("ce_type", b"ledger.command_rejected.v1")
_REJECTED_SOURCE: Header = ("ce_source", b"/ledger/intake")
_FIRST: Header = ("ce_replayed", b"false")
_REPLAYED: Header = ("ce_replayed", b"true")

_encode = msgspec.json.Encoder().encode


class Reply(NamedTuple):
    """A message as it goes to Kafka; the partition follows from the key."""

    key: bytes
    value: bytes
    headers: list[Header]


class Place(NamedTuple):
    """Where a message stands."""

    topic: str
    partition: int
    offset: int


@lru_cache(maxsize=4096)
def _of_tenant(tenant_id: str) -> tuple[Header, Header]:
    return ("ce_source", f"/ledger/{tenant_id}".encode()), ("ce_tenantid", tenant_id.encode())


def _event_id(random_bytes: bytes) -> Header:
    """A UUIDv4 from sixteen random bytes, spelled with less work than `uuid` takes."""
    digits = random_bytes.hex()
    text = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
    return ("ce_id", text.encode())


def result_reply(
    submission: Submission, result: CommandResult, *, replayed: bool, random_bytes: bytes
) -> Reply:
    """What a command came to, keyed by its command id."""
    assert submission.command_id is not None, "a command from Kafka has an id"
    command_id = submission.command_id.encode()
    source, tenant = _of_tenant(submission.tenant_id)
    headers = [
        _SPEC_VERSION,
        _event_id(random_bytes),
        source,
        _RESULT_TYPE,
        tenant,
        ("ce_causationid", command_id),
        _REPLAYED if replayed else _FIRST,
        _CONTENT_TYPE,
    ]
    if submission.correlation_id is not None:
        headers.append(("ce_correlationid", submission.correlation_id.encode()))
    return Reply(command_id, _encode(result), headers)


def rejected_reply(
    refusal: Refusal, place: Place, value: bytes | None, *, random_bytes: bytes
) -> Reply:
    """Why a message was not applied: where it stands and its SHA-256, never its bytes.

    The key is the command id where there is one, so that whoever waits for a result
    finds its rejection too; else it is the message's place.
    """
    rejected = RejectedMessage(
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        reason=refusal.reason,
        detail=refusal.detail,
        sha256="" if value is None else sha256(value).hexdigest(),
    )
    headers = [
        _SPEC_VERSION,
        _event_id(random_bytes),
        _REJECTED_SOURCE,
        _REJECTED_TYPE,
        _CONTENT_TYPE,
    ]
    key = f"{place.topic}/{place.partition}/{place.offset}".encode()
    if refusal.command_id is not None:
        key = refusal.command_id.encode()
        headers.append(("ce_causationid", key))
    if refusal.tenant_id is not None:
        headers.append(("ce_tenantid", refusal.tenant_id.encode()))
    if refusal.correlation_id is not None:
        headers.append(("ce_correlationid", refusal.correlation_id.encode()))
    return Reply(key, _encode(rejected), headers)
