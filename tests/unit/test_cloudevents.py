"""An event of the log as a Kafka message, header by header."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.envelope import decode_hash, decode_message
from schemas.events import EventMetadata
from schemas.identifiers import StreamKey
from services.publish_schemas.headers import HEADER_SETS
from services.relay.cloudevents import LogRow, Message, MessageEncoder

TENANT = UUID("7d7c1f0e-54d0-4c3c-9a55-1de1f1a5c0de")
WALLET = UUID("0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a")
EVENT = UUID("0197a6a2-5f3c-7c11-a0ac-3f6a1d3a0b0c")
RECORDED_AT = datetime(2026, 5, 24, 10, 0, 0, 1, tzinfo=UTC)
DATA = b'{"type":"wallet.debited", "amount":500}'

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=50)


def sent_time(at: datetime) -> bytes:
    """A timestamptz as PostgreSQL sends it."""
    since_2000 = at - datetime(2000, 1, 1, tzinfo=UTC)
    return (since_2000 // timedelta(microseconds=1)).to_bytes(8, "big", signed=True)


def row(
    metadata: EventMetadata, *, recorded_at: datetime = RECORDED_AT, position: int = 1234
) -> LogRow:
    return LogRow(
        position=position,
        tenant_id=TENANT.bytes,
        stream_id=WALLET.bytes,
        version=7,
        event_id=str(EVENT).encode(),
        type="wallet.debited",
        schema_version=1,
        data=DATA,
        metadata=msgspec.json.encode(metadata),
        recorded_at=sent_time(recorded_at),
        hash=bytes(range(32)),
    )


def encode(*rows: LogRow) -> list[Message]:
    encoder = MessageEncoder(lambda key: len(key) % 7)
    return [encoder.encode(one) for one in rows]


def test_a_message_has_every_attribute_of_the_event() -> None:
    metadata = EventMetadata(who="client:k1", correlation_id="req-1", causation_id="cmd-1")

    (message,) = encode(row(metadata))

    assert message.key == b"wal_" + b"0a" * 16
    assert message.partition == len(message.key) % 7
    assert message.value == DATA, "the event's JSON is passed on verbatim"
    assert message.headers == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"0197a6a2-5f3c-7c11-a0ac-3f6a1d3a0b0c"),
        ("ce_source", b"/ledger/7d7c1f0e-54d0-4c3c-9a55-1de1f1a5c0de"),
        ("ce_type", b"ledger.wallet.debited.v1"),
        ("ce_subject", b"wal_" + b"0a" * 16),
        ("ce_time", b"2026-05-24T10:00:00.000001Z"),
        ("ce_tenantid", b"7d7c1f0e-54d0-4c3c-9a55-1de1f1a5c0de"),
        ("ce_position", b"1234"),
        ("ce_version", b"7"),
        ("ce_hash", bytes(range(32)).hex().encode()),
        ("ce_who", b"client:k1"),
        ("content-type", b"application/json"),
        ("ce_correlationid", b"req-1"),
        ("ce_causationid", b"cmd-1"),
    ]


def test_an_event_of_a_tenants_own_stream_is_keyed_by_that_stream() -> None:
    done = row(EventMetadata(who="operator:ama"))._replace(
        stream_id=TENANT.bytes, type="tenant.credential_revoked"
    )

    (message,) = encode(done)

    assert message.key == b"ten_" + TENANT.hex.encode()
    headers = {name: value.decode() for name, value in message.headers}
    jsonschema.validate(headers, HEADER_SETS["tenant-events"])
    with pytest.raises(jsonschema.ValidationError, match="wal_"):
        jsonschema.validate(headers, HEADER_SETS["events"])


def test_attributes_that_the_event_lacks_are_left_out() -> None:
    (message,) = encode(row(EventMetadata(who="client:k1")))

    names = [name for name, _ in message.headers]

    assert "ce_correlationid" not in names
    assert "ce_causationid" not in names


def test_the_headers_are_as_the_published_schema_has_them() -> None:
    (message,) = encode(row(EventMetadata(who="client:k1", correlation_id="req-1")))

    headers = {name: value.decode() for name, value in message.headers}

    jsonschema.validate(headers, HEADER_SETS["events"])
    assert headers.keys() <= HEADER_SETS["events"]["properties"].keys()


@given(
    who=texts,
    correlation_id=st.none() | texts,
    recorded_at=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants bounds without zone
)
def test_what_is_encoded_is_what_a_projection_decodes(
    who: str, correlation_id: str | None, recorded_at: datetime
) -> None:
    metadata = EventMetadata(who=who, correlation_id=correlation_id)

    (message,) = encode(row(metadata, recorded_at=recorded_at))

    decoded = decode_message(message.key, message.value, message.headers)
    assert decoded.position == 1234
    assert decoded.wallet == StreamKey(str(TENANT), "wal_" + WALLET.hex)
    assert decoded.version == 7
    assert decoded.event_id == str(EVENT)
    assert (decoded.type, decoded.schema_version) == ("wallet.debited", 1)
    assert decoded.data == DATA
    assert decoded.recorded_at == recorded_at
    assert decode_hash(message.headers) == bytes(range(32))
    headers = dict(message.headers)
    assert headers["ce_who"].decode() == who
    assert headers.get("ce_correlationid") == (correlation_id and correlation_id.encode())


def test_what_is_remembered_of_one_event_does_not_leak_into_the_next() -> None:
    """Times, callers and types are made once and used again: each must still be its own."""
    later = RECORDED_AT + timedelta(seconds=1)
    rows = [
        row(EventMetadata(who="client:a"), position=1),
        row(EventMetadata(who="client:b"), position=2, recorded_at=later),
        row(EventMetadata(who="client:a"), position=3),
    ]

    together = encode(*rows)

    assert together == [message for one in rows for message in encode(one)]
