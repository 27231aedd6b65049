"""Bodies and queries, read and judged without any wallet."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from ledger.command_handling.gate import json_problem
from schemas.commands import NO_METADATA, TransferTo
from schemas.http.problems import PROBLEMS
from services.gateway import bodies
from services.gateway.credit_wallets.wishes import read_wish
from services.gateway.cursors import BrokenCursorError, make_cursor, read_cursor
from services.gateway.problems import RefusedError
from services.gateway.request_ids import RequestIds
from services.gateway.requests import read_body

LARGEST = 2**53 - 1
HALF = "is not valid JSON: it has a lone surrogate, which is half a character"
WALLET_ID = "wal_" + "0a" * 16
READERS: list[bodies.BodyReader[Any]] = [
    bodies.read_create,
    bodies.read_credit,
    bodies.read_debit,
    bodies.read_freeze,
    bodies.read_unfreeze,
    bodies.read_close,
    bodies.read_hold,
    bodies.read_capture,
    bodies.read_transfer,
    bodies.read_reverse,
    bodies.read_nothing,
]
FIELDS = [
    *("customer_id", "currency", "metadata", "amount", "reference", "description", "expires_at"),
    *("scope", "reason", "remaining_balance", "final", "allow_negative", "from", "to", "else"),
]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def test_a_debit_with_everything() -> None:
    body = b'{"amount":9007199254740991,"reference":"r","description":"d","metadata":{"a": 1}}'
    asked = bodies.read_debit(body)
    assert (asked.amount, asked.reference, asked.description) == (LARGEST, "r", "d")
    assert bytes(asked.metadata) == b'{"a": 1}'


@pytest.mark.parametrize(
    "body",
    [
        b'{"amount":1,"reference":"r"}',
        b'{"amount":1,"reference":"r","metadata":null,"expires_at":null}',
        b' {"amount":1,"reference":"r","more":{"a":[1,2]}} ',
    ],
)
def test_what_is_optional(body: bytes) -> None:
    asked = bodies.read_debit(body)
    assert (asked.amount, asked.description, asked.metadata) == (1, "", NO_METADATA)


def test_metadata_may_nest_as_deep_as_over_kafka() -> None:
    for depth, fits in ((32, True), (33, False)):
        metadata = b'{"a":' * depth + b"1" + b"}" * depth
        body = b'{"customer_id":"c","currency":"GHS","metadata":%s}' % metadata
        if fits:
            bodies.read_create(body)
        else:
            with pytest.raises(RefusedError, match="malformed_request"):
                bodies.read_create(body)


def test_metadata_of_the_largest_size() -> None:
    for size, fits in ((32 * 1024, True), (32 * 1024 + 1, False)):
        metadata = b'{"a":"' + b"x" * (size - 8) + b'"}'
        body = b'{"customer_id":"c","currency":"GHS","metadata":%s}' % metadata
        if fits:
            assert bytes(bodies.read_create(body).metadata) == metadata
        else:
            with pytest.raises(RefusedError, match="validation_failed"):
                bodies.read_create(body)


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (bodies.read_debit, b'{"amount":1,"amount":2,"reference":"r"}'),
        (bodies.read_debit, b'{"amount":1,"reference":"r", "amount" : 1}'),
        (bodies.read_debit, b'{"amount":0,"amount":2,"reference":"r"}'),
        (bodies.read_debit, b'{"amount":2,"amount":0,"reference":"r"}'),
        (bodies.read_debit, b'{"amount":1,"\\u0061mount":2,"reference":"r"}'),
        (bodies.read_debit, b'{"amount":1,"amount":2,"reference":"r"}' + b" " * 1000),
        (bodies.read_create, b'{"customer_id":"a","customer_id":"b","currency":"GHS"}'),
        (bodies.read_close, b'{"remaining_balance":null,"remaining_balance":"forfeit"}'),
        (bodies.read_credit, b'{"amount":1,"reference":"r","metadata":{},"metadata":{}}'),
    ],
)
def test_a_member_that_comes_twice_is_malformed(read: bodies.BodyReader[Any], body: bytes) -> None:
    refused = refusal(read, body)
    assert refused is not None
    assert (refused.code, refused.detail) == ("malformed_request", "is there twice")
    assert refused.param is not None
    assert refused.param.encode() in body


@pytest.mark.parametrize(
    "more",
    [
        b'"description":"amount"',
        b'"description":"\\"amount\\":"',
        b'"metadata":{"amount":1,"reference":{"amount":"amount"}}',
        b'"x":1,"x":2',
        b'"description":"caf\\u00e9"',
        b'"description":"' + b"d" * 1000 + b'"',
    ],
)
def test_a_name_may_come_again_as_anything_but_a_member(more: bytes) -> None:
    asked = bodies.read_debit(b'{"amount":1,"reference":"r",%s}' % more)
    assert asked.amount == 1


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'{"amount":', "is not valid JSON"),
        (b'{"amount":1,"reference":"\\ud83d"}', HALF),
        (b'{"amount":1,"reference":"\\ude00"}', HALF),
        (b'{"amount":1,"reference":"\\ud83d\\ud83d\\ude00"}', HALF),
        (b'{"amount":1,"reference":"\\\\\\ud83d and more"}', HALF),
        (b'{"amount":1,"reference":"\\ud83d\\\\\\ude00"}', HALF),
        (b'{"amount":1,"reference":"\\\\ud83d",}', "is not valid JSON"),
        (b'{"amount":1,"reference":"\\ud83d\\ude00",}', "is not valid JSON"),
        (b'{"amount":1e999,"reference":"r"}', "has a number that no double can hold"),
        (b'{"amount":1,"reference":"\xff"}', "is not UTF-8"),
    ],
)
def test_why_a_body_cannot_be_read(body: bytes, what: str) -> None:
    """Alone, or as a command of a batch, whose type cannot be read either."""
    with pytest.raises(RefusedError) as refused:
        bodies.read_debit(body)
    assert (refused.value.code, refused.value.detail) == ("malformed_request", f"the body {what}")
    assert json_problem(body) == what


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'{"type":', "it is not valid JSON"),
        (b'{"type":"\\ud83d"}', f"it {HALF}"),
        (b'{"type":1e999}', "it has a number that no double can hold"),
        (b'{"type":"\xff"}', "it is not UTF-8"),
        (b'{"type":"void","\xff":1}', "it is not UTF-8"),
        (b"[]", "it is JSON, but not an object"),
        (b'{"type":"void","type":"capture"}', "is there twice"),
        (b'{"type":"void","hold_id":"a","hold_id":"b"}', "is there twice"),
        (b'{"type":"debit","wallet_id":"a","wallet_id":"b"}', "is there twice"),
        (
            b'{"type":"reverse","transaction_id":"a","transaction_id":"b"}',
            "is there twice",
        ),
        (b'{"type":"create","type":"create"}', "is there twice"),
    ],
)
def test_why_a_command_of_a_batch_cannot_be_read(body: bytes, what: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_wish(body)
    assert (refused.value.code, refused.value.detail) == ("malformed_request", what)


def test_metadata_that_is_kept_does_not_keep_the_body() -> None:
    asked = bodies.read_debit(b'{"amount":1,"reference":"r","metadata":{"a":1}}')
    kept = bodies.kept(asked.metadata)
    assert kept == asked.metadata
    assert kept is not asked.metadata


@pytest.mark.parametrize("body", [b"", b"{}", b'{"remaining_balance":null}', b'{"other":1}'])
def test_closing_needs_no_body(body: bytes) -> None:
    assert bodies.read_close(body).remaining_balance is None


def test_closing_may_forfeit() -> None:
    assert bodies.read_close(b'{"remaining_balance":"forfeit"}').remaining_balance == "forfeit"


def test_closing_may_send_the_rest_elsewhere() -> None:
    asked = bodies.read_close(b'{"remaining_balance":{"transfer_to":"%s"}}' % WALLET_ID.encode())
    assert asked.remaining_balance == TransferTo(transfer_to=WALLET_ID)


@pytest.mark.parametrize("read", READERS)
def test_bodies_that_may_be_left_out(read: bodies.BodyReader[Any]) -> None:
    """An empty body is the same as an empty object; where that is refused, so is no body."""
    if refusal(read, b"{}") is None:
        assert msgspec.structs.astuple(read(b"")) == msgspec.structs.astuple(read(b"{}"))
    else:
        refused = refusal(read, b"")
        assert refused is not None
        assert refused.code == "malformed_request"


def test_freezing_says_what_and_why() -> None:
    asked = bodies.read_freeze(b'{"scope":"all","reason":"stolen"}')
    assert (asked.scope, asked.reason) == ("all", "stolen")
    assert (bodies.read_freeze(b"").scope, bodies.read_freeze(b"").reason) == ("debits", None)
    assert bodies.read_unfreeze(b'{"reason":"found"}').reason == "found"


def test_a_capture_may_say_nothing_or_all() -> None:
    asked = bodies.read_capture(b'{"amount":null,"reference":null}')
    assert (asked.amount, asked.final, asked.reference) == (None, False, None)
    asked = bodies.read_capture(b'{"amount":5,"final":true,"reference":"r","description":"d"}')
    assert (asked.amount, asked.final, asked.reference) == (5, True, "r")


def test_a_transfer_names_two_wallets() -> None:
    body = {"from": WALLET_ID, "to": WALLET_ID, "amount": 5, "reference": "r"}
    asked = bodies.read_transfer(msgspec.json.encode(body))
    assert (asked.from_wallet_id, asked.to_wallet_id) == (WALLET_ID, WALLET_ID)
    for spoiled in (WALLET_ID + "\n", WALLET_ID.upper(), "", None, 5):
        refused = refusal(bodies.read_transfer, msgspec.json.encode(body | {"to": spoiled}))
        assert refused is not None
        assert (refused.code, refused.param) == ("validation_failed", "to")


@pytest.mark.parametrize("read", [bodies.read_credit, bodies.read_hold])
def test_what_expires_is_utc(read: bodies.BodyReader[Any]) -> None:
    asked = read(b'{"amount":1,"reference":"r","expires_at":"2030-01-01T02:00:00+02:00"}')
    assert bodies.expiry(asked.expires_at) == datetime(2030, 1, 1, tzinfo=UTC)
    asked = read(b'{"amount":1,"reference":"r","expires_at":null}')
    assert bodies.expiry(asked.expires_at) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"amount":"5","amount":5,"reference":"r"}',
        b'{"amount":1,"reference":"","reference":"r"}',
    ],
)
def test_a_member_that_is_first_wrong_and_then_right(body: bytes) -> None:
    refused = refusal(bodies.read_debit, body)
    assert refused is not None
    assert refused.code == "malformed_request"


@given(
    read=st.sampled_from(READERS),
    body=st.dictionaries(
        st.sampled_from(FIELDS),
        json_values
        | st.sampled_from(["GHS", "all", "forfeit", "2030-01-01", WALLET_ID])
        | st.fixed_dictionaries({"transfer_to": st.just(WALLET_ID) | json_values}),
    ),
)
def test_any_json_object_is_taken_or_refused(
    read: bodies.BodyReader[Any], body: dict[str, object]
) -> None:
    """Whatever the fields hold, there is a reason: the slow path agrees with the fast one."""
    text = msgspec.json.encode(body)
    refused = refusal(read, text)
    if refused is None:
        asked = read(text)
        for field in msgspec.structs.fields(asked):
            if field.encode_name in body and field.name != "metadata":
                expected = body[field.encode_name]
                shown = msgspec.to_builtins(getattr(asked, field.name))
                assert shown == expected
    else:
        assert PROBLEMS[refused.code].status in (400, 422)
        assert refused.param or refused.code == "malformed_request"


@given(body=st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_taken_or_refused(body: bytes) -> None:
    for read in READERS:
        refused = refusal(read, body)
        assert refused is None or PROBLEMS[refused.code].status in (400, 422)


def refusal(read: Callable[[bytes], object], body: bytes) -> RefusedError | None:
    """Why a body is refused, if it is; any other error is a failure of the test."""
    try:
        read(body)
    except RefusedError as refused:
        return refused
    return None


@given(
    kind=st.sampled_from(["wallets", "transactions"]),
    filters=st.tuples(st.text(), st.none() | st.text()),
    after=st.integers(min_value=1, max_value=2**63 - 1),
)
def test_a_cursor_leads_back_to_its_entry(
    kind: str, filters: tuple[str, str | None], after: int
) -> None:
    cursor = make_cursor(kind, filters, after)
    assert read_cursor(cursor, kind, filters) == after
    for other_kind, other_filters in (("other", filters), (kind, (*filters, "x"))):
        with pytest.raises(BrokenCursorError):
            read_cursor(cursor, other_kind, other_filters)


@given(text=st.text(max_size=200) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_any_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(BrokenCursorError):
        read_cursor(text, "wallets", ("tenant",))


@pytest.mark.parametrize("after", [0, -1, 2**63, 2**80])
def test_a_cursor_has_an_entry_that_can_be(after: int) -> None:
    with pytest.raises(BrokenCursorError):
        read_cursor(make_cursor("wallets", (), after), "wallets", ())


def test_request_ids_differ_unless_an_idempotency_key_names_the_call() -> None:
    ids, others = RequestIds(bytes(8)), RequestIds(bytes([1] * 8))
    made = {ids.make(None), ids.make(None), others.make(None), others.make(None)}
    assert len(made) == 4
    assert ids.make("key") == others.make("key") != ids.make("other key")


async def test_a_client_that_is_gone_before_its_body_is_read_is_no_fault_of_ours() -> None:
    """All had come with the head; the client went away while its credentials were looked up."""
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), 2**16, loop=loop)
    content.feed_data(b'{"amount":1,"reference":"r"}')
    content.feed_eof()
    content.set_exception(ConnectionResetError("Connection lost"))
    request = make_mocked_request("POST", "/", payload=content)
    assert request.content.is_eof()
    with pytest.raises(RefusedError, match="malformed_request: the body is broken off"):
        await read_body(request)
