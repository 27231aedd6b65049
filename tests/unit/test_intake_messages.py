"""What the intake reads of a message, and every refusal, each a row."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.command_handling.gate import MAX_METADATA_BYTES, MAX_NESTING
from ledger.command_handling.submission import Submission
from schemas.commands import COMMAND_TYPES, CreateWallet, CreditWallet, DebitWallet
from services.intake.messages import (
    MAX_COMMAND_ID_LENGTH,
    MAX_SOURCE_LENGTH,
    MAX_VALUE_BYTES,
    Refusal,
    read_message,
)

TENANT = "0197f3c2-5a10-7c44-9d0e-6f2b8a1c3e57"
WALLET = "wal_" + "0a" * 16
DEBIT = {"wallet_id": WALLET, "amount": 500, "reference": "sms_batch_8821"}
CREATE = {"customer_id": "cus_1", "currency": "GHS"}
OTHER = "wal_" + "0b" * 16
HOLD = "hol_" + "0c" * 16
TRANSACTION = "txn_" + "0d" * 16
TRANSFER = {"from_wallet_id": WALLET, "to_wallet_id": OTHER, "amount": 5, "reference": "r"}
REVERSE = {"transaction_id": TRANSACTION, "reference": "r"}
TOPUP = "top_" + "0e" * 16
CREATE_TOPUP = {"wallet_id": WALLET, "amount": 5, "redirect_url": "https://shop.example/"}
COMPLETE_TOPUP = {"topup_id": TOPUP, "payment_id": "pay_1", "amount": 5, "currency": "GHS"}
BODIES: dict[str, dict[str, Any]] = {
    "create_wallet": CREATE,
    "credit_wallet": DEBIT,
    "debit_wallet": DEBIT,
    "place_hold": DEBIT,
    "capture_hold": {"hold_id": HOLD},
    "void_hold": {"hold_id": HOLD},
    "transfer_money": TRANSFER,
    "reverse_transaction": REVERSE,
    "create_topup": CREATE_TOPUP,
    "complete_topup": COMPLETE_TOPUP,
    "cancel_topup": {"topup_id": TOPUP},
}
"""The least that each command asks for; of the others a wallet's id."""
SECRET = "hunter2"
"""Stands in refused places: no refusal may repeat it."""

Headers = list[tuple[str, bytes | None]]


def headers(**changes: bytes | None) -> Headers:
    """The headers of a sound debit; a header that is changed to None is left out."""
    sound: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": b"cmd-1",
        "ce_source": b"/billing",
        "ce_type": b"ledger.command.debit_wallet.v1",
        "ce_tenantid": TENANT.encode(),
        "content-type": b"application/json",
    }
    renamed = {name.replace("content_type", "content-type"): new for name, new in changes.items()}
    return [(name, header) for name, header in (sound | renamed).items() if header is not None]


def of_type(tag: str) -> Headers:
    return headers(ce_type=f"ledger.command.{tag}.v1".encode())


def body(base: dict[str, Any] = DEBIT, **changes: Any) -> bytes:
    """A command's JSON, with some members changed."""
    return json.dumps(base | changes).encode()


def debit_with(raw_member: bytes) -> bytes:
    """A sound debit and one member more, written as it is."""
    return body()[:-1] + b", " + raw_member + b"}"


def refusal(its_headers: Headers, its_value: bytes | None) -> Refusal:
    read = read_message(its_headers, its_value)
    assert isinstance(read, Refusal), f"{read} was not refused"
    return read


def submission(its_headers: Headers, its_value: bytes | None) -> Submission:
    read = read_message(its_headers, its_value)
    assert isinstance(read, Submission), f"{read} was refused"
    return read


def test_a_sound_message_is_a_submission() -> None:
    read = submission(headers(ce_correlationid=b"req-7"), body(description="Ünïcode ☃"))
    assert read.tenant_id == TENANT
    assert read.command_id == "cmd-1"
    assert read.who == "kafka:/billing"
    assert read.correlation_id == "req-7"
    assert isinstance(read.command, DebitWallet)
    assert (read.command.amount, read.command.description) == (500, "Ünïcode ☃")


@pytest.mark.parametrize("tag", COMMAND_TYPES)
def test_every_type_of_command_is_read(tag: str) -> None:
    its_body = BODIES.get(tag, {"wallet_id": WALLET})
    for base in (its_body, its_body | {"type": tag}):
        assert type(submission(of_type(tag), body(base)).command) is COMMAND_TYPES[tag]


@pytest.mark.parametrize(
    "its_headers",
    [
        pytest.param(headers(ce_specversion=None), id="no spec version"),
        pytest.param(headers(content_type=None), id="no content type"),
        pytest.param(
            headers(content_type=b"Application/JSON; charset=utf-8"),
            id="a content type's parameter",
        ),
        pytest.param([*headers(), ("traceparent", b"\xff")], id="a header of no concern"),
        pytest.param([*headers(), ("x", b"1"), ("x", b"2")], id="such a header twice"),
        pytest.param([*headers(), ("x", None)], id="such a header without a value"),
    ],
)
def test_what_is_left_open_is_no_reason_to_refuse(its_headers: Headers) -> None:
    assert submission(its_headers, body()).command_id == "cmd-1"


def test_a_source_that_is_not_named_is_said_so() -> None:
    assert submission(headers(ce_source=None), body()).who == "kafka:unnamed"


def test_metadata_is_kept_as_it_was_sent() -> None:
    read = submission(of_type("create_wallet"), body(CREATE)[:-1] + b', "metadata": {"a": 1.50}}')
    assert isinstance(read.command, CreateWallet)
    assert bytes(read.command.metadata) == b'{"a": 1.50}'


HEADER_REFUSALS = [
    ("no id", headers(ce_id=None), "missing_command_id", "ce_id"),
    ("id empty", headers(ce_id=b""), "invalid_command_id", "ce_id"),
    ("id long", headers(ce_id=b"x" * (MAX_COMMAND_ID_LENGTH + 1)), "invalid_command_id", "ce_id"),
    ("id not UTF-8", headers(ce_id=b"\xff"), "invalid_command_id", "ce_id"),
    ("id with NUL", headers(ce_id=b"a\x00b"), "invalid_command_id", "ce_id"),
    ("id a surrogate", headers(ce_id=b"\xed\xa0\x80"), "invalid_command_id", "ce_id"),
    ("no tenant", headers(ce_tenantid=None), "missing_tenant", "ce_tenantid"),
    ("tenant no UUID", headers(ce_tenantid=b"acme"), "unknown_tenant", "ce_tenantid"),
    (
        "tenant in upper case",
        headers(ce_tenantid=TENANT.upper().encode()),
        "unknown_tenant",
        "ce_tenantid",
    ),
    (
        "tenant and a line feed",
        headers(ce_tenantid=TENANT.encode() + b"\n"),
        "unknown_tenant",
        "ce_tenantid",
    ),
    ("tenant not UTF-8", headers(ce_tenantid=b"\xff"), "unknown_tenant", "ce_tenantid"),
    ("no type", headers(ce_type=None), "unknown_type", "ce_type"),
    ("another type", headers(ce_type=b"ledger.command.mint.v1"), "unknown_type", "ce_type"),
    *(
        (tag, of_type(tag), "unknown_type", "ce_type")
        for tag in ("enroll_customer", "raise_tier", "review_wallet", "erase_customer")
    ),
    (
        "another version",
        headers(ce_type=b"ledger.command.debit_wallet.v2"),
        "unknown_type",
        "ce_type",
    ),
    ("spec version", headers(ce_specversion=b"0.3"), "unreadable", "ce_specversion"),
    (
        "structured mode",
        headers(content_type=b"application/cloudevents+json"),
        "unreadable",
        "content-type",
    ),
    ("Avro", headers(content_type=b"application/avro"), "unreadable", "content-type"),
    (
        "source long",
        headers(ce_source=b"s" * (MAX_SOURCE_LENGTH + 1)),
        "unreadable",
        "ce_source",
    ),
    ("source with NUL", headers(ce_source=b"\x00"), "unreadable", "ce_source"),
    ("source not UTF-8", headers(ce_source=b"\xff"), "unreadable", "ce_source"),
    (
        "correlation id not UTF-8",
        headers(ce_correlationid=b"\xff"),
        "unreadable",
        "ce_correlationid",
    ),
    (
        "correlation id long",
        headers(ce_correlationid=b"c" * 256),
        "unreadable",
        "ce_correlationid",
    ),
    ("id twice", [*headers(), ("ce_id", b"cmd-2")], "unreadable", "ce_id"),
    ("type twice", [*headers(), ("ce_type", b"x")], "unreadable", "ce_type"),
    ("no headers", [], "missing_command_id", "ce_id"),
]


@pytest.mark.parametrize(
    ("its_headers", "reason", "named"),
    [pytest.param(*row[1:], id=row[0]) for row in HEADER_REFUSALS],
)
def test_headers_that_are_refused(its_headers: Headers, reason: str, named: str) -> None:
    refused = refusal(its_headers, body())
    assert refused.reason == reason
    assert refused.detail.startswith(f"{named}: ")


DEEP = b"[" * MAX_NESTING + b"]" * MAX_NESTING

VALUE_REFUSALS = [
    ("nothing", None, "unreadable", "value"),
    ("empty", b"", "unreadable", "value"),
    ("no JSON", SECRET.encode(), "unreadable", "value"),
    ("truncated", body()[:-1], "unreadable", "value"),
    ("two values", body() + b" {}", "unreadable", "value"),
    ("a byte order mark", b"\xef\xbb\xbf" + body(), "unreadable", "value"),
    ("NaN", debit_with(b'"metadata": NaN'), "unreadable", "value"),
    ("not UTF-8", body().replace(b"sms", b"\xff"), "unreadable", "value"),
    ("UTF-16", body().decode().encode("utf-16"), "unreadable", "value"),
    ("a lone surrogate", body(reference="\ud800"), "unreadable", "value"),
    ("deep", debit_with(b'"metadata": {"a": ' + DEEP + b"}"), "unreadable", "value"),
    ("deep and open", b"[" * 1000, "unreadable", "value"),
    ("large", body(description="x" * MAX_VALUE_BYTES), "too_large", "value"),
    ("an array", b"[]", "invalid_command", "value"),
    ("null", b"null", "invalid_command", "value"),
    ("a text", b'"debit"', "invalid_command", "value"),
    ("a wallet's id", body(wallet_id=SECRET), "invalid_command", "wallet_id"),
    ("its spelling", body(wallet_id=WALLET.upper()), "invalid_command", "wallet_id"),
    ("a line feed after it", body(wallet_id=WALLET + "\n"), "invalid_command", "wallet_id"),
    ("no amount", body({"wallet_id": WALLET, "reference": "r"}), "invalid_command", "amount"),
    ("amount 0", body(amount=0), "invalid_command", "amount"),
    ("amount below 0", body(amount=-5), "invalid_command", "amount"),
    ("amount 2^53", body(amount=2**53), "invalid_command", "amount"),
    ("amount 10^30", body(amount=10**30), "invalid_command", "amount"),
    ("amount a float", body(amount=5.0), "invalid_command", "amount"),
    ("amount a text", body(amount="5"), "invalid_command", "amount"),
    ("amount a bool", body(amount=True), "invalid_command", "amount"),
    ("amount null", body(amount=None), "invalid_command", "amount"),
    ("amount 1e3", body().replace(b"500", b"1e3"), "invalid_command", "amount"),
    ("amount 1e999", body().replace(b"500", b"1e999"), "invalid_command", "amount"),
    ("amount 05", body().replace(b"500", b"05"), "unreadable", "value"),
    ("reference empty", body(reference=""), "invalid_command", "reference"),
    ("reference long", body(reference="r" * 256), "invalid_command", "reference"),
    ("reference with NUL", body(reference="a\x00b"), "invalid_command", "reference"),
    ("description long", body(description="d" * 1025), "invalid_command", "description"),
    ("description with NUL", body(description="\x00"), "invalid_command", "description"),
    ("metadata a list", body(metadata=[SECRET]), "invalid_command", "metadata"),
    ("metadata a text", body(metadata=SECRET), "invalid_command", "metadata"),
    ("NUL in metadata", body(metadata={"a": "\x00"}), "invalid_command", "metadata"),
    ("NUL in a key of it", body(metadata={"\x00": 1}), "invalid_command", "metadata"),
    (
        "a surrogate in it",
        debit_with(b'"metadata": {"a": "\\ud800"}'),
        "unreadable",
        "value",
    ),
    ("not UTF-8 in it", debit_with(b'"metadata": {"a": "\xff"}'), "invalid_command", "metadata"),
    ("a number too large", debit_with(b'"metadata": {"a": 1e999}'), "invalid_command", "metadata"),
    (
        "metadata large",
        body(metadata={"a": "x" * MAX_METADATA_BYTES}),
        "invalid_command",
        "metadata",
    ),
    ("another command's tag", body(type="credit_wallet"), "invalid_command", "type"),
    ("a tag that is no text", body(type=1), "invalid_command", "type"),
    ("a field that is not ours", body(expires_at=SECRET), "invalid_command", "expires_at"),
    ("a member that is not ours", debit_with(b'"hunter2": 1'), "invalid_command", "members"),
]


@pytest.mark.parametrize(
    ("its_value", "reason", "named"),
    [pytest.param(*row[1:], id=row[0]) for row in VALUE_REFUSALS],
)
def test_values_that_are_refused(its_value: bytes | None, reason: str, named: str) -> None:
    refused = refusal(headers(ce_correlationid=b"req-7"), its_value)
    assert refused.reason == reason
    assert refused.detail.startswith(named)
    assert SECRET not in refused.detail
    # Whoever waits for the command is told, so the refusal says which it was.
    assert (refused.tenant_id, refused.command_id) == (TENANT, "cmd-1")
    assert refused.correlation_id == "req-7"


@pytest.mark.parametrize(
    ("tag", "its_body", "named"),
    [
        ("create_wallet", CREATE | {"currency": "ZZZ"}, "currency"),
        ("create_wallet", CREATE | {"currency": "XAU"}, "currency"),
        ("create_wallet", CREATE | {"currency": "ghs"}, "currency"),
        ("create_wallet", CREATE | {"customer_id": ""}, "customer_id"),
        ("create_wallet", CREATE | {"customer_id": "\x00"}, "customer_id"),
        ("create_wallet", {"currency": "GHS"}, "customer_id"),
        ("close_wallet", {"wallet_id": WALLET, "remaining_balance": SECRET}, "remaining_balance"),
        ("freeze_wallet", {}, "wallet_id"),
        ("freeze_wallet", {"wallet_id": WALLET, "amount": 1}, "amount"),
    ],
)
def test_other_commands_that_are_refused(tag: str, its_body: dict[str, Any], named: str) -> None:
    refused = refusal(of_type(tag), body(its_body))
    assert refused.reason == "invalid_command"
    assert refused.detail.startswith(f"{named}: ")
    assert SECRET not in refused.detail


def test_all_the_offending_fields_are_named_at_once() -> None:
    refused = refusal(
        of_type("credit_wallet"),
        body({"amount": 1.5, "reference": "", "metadata": [], "expires_at": "x", "Foo": 1}),
    )
    parts = refused.detail.split("; ")
    assert [part.split(":")[0] for part in parts[:-1]] == [
        "wallet_id",
        "amount",
        "reference",
        "expires_at",
        "metadata",
    ]
    assert parts[-1] == "members that this command does not have are not supported"


def test_of_several_refusals_the_first_in_order_is_given() -> None:
    wrong = {"ce_id": None, "ce_tenantid": None, "ce_type": None, "ce_specversion": b"9"}
    repaired: dict[str, bytes | None] = {
        "ce_id": b"cmd-1",
        "ce_tenantid": TENANT.encode(),
        "ce_specversion": b"1.0",
        "ce_type": b"ledger.command.debit_wallet.v1",
    }
    reasons = []
    for name, sound in repaired.items():
        reasons.append(refusal(headers(**wrong), b"[]").reason)
        wrong[name] = sound
    reasons.append(refusal(headers(**wrong), b"[]").reason)
    assert reasons == [
        "missing_command_id",
        "missing_tenant",
        "unreadable",
        "unknown_type",
        "invalid_command",
    ]


@given(
    st.lists(st.tuples(st.sampled_from([name for name, _ in headers()]), st.binary() | st.none())),
    st.binary() | st.none(),
)
def test_whatever_comes_is_read_or_refused(its_headers: Headers, its_value: bytes | None) -> None:
    assert isinstance(read_message(its_headers, its_value), Refusal)


@given(
    st.dictionaries(
        st.sampled_from([*DEBIT, "description", "metadata", "type", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
)
def test_any_json_is_read_or_refused_by_name(changes: dict[str, Any]) -> None:
    read = read_message(of_type("credit_wallet"), body(**changes))
    if isinstance(read, Refusal):
        assert read.detail
    else:
        assert isinstance(read.command, CreditWallet)
        assert set(changes) <= {*DEBIT, "description", "metadata", "type"}
