"""Messages of the events topic, as a projection reads them."""

import pytest

from projections.envelope import decode_hash, decode_message
from projections.interface import UnreadableEventError
from tests.specs.event_factory import EventFactory, message_of, projected


def test_a_message_is_the_event_that_was_published() -> None:
    factory = EventFactory()
    factory.history(wallet_count=3, event_count=50)
    for event in factory.take():
        key, value, headers = message_of(event)
        decoded = decode_message(key, value, headers)
        expected = projected(event)
        assert decoded.event_id.replace("-", "") == expected.event_id
        assert decoded.data == event.data.encode(), "verbatim"
        assert (decoded.position, decoded.wallet, decoded.version, decoded.recorded_at) == (
            expected.position,
            expected.wallet,
            expected.version,
            expected.recorded_at,
        )
        assert (decoded.type, decoded.schema_version) == (expected.type, expected.schema_version)
        assert decode_hash(headers) == event.hash


@pytest.mark.parametrize(
    "missing", ["ce_id", "ce_type", "ce_time", "ce_tenantid", "ce_position", "ce_version"]
)
def test_a_message_without_an_attribute_is_unreadable(missing: str) -> None:
    factory = EventFactory()
    factory.open()
    key, value, headers = message_of(factory.take()[0])
    with pytest.raises(UnreadableEventError):
        decode_message(key, value, [header for header in headers if header[0] != missing])


@pytest.mark.parametrize(
    ("name", "text"),
    [("ce_type", b"ledger.wallet.opened"), ("ce_position", b"one"), ("ce_time", b"yesterday")],
)
def test_a_message_with_a_strange_attribute_is_unreadable(name: str, text: bytes) -> None:
    factory = EventFactory()
    factory.open()
    key, value, headers = message_of(factory.take()[0])
    with pytest.raises(UnreadableEventError):
        decode_message(key, value, [*headers, (name, text)])


def test_a_message_without_key_value_or_hash_is_unreadable() -> None:
    factory = EventFactory()
    factory.open()
    key, value, headers = message_of(factory.take()[0])
    with pytest.raises(UnreadableEventError):
        decode_message(None, value, headers)
    with pytest.raises(UnreadableEventError):
        decode_message(key, None, headers)
    with pytest.raises(UnreadableEventError):
        decode_hash([("ce_id", b"")])
