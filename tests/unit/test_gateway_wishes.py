"""What a body asks for is in its command, all of it; and of a batch's member, whose it is."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from schemas.commands import (
    CaptureHold,
    CloseWallet,
    Command,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    UnfreezeWallet,
    VoidHold,
)
from schemas.http.credit_wallets import TopupRequest
from services.gateway.credit_wallets.wishes import WISH_TYPES, read_wish, topup
from services.gateway.problems import RefusedError
from tests.specs.wallet_commands import JUNE, SHOP

WALLET, OTHER = "wal_" + "0a" * 16, "wal_" + "0b" * 16
HOLD, TRANSACTION = "hol_" + "0c" * 16, "txn_" + "0d" * 16
TOLD: dict[str, Any] = {"reference": "r", "description": "d", "metadata": {"order": 7}}
METADATA = Raw(b'{"order":7}')
JUNE_TEXT = "2026-06-01T00:00:00Z"

WHOLE: dict[str, tuple[dict[str, Any], Command]] = {
    "create": (
        {"customer_id": "ama", "currency": "GHS", "metadata": {"order": 7}},
        CreateWallet(customer_id="ama", currency="GHS", metadata=METADATA),
    ),
    "debit": (
        {"wallet_id": WALLET, "amount": 5, **TOLD},
        DebitWallet(wallet_id=WALLET, amount=5, reference="r", description="d", metadata=METADATA),
    ),
    "credit": (
        {"wallet_id": WALLET, "amount": 5, "expires_at": JUNE_TEXT, **TOLD},
        CreditWallet(
            wallet_id=WALLET,
            amount=5,
            expires_at=JUNE,
            reference="r",
            description="d",
            metadata=METADATA,
        ),
    ),
    "freeze": (
        {"wallet_id": WALLET, "scope": "credits", "reason": "why"},
        FreezeWallet(wallet_id=WALLET, scope="credits", reason="why"),
    ),
    "unfreeze": (
        {"wallet_id": WALLET, "reason": "why"},
        UnfreezeWallet(wallet_id=WALLET, reason="why"),
    ),
    "close": (
        {"wallet_id": WALLET, "remaining_balance": {"transfer_to": OTHER}},
        CloseWallet(wallet_id=WALLET, remaining_balance=TransferTo(transfer_to=OTHER)),
    ),
    "hold": (
        {"wallet_id": WALLET, "amount": 5, "expires_at": JUNE_TEXT, **TOLD},
        PlaceHold(
            wallet_id=WALLET,
            amount=5,
            expires_at=JUNE,
            reference="r",
            description="d",
            metadata=METADATA,
        ),
    ),
    "capture": (
        {"hold_id": HOLD, "amount": 5, "final": True, **TOLD},
        CaptureHold(
            hold_id=HOLD, amount=5, final=True, reference="r", description="d", metadata=METADATA
        ),
    ),
    "void": ({"hold_id": HOLD}, VoidHold(hold_id=HOLD)),
    "transfer": (
        {"from": WALLET, "to": OTHER, "amount": 5, **TOLD},
        TransferMoney(
            from_wallet_id=WALLET,
            to_wallet_id=OTHER,
            amount=5,
            reference="r",
            description="d",
            metadata=METADATA,
        ),
    ),
    "reverse": (
        {"transaction_id": TRANSACTION, "amount": 5, "allow_negative": True, **TOLD},
        ReverseTransaction(
            transaction_id=TRANSACTION,
            amount=5,
            allow_negative=True,
            reference="r",
            description="d",
            metadata=METADATA,
        ),
    ),
}


@pytest.mark.parametrize("kind", WISH_TYPES)
def test_all_that_a_member_says_is_in_its_command(kind: str) -> None:
    said, command = WHOLE[kind]
    assert read_wish(msgspec.json.encode({"type": kind, **said})) == (kind, command)


def test_all_that_the_body_of_a_top_up_says_is_in_its_command() -> None:
    said = {"amount": 5, "redirect_url": SHOP, "cancel_url": f"{SHOP}/not", **TOLD}
    body = msgspec.json.encode({**said, "expires_at": JUNE_TEXT})
    asked = msgspec.json.decode(body, type=TopupRequest)
    assert topup(lambda: WALLET, asked) == CreateTopup(
        wallet_id=WALLET,
        amount=5,
        redirect_url=SHOP,
        cancel_url=f"{SHOP}/not",
        expires_at=JUNE,
        reference="r",
        description="d",
        metadata=METADATA,
    )


NAMES = {"hold": "wallet_id", "capture": "hold_id", "void": "hold_id", "reverse": "transaction_id"}


@pytest.mark.parametrize(
    "kind", [kind for kind in WISH_TYPES if kind not in ("create", "transfer")]
)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        (None, "missing"),
        (7, "wrong_type"),
        ("wal_1", "invalid_id"),
        (f"trf_{'0' * 32}", "invalid_id"),
    ],
)
def test_a_member_names_whose_it_is_as_its_path_would(kind: str, name: object, code: str) -> None:
    param = NAMES.get(kind, "wallet_id")
    said = {key: value for key, value in WHOLE[kind][0].items() if key != param}
    named = said if name is None else {**said, param: name}
    with pytest.raises(RefusedError) as refused:
        read_wish(msgspec.json.encode({"type": kind, **named}))
    assert [(each.param, each.code) for each in refused.value.errors] == [(param, code)]


def test_a_member_whose_name_is_wrong_is_told_all_else_that_is_wrong_too() -> None:
    with pytest.raises(RefusedError) as refused:
        read_wish(b'{"type": "debit", "wallet_id": "mine", "amount": 0, "reference": "r"}')
    assert [(each.param, each.code) for each in refused.value.errors] == [
        ("wallet_id", "invalid_id"),
        ("amount", "out_of_range"),
    ]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"{}", ("type", "missing")),
        (b'{"type": null}', ("type", "wrong_type")),
        (b'{"type": ["debit"]}', ("type", "wrong_type")),
        (b'{"type": "topup"}', ("type", "unknown_value")),
    ],
)
def test_a_member_says_what_it_is(body: bytes, found: tuple[str, str]) -> None:
    with pytest.raises(RefusedError) as refused:
        read_wish(body)
    assert [(each.param, each.code) for each in refused.value.errors] == [found]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b'{"type": "debit"', "not valid JSON"),
        (b'{"type": "\xff"}', "not UTF-8"),
        (b"[]", "not an object"),
        (b'"debit"', "not an object"),
    ],
)
def test_what_is_no_object_of_json_is_malformed(body: bytes, words: str) -> None:
    with pytest.raises(RefusedError, match=words) as refused:
        read_wish(body)
    assert refused.value.errors == ()
