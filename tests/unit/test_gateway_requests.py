"""Bodies and queries, read and judged without any wallet."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.commands import NO_METADATA
from schemas.http.problems import PROBLEMS
from services.gateway import requests
from services.gateway.cursors import BrokenCursorError, make_cursor, read_cursor
from services.gateway.problems import RefusedError
from services.gateway.request_ids import RequestIds

LARGEST = 2**53 - 1

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
    asked = requests.read_money(body)
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
    asked = requests.read_money(body)
    assert (asked.amount, asked.description, asked.metadata) == (1, "", NO_METADATA)


def test_metadata_may_nest_as_deep_as_over_kafka() -> None:
    for depth, fits in ((32, True), (33, False)):
        metadata = b'{"a":' * depth + b"1" + b"}" * depth
        body = b'{"customer_id":"c","currency":"GHS","metadata":%s}' % metadata
        if fits:
            requests.read_create(body)
        else:
            with pytest.raises(RefusedError, match="malformed_request"):
                requests.read_create(body)


def test_metadata_of_the_largest_size() -> None:
    for size, fits in ((32 * 1024, True), (32 * 1024 + 1, False)):
        metadata = b'{"a":"' + b"x" * (size - 8) + b'"}'
        body = b'{"customer_id":"c","currency":"GHS","metadata":%s}' % metadata
        if fits:
            assert bytes(requests.read_create(body).metadata) == metadata
        else:
            with pytest.raises(RefusedError, match="validation_failed"):
                requests.read_create(body)


def test_metadata_that_is_kept_does_not_keep_the_body() -> None:
    asked = requests.read_money(b'{"amount":1,"reference":"r","metadata":{"a":1}}')
    kept = requests.kept(asked.metadata)
    assert kept == asked.metadata
    assert kept is not asked.metadata


@pytest.mark.parametrize("body", [b"", b"{}", b'{"remaining_balance":null}', b'{"other":1}'])
def test_closing_needs_no_body(body: bytes) -> None:
    assert requests.read_close(body).remaining_balance is None


def test_closing_may_forfeit() -> None:
    assert requests.read_close(b'{"remaining_balance":"forfeit"}').remaining_balance == "forfeit"


@given(
    body=st.dictionaries(
        st.sampled_from(["amount", "reference", "description", "metadata", "expires_at", "else"]),
        json_values,
    )
)
def test_any_json_object_is_taken_or_refused(body: dict[str, object]) -> None:
    """Whatever the fields hold, there is a reason: the slow path agrees with the fast one."""
    text = msgspec.json.encode(body)
    refused = refusal(requests.read_money, text)
    if refused is None:
        asked = requests.read_money(text)
        assert (asked.amount, asked.reference) == (body["amount"], body["reference"])
    else:
        assert PROBLEMS[refused.code].status in (400, 422)
        assert refused.param or refused.code == "malformed_request"


@given(body=st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_taken_or_refused(body: bytes) -> None:
    for read in (requests.read_money, requests.read_create, requests.read_close):
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
