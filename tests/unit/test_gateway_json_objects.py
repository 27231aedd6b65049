"""JSON bodies as values and as their own characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.command_handling.gate import MemberNames
from services.gateway.json_objects import characters_of, members_of
from tests.specs.kyc_refusals import refusal, refusal_if_any


def test_a_body_as_members_and_as_characters() -> None:
    body = b' {"amount": 10.50, "metadata":{"a": [1]}, "amount2":1e2} '
    assert members_of(body) == {"amount": 10.5, "metadata": {"a": [1]}, "amount2": 100.0}
    assert {name: bytes(raw) for name, raw in characters_of(body).items()} == {
        "amount": b"10.50",
        "metadata": b'{"a": [1]}',
        "amount2": b"1e2",
    }


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b" ",
            b"[]",
            b"1",
            b"null",
            b'"x"',
            b"{",
            b'{"a":1}x',
            b'{"a":\xff}',
            b'{"a":"\xff"}',
        ),
        *(b'{"a":007}', b'{"a":1.}', b'{"a":+1}', b'{"a":NaN}', b'{"a":"\\ud800"}', b'{"a":1e999}'),
        *(b"[" * 100_000, b'{"a":' * 34 + b"1" + b"}" * 34),
    ],
)
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    assert refusal(members_of, body).code == "malformed_request"


def test_of_a_member_that_comes_twice_neither_counts() -> None:
    """Of any, or of those that matter to who asks."""
    body = b'{"a":1,"b":{"a":1,"a":1},"c":2,"c":2}'
    assert refusal(members_of, body).detail == "the body has a member twice"
    refused = refusal(members_of, body, MemberNames("ac"))
    assert (refused.code, refused.param, refused.detail) == (
        *("malformed_request", "c", "is there twice"),
    )
    assert members_of(body, MemberNames("ab")) == {"a": 1, "b": {"a": 1}, "c": 2}


@given(st.binary(max_size=40))
def test_any_body_is_an_object_or_malformed(body: bytes) -> None:
    refused = refusal_if_any(members_of, body)
    if refused is None:
        assert characters_of(body).keys() == members_of(body).keys()
    else:
        assert refused.code == "malformed_request"
