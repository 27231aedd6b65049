"""Reads a message of the events topic: CloudEvents 1.0 in binary mode. Pure.

Only the attributes that a projection needs are decoded; types and times repeat within a
batch, so each is parsed once.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from projections.events import ProjectedEvent, UnreadableEventError
from schemas.identifiers import StreamKey

_PREFIX = "ledger."


class _EventType(NamedTuple):
    name: str
    schema_version: int


def decode_message(
    key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> ProjectedEvent:
    """The event of one message. Raises `UnreadableEventError`."""
    attributes = dict(headers)
    try:
        event_type = _event_type(attributes["ce_type"])
        return ProjectedEvent(
            position=int(attributes["ce_position"]),
            wallet=_wallet_key(attributes["ce_tenantid"], key),
            version=int(attributes["ce_version"]),
            event_id=attributes["ce_id"].decode(),
            type=event_type.name,
            schema_version=event_type.schema_version,
            data=_present(value),
            recorded_at=_time(attributes["ce_time"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        message = f"a message with the headers {sorted(attributes)} is not an event: {error!r}"
        raise UnreadableEventError(message) from error


def decode_hash(headers: Iterable[tuple[str, bytes]]) -> bytes:
    """The event's hash, which only checkpoints and `verify` need."""
    for name, value in headers:
        if name == "ce_hash":
            return bytes.fromhex(value.decode())
    message = "a message of the events topic has no ce_hash"
    raise UnreadableEventError(message)


@lru_cache(maxsize=1024)
def _event_type(text: bytes) -> _EventType:
    # ledger.wallet.debited.v1 is version 1 of wallet.debited.
    name, _, version = text.decode().removeprefix(_PREFIX).rpartition(".v")
    return _EventType(name, int(version))


@lru_cache(maxsize=65536)
def _wallet_key(tenant_id: bytes, wallet_id: bytes | None) -> StreamKey:
    return StreamKey(tenant_id.decode(), _present(wallet_id).decode())


@lru_cache(maxsize=1024)
def _time(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode())


def _present(part: bytes | None) -> bytes:
    if part is None:
        message = "key or value is missing"
        raise ValueError(message)
    return part
