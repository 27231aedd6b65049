"""An event of the log as a Kafka message: CloudEvents 1.0 in binary mode. Pure.

Attributes travel as headers, the event's own JSON is the value, verbatim; the key is the
stream, a wallet's or a tenant's own. The relay spends most of its time here, so what repeats is
made once: a tenant's, a type's, a stream's headers, and the time that all events of one append
share.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from schemas.events import EventMetadata

Header = tuple[str, bytes]

CONTENT_TYPE: Header = ("content-type", b"application/json")
SPEC_VERSION: Header = ("ce_specversion", b"1.0")

_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_REMEMBERED_LIMIT = 100_000


class LogRow(NamedTuple):
    """A row of sql/read_page.sql: columns as PostgreSQL sends them, not as Python has them."""

    position: int
    tenant_id: bytes
    """The sixteen bytes of the UUID, as in `stream_id`."""
    stream_id: bytes
    version: int
    event_id: bytes
    """The UUID's text: no event repeats it, so PostgreSQL writes it faster."""
    type: str
    schema_version: int
    data: bytes
    metadata: bytes
    recorded_at: bytes
    """Microseconds since 2000 as eight bytes, big-endian."""
    hash: bytes


class Message(NamedTuple):
    """What Kafka gets, and the partition where it belongs."""

    partition: int
    key: bytes
    value: bytes
    headers: list[Header]


class _Stream(NamedTuple):
    partition: int
    key: bytes
    subject: Header


class _Tenant(NamedTuple):
    source: Header
    id: Header


class MessageEncoder:
    """Makes messages of rows. `partition_of` maps a key to its partition."""

    def __init__(self, partition_of: Callable[[bytes], int]) -> None:
        self._partition_of = partition_of
        self._streams: dict[bytes, _Stream] = {}
        self._tenants: dict[bytes, _Tenant] = {}
        self._types: dict[tuple[str, int], Header] = {}
        self._who: dict[str, Header] = {}
        self._decode_metadata = msgspec.json.Decoder(EventMetadata).decode
        self._recorded_at = b""
        self._time: Header = ("ce_time", b"")

    def encode(self, row: LogRow) -> Message:
        """The message of one row."""
        (
            position,
            tenant_id,
            stream_id,
            version,
            event_id,
            type_name,
            schema_version,
            data,
            metadata_json,
            recorded_at,
            digest,
        ) = row
        stream = self._streams.get(stream_id) or self._meet_stream(tenant_id, stream_id)
        tenant = self._tenants.get(tenant_id) or self._meet_tenant(tenant_id)
        kind = self._types.get((type_name, schema_version)) or self._meet_type(
            type_name, schema_version
        )
        if recorded_at != self._recorded_at:
            self._recorded_at = recorded_at
            self._time = ("ce_time", _rfc3339(recorded_at))
        metadata = self._decode_metadata(metadata_json)
        headers = [
            SPEC_VERSION,
            ("ce_id", event_id),
            tenant.source,
            kind,
            stream.subject,
            self._time,
            tenant.id,
            ("ce_position", b"%d" % position),
            ("ce_version", b"%d" % version),
            ("ce_hash", digest.hex().encode()),
            self._who.get(metadata.who) or self._meet_who(metadata.who),
            CONTENT_TYPE,
        ]
        if metadata.correlation_id is not None:
            headers.append(("ce_correlationid", metadata.correlation_id.encode()))
        if metadata.causation_id is not None:
            headers.append(("ce_causationid", metadata.causation_id.encode()))
        return Message(stream.partition, stream.key, data, headers)

    def _meet_stream(self, tenant_id: bytes, stream_id: bytes) -> _Stream:
        # A tenant's own stream has the tenant's id.
        prefix = b"ten_" if stream_id == tenant_id else b"wal_"
        key = prefix + stream_id.hex().encode()
        stream = _Stream(self._partition_of(key), key, ("ce_subject", key))
        _make_room(self._streams)
        self._streams[stream_id] = stream
        return stream

    def _meet_tenant(self, tenant_id: bytes) -> _Tenant:
        text = str(UUID(bytes=tenant_id)).encode()
        tenant = _Tenant(("ce_source", b"/ledger/" + text), ("ce_tenantid", text))
        _make_room(self._tenants)
        self._tenants[tenant_id] = tenant
        return tenant

    def _meet_type(self, type_name: str, schema_version: int) -> Header:
        header = ("ce_type", f"ledger.{type_name}.v{schema_version}".encode())
        self._types[type_name, schema_version] = header
        return header

    def _meet_who(self, who: str) -> Header:
        header = ("ce_who", who.encode())
        _make_room(self._who)
        self._who[who] = header
        return header


def _make_room(remembered: dict[Any, Any]) -> None:
    """Forget all when there is too much: it is quickly learnt again."""
    if len(remembered) >= _REMEMBERED_LIMIT:
        remembered.clear()


def _rfc3339(recorded_at: bytes) -> bytes:
    """UTC with microseconds and `Z`."""
    at = _POSTGRES_EPOCH + timedelta(microseconds=int.from_bytes(recorded_at, "big", signed=True))
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()
