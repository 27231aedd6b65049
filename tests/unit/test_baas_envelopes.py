"""What answers of the second dialect are wrapped in: every name as its contract spells it."""

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from schemas.http.baas_wallets import FieldError, Transaction, Wallet
from services.gateway.answers import Answer
from services.gateway.baas.amounts import major_of
from services.gateway.baas.envelopes import (
    Message,
    customer_transaction_answer,
    customer_transactions_answer,
    failure_answer,
    metadata_text,
    page_meta,
    transaction_answer,
    wallet_answer,
    wallets_answer,
)
from services.gateway.baas.paging import Page

MADE_AT = datetime(2026, 4, 4, 8, 58, 29, 638524, tzinfo=UTC)
WALLET = Wallet(
    id="964a0000-2db7-4f88-809e-23d8c3667dd2",
    merchant_id="c0f00000-5f1a-450f-84c7-20c7a18d1249",
    environment="SANDBOX",
    currency="NGN",
    bank_name="Sandbox Bank",
    bank_code="999999",
    account_name="John Doe",
    account_number="0000000006",
    created_at=MADE_AT,
    updated_at=MADE_AT,
    booked_balance=major_of(0, "NGN"),
    available_balance=major_of(0, "NGN"),
    status="ACTIVE",
    updated=False,
    wallet_type="Customer",
    user_id="ed380000-b6f6-4210-bc8b-5dd7d6721caa",
)
TRANSACTION = Transaction(
    id="f92a0000-ca8a-44f5-b633-bdbf1f202546",
    user_id="ed380000-b6f6-4210-bc8b-5dd7d6721caa",
    merchant_id="c0f00000-5f1a-450f-84c7-20c7a18d1249",
    reference="TXN-1743766099-328df4d3f44bcafc",
    currency="NGN",
    environment="SANDBOX",
    amount=major_of(5000, "NGN"),
    balance_before=major_of(5000, "NGN"),
    balance_after=major_of(10000, "NGN"),
    metadata=metadata_text(Raw(b'{"reason":"for completion of task"}')),
    status="COMPLETED",
    destination=None,
    description=None,
    type="CREDIT",
    category="CREDIT_CUSTOMER_WALLET",
)
CONTRACTS_WALLET = (
    '{"id": "964a0000-2db7-4f88-809e-23d8c3667dd2", '
    '"merchant_id": "c0f00000-5f1a-450f-84c7-20c7a18d1249", "environment": "SANDBOX", '
    '"currency": "NGN", "bank_name": "Sandbox Bank", "bank_code": "999999", '
    '"account_name": "John Doe", "account_number": "0000000006", '
    '"created_at": "2026-04-04T08:58:29.638524Z", "updated_at": "2026-04-04T08:58:29.638524Z", '
    '"booked_balance": 0, "available_balance": 0, "status": "ACTIVE", "updated": false, '
    '"wallet_type": "Customer", "user_id": "ed380000-b6f6-4210-bc8b-5dd7d6721caa"}'
)
CONTRACTS_TRANSACTION = (
    '{"id": "f92a0000-ca8a-44f5-b633-bdbf1f202546", '
    '"user_id": "ed380000-b6f6-4210-bc8b-5dd7d6721caa", '
    '"merchant_id": "c0f00000-5f1a-450f-84c7-20c7a18d1249", '
    '"reference": "TXN-1743766099-328df4d3f44bcafc", "currency": "NGN", '
    '"environment": "SANDBOX", "amount": 50, "balance_before": 50, "balance_after": 100, '
    '"metadata": "eyJyZWFzb24iOiAiZm9yIGNvbXBsZXRpb24gb2YgdGFzayJ9", "status": "COMPLETED", '
    '"destination": null, "description": null, "type": "CREDIT", '
    '"category": "CREDIT_CUSTOMER_WALLET"}'
)

json_objects = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text('ab:,"\\', max_size=3), inner)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


def members(answer: Answer) -> dict[str, Any]:
    assert answer.headers_bytes.startswith(b"Content-Type: application/json\r\n")
    read: dict[str, Any] = json.loads(answer.body_bytes)
    return read


def test_a_wallet_is_spelled_as_in_the_contract() -> None:
    """The same members in the same order."""
    answer = wallet_answer(201, Message.CUSTOMER_WALLET_CREATED, WALLET)
    assert answer.status == 201
    assert answer.body_bytes == msgspec.json.encode(
        {
            "success": True,
            "message": "Customer wallet created successfully",
            "data": json.loads(CONTRACTS_WALLET),
        }
    )


def test_a_wallet_of_tier_three_carries_more() -> None:
    wallet = msgspec.structs.replace(
        WALLET,
        status="IN_ACTIVE",
        account_number=None,
        account_type="WALLET",
        account_category="CUSTOMER",
        tier="TIER_THREE",
        expiry_time=None,
    )
    data = members(wallet_answer(201, Message.WALLET_CREATED, wallet))["data"]
    assert data == json.loads(CONTRACTS_WALLET) | {
        "status": "IN_ACTIVE",
        "account_number": None,
        "account_type": "WALLET",
        "account_category": "CUSTOMER",
        "tier": "TIER_THREE",
        "expiry_time": None,
    }


def test_a_transaction_is_spelled_as_in_the_contract() -> None:
    answer = transaction_answer(201, Message.WALLET_CREDITED, TRANSACTION)
    assert answer.status == 201
    assert answer.body_bytes == msgspec.json.encode(
        {
            "success": True,
            "message": "Successfully credit customer wallet",
            "data": json.loads(CONTRACTS_TRANSACTION),
        }
    )


def test_reads_of_a_customers_transactions_have_an_envelope_of_their_own() -> None:
    assert members(customer_transaction_answer(TRANSACTION)) == {
        "statusCode": 200,
        "status": "success",
        "data": json.loads(CONTRACTS_TRANSACTION),
    }


def test_a_listed_transaction_says_how_many_there_are() -> None:
    answer = customer_transactions_answer([TRANSACTION], Page(2, 1), 3)
    assert members(answer) == {
        "statusCode": 200,
        "status": "success",
        "data": [json.loads(CONTRACTS_TRANSACTION) | {"total_items": 3}],
        "meta": {"page": 2, "limit": 1, "totalItems": 3, "totalPages": 3},
    }


def test_a_customer_without_transactions_has_an_empty_list() -> None:
    answer = members(customer_transactions_answer([], Page(1, 10), 0))
    assert answer["data"] == []
    assert answer["meta"] == {"page": 1, "limit": 10, "totalItems": 0, "totalPages": 0}


def test_a_page_of_wallets() -> None:
    assert members(wallets_answer([WALLET], Page(1, 10), 3)) == {
        "success": True,
        "message": "Successfully fetched wallets",
        "data": [json.loads(CONTRACTS_WALLET)],
        "meta": {"page": 1, "limit": 10, "totalItems": 3, "totalPages": 1},
    }


def test_a_failure_is_spelled_as_in_the_contract() -> None:
    answer = failure_answer(
        "validation_failed", 400, "Validation failed", [FieldError(field="bvn", message="no")]
    )
    assert answer.status == 400
    assert members(answer) == {
        "success": False,
        "statusCode": 400,
        "message": "Validation failed",
        "errors": [{"field": "bvn", "message": "no"}],
    }
    assert members(failure_answer("wallet_not_found", 404, "Wallet not found"))["errors"] == []


def test_the_originals_sentences() -> None:
    contracts = {
        "Customer wallet created successfully",
        "Wallet created successfully",
        "Successfully fetched wallets",
        "Successfully fetched wallet",
        "Successfully credit customer wallet",
        "Successfully fetched transactions",
        "wallet detail retrieved successfully",
    }
    assert contracts <= {str(message) for message in Message}


@given(total=st.integers(0, 10**6), limit=st.integers(1, 100))
def test_the_last_page_holds_the_rest(total: int, limit: int) -> None:
    pages = page_meta(Page(1, limit), total).total_pages
    assert (pages - 1) * limit < total <= pages * limit or (total, pages) == (0, 0)


def test_no_metadata_is_null() -> None:
    assert metadata_text(Raw(b"null")) is None


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (b"{}", b"{}"),
        (b" { } ", b"{}"),
        (b'{"b":1,"a":[1,2,{}],"c":[]}', b'{"b": 1, "a": [1, 2, {}], "c": []}'),
        (b'{"a"\n:\t1.10 ,"a":1E5}', b'{"a": 1.10, "a": 1E5}'),
        (b'{"a:,b":"x\\":, y\\\\"}', b'{"a:,b": "x\\":, y\\\\"}'),
        (b'{"a":"\\u00e9\\/"}', b'{"a": "\\u00e9\\/"}'),
        ('{"a":"é 火"}'.encode(), '{"a": "é 火"}'.encode()),
        (b'{"a":true,"b":null,"c":-0.0}', b'{"a": true, "b": null, "c": -0.0}'),
    ],
)
def test_metadata_is_shown_as_it_was_sent_but_for_the_space_between(
    stored: bytes, shown: bytes
) -> None:
    text = metadata_text(Raw(stored))
    assert text is not None
    assert b64decode(text) == shown


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


@given(metadata=json_objects, write=st.sampled_from([_compact, _indented]))
def test_metadata_is_what_python_would_write(
    metadata: object, write: Callable[[object], str]
) -> None:
    """However it was spaced when it was sent."""
    text = metadata_text(Raw(write(metadata).encode()))
    assert text is not None
    assert b64decode(text).decode() == json.dumps(metadata, ensure_ascii=False)


def test_a_wallet_does_not_show_its_customer_where_it_is_printed() -> None:
    assert "Doe" not in f"{WALLET} {WALLET!r} {[WALLET]}"
    assert WALLET.__rich_repr__() == []
