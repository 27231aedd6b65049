"""What the intake reads of each command beyond a debit, and every refusal of it, each a row."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.commands import (
    CaptureHold,
    CloseWallet,
    Command,
    CreditWallet,
    DebitWallet,
    ExpireDue,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    UnfreezeWallet,
    VoidHold,
)
from services.gateway import bodies
from services.gateway.problems import RefusedError
from tests.unit.test_intake_messages import (
    BODIES,
    HOLD,
    OTHER,
    SECRET,
    TRANSACTION,
    WALLET,
    body,
    of_type,
    refusal,
    submission,
)

JUNE = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

READ: list[tuple[str, dict[str, Any], Command]] = [
    ("credit_wallet", {"expires_at": "2026-06-01T12:00:00Z"},
     CreditWallet(wallet_id=WALLET, amount=500, reference="sms_batch_8821", expires_at=JUNE)),
    ("credit_wallet", {"expires_at": None},
     CreditWallet(wallet_id=WALLET, amount=500, reference="sms_batch_8821")),
    ("place_hold", {"expires_at": "2026-06-01T14:00:00.000+02:00", "description": "room 7"},
     PlaceHold(wallet_id=WALLET, amount=500, reference="sms_batch_8821", description="room 7",
               expires_at=JUNE)),
    ("capture_hold", {"amount": 3, "final": True, "reference": "night 1"},
     CaptureHold(hold_id=HOLD, amount=3, final=True, reference="night 1")),
    ("capture_hold", {}, CaptureHold(hold_id=HOLD)),
    ("void_hold", {}, VoidHold(hold_id=HOLD)),
    ("transfer_money", {},
     TransferMoney(from_wallet_id=WALLET, to_wallet_id=OTHER, amount=5, reference="r")),
    ("reverse_transaction", {"amount": 2, "allow_negative": True},
     ReverseTransaction(transaction_id=TRANSACTION, amount=2, reference="r",
                        allow_negative=True)),
    ("reverse_transaction", {}, ReverseTransaction(transaction_id=TRANSACTION, reference="r")),
    ("freeze_wallet", {"scope": "all", "reason": "lost card"},
     FreezeWallet(wallet_id=WALLET, scope="all", reason="lost card")),
    ("freeze_wallet", {}, FreezeWallet(wallet_id=WALLET)),
    ("unfreeze_wallet", {"reason": "found it"},
     UnfreezeWallet(wallet_id=WALLET, reason="found it")),
    ("close_wallet", {"remaining_balance": {"transfer_to": OTHER}},
     CloseWallet(wallet_id=WALLET, remaining_balance=TransferTo(transfer_to=OTHER))),
    ("expire_due", {}, ExpireDue(wallet_id=WALLET)),
]  # fmt: skip


def its_body(tag: str, changes: dict[str, Any]) -> bytes:
    return body(BODIES.get(tag, {"wallet_id": WALLET}), **changes)


@pytest.mark.parametrize(("tag", "changes", "command"), READ)
def test_a_command_is_read(tag: str, changes: dict[str, Any], command: Command) -> None:
    assert submission(of_type(tag), its_body(tag, changes)).command == command


@pytest.mark.parametrize("tag", ["credit_wallet", "place_hold"])
def test_a_moment_is_kept_in_utc_however_it_was_spelled(tag: str) -> None:
    spellings = ["2026-06-01T12:00:00Z", "2026-06-01T17:30:00+05:30", "2026-06-01t12:00:00.0z"]
    for spelled in [*spellings, "2026-06-01T12:00:00", "2026-06-01T14:00:00+0200"]:
        command = submission(of_type(tag), its_body(tag, {"expires_at": spelled})).command
        assert isinstance(command, CreditWallet | PlaceHold)
        assert command.expires_at == JUNE
        assert command.expires_at.tzinfo is UTC


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    *[
        (tag, {"expires_at": moment}, "expires_at")
        for tag in ("credit_wallet", "place_hold")
        for moment in (
            "2026-06-01T12:00",
            "2026-06",
            SECRET,
            "",
            1780315200,
            "2026-02-30T12:00:00Z",
            "0001-01-01T00:00:00+02:00",
            "9999-12-31T23:59:59-02:00",
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31T22:59:59.999999-01:00",
        )
    ],
    ("place_hold", {"wallet_id": HOLD}, "wallet_id"),
    ("place_hold", {"amount": 0}, "amount"),
    ("place_hold", {"reference": None}, "reference"),
    ("place_hold", {"metadata": [SECRET]}, "metadata"),
    ("capture_hold", {"hold_id": SECRET}, "hold_id"),
    ("capture_hold", {"hold_id": HOLD + "\n"}, "hold_id"),
    ("capture_hold", {"hold_id": TRANSACTION}, "hold_id"),
    ("capture_hold", {"amount": 0}, "amount"),
    ("capture_hold", {"amount": "5"}, "amount"),
    ("capture_hold", {"final": 1}, "final"),
    ("capture_hold", {"reference": ""}, "reference"),
    ("capture_hold", {"reference": "\x00"}, "reference"),
    ("capture_hold", {"expires_at": SECRET}, "expires_at"),
    ("void_hold", {"hold_id": None}, "hold_id"),
    ("void_hold", {"hold_id": HOLD.upper()}, "hold_id"),
    ("void_hold", {"amount": 1}, "amount"),
    ("transfer_money", {"from_wallet_id": SECRET}, "from_wallet_id"),
    ("transfer_money", {"from_wallet_id": WALLET + "\n"}, "from_wallet_id"),
    ("transfer_money", {"to_wallet_id": HOLD}, "to_wallet_id"),
    ("transfer_money", {"to_wallet_id": OTHER + "\n"}, "to_wallet_id"),
    ("transfer_money", {"wallet_id": WALLET}, "wallet_id"),
    ("transfer_money", {"amount": 2**53}, "amount"),
    ("transfer_money", {"description": "\x00"}, "description"),
    ("reverse_transaction", {"transaction_id": "txn_1"}, "transaction_id"),
    ("reverse_transaction", {"transaction_id": TRANSACTION + "\n"}, "transaction_id"),
    ("reverse_transaction", {"allow_negative": "yes"}, "allow_negative"),
    ("reverse_transaction", {"amount": -1}, "amount"),
    ("reverse_transaction", {"reference": "r" * 256}, "reference"),
    ("freeze_wallet", {"scope": SECRET}, "scope"),
    ("freeze_wallet", {"scope": None}, "scope"),
    ("freeze_wallet", {"reason": "r" * 256}, "reason"),
    ("freeze_wallet", {"reason": "\x00"}, "reason"),
    ("unfreeze_wallet", {"scope": "all"}, "scope"),
    ("unfreeze_wallet", {"reason": "\x00"}, "reason"),
    ("close_wallet", {"remaining_balance": {"transfer_to": SECRET}}, "remaining_balance"),
    ("close_wallet", {"remaining_balance": {"transfer_to": OTHER + "\n"}}, "remaining_balance"),
    ("close_wallet", {"remaining_balance": {}}, "remaining_balance"),
    ("close_wallet", {"remaining_balance": {"transfer_to": OTHER, "x": 1}}, "remaining_balance"),
    ("expire_due", {"wallet_id": SECRET}, "wallet_id"),
    ("expire_due", {"now": "2026-06-01T12:00:00Z"}, "now"),
]


@pytest.mark.parametrize(("tag", "changes", "named"), REFUSED)
def test_a_command_is_refused(tag: str, changes: dict[str, Any], named: str) -> None:
    refused = refusal(of_type(tag), its_body(tag, changes))
    assert refused.reason == "invalid_command"
    assert refused.detail.startswith(f"{named}: ")
    assert SECRET not in refused.detail


AMOUNT = "must be an integer in the currency's minor unit, without point or exponent"
TIME = "must be a time as RFC 3339 has it, such as 2030-01-01T00:00:00Z, or a date"
URL = "must be an http or https URL with a host, and without user and password"
NO_INTEGERS: list[object] = ["5", 5.5, True, None, []]
NO_RECEIVERS: list[object] = [
    *("keep", 1, [], {}),
    *({"transfer_to": "x"}, {"transfer_to": OTHER, "x": 1}),
]
WORDS: list[tuple[str, dict[str, Any], str]] = [
    *[("debit_wallet", {"amount": amount}, AMOUNT) for amount in NO_INTEGERS],
    *[
        ("debit_wallet", {"amount": amount}, f"must be from 1 to {2**53 - 1}")
        for amount in (0, -1, 2**53, 10**30)
    ],
    ("debit_wallet", {"wallet_id": "wal_1"}, "must be spelled wal_ and 32 hexadecimal digits"),
    ("debit_wallet", {"wallet_id": 1}, "must be a string"),
    ("debit_wallet", {"reference": ""}, "must not be empty"),
    ("debit_wallet", {"reference": "r" * 256}, "must not be longer than 255 characters"),
    ("debit_wallet", {"reference": 5}, "must be a string"),
    ("debit_wallet", {"description": None}, "must be a string"),
    ("debit_wallet", {"description": "d" * 1025}, "must not be longer than 1024 characters"),
    ("debit_wallet", {"metadata": 1}, "must be an object"),
    ("place_hold", {"expires_at": "soon"}, TIME),
    ("place_hold", {"expires_at": "9999-12-31T23:59:59.999999Z"}, TIME),
    ("place_hold", {"expires_at": 5}, "must be a string"),
    ("create_wallet", {"currency": "ZZZ"},
     "must be the ISO 4217 code of a currency with minor units, such as GHS"),
    ("create_wallet", {"currency": "cedi"},
     "must be the ISO 4217 code of a currency with minor units, such as GHS"),
    ("create_wallet", {"customer_id": ""}, "must not be empty"),
    ("capture_hold", {"final": "yes"}, "must be true or false"),
    ("capture_hold", {"hold_id": "x"}, "must be spelled hol_ and 32 hexadecimal digits"),
    ("reverse_transaction", {"allow_negative": 1}, "must be true or false"),
    ("reverse_transaction", {"transaction_id": "x"},
     "must be spelled txn_ and 32 hexadecimal digits"),
    ("cancel_topup", {"topup_id": "x"}, "must be spelled top_ and 32 hexadecimal digits"),
    ("create_topup", {"redirect_url": "ftp://x"}, URL),
    ("create_topup", {"cancel_url": "javascript:0"}, URL),
    ("create_topup", {"redirect_url": ""}, "must not be empty"),
    ("create_topup", {"redirect_url": 1}, "must be a string"),
    ("complete_topup", {"currency": 1}, "must be a string"),
    ("freeze_wallet", {"scope": "some"}, "must be one of debits, credits, all"),
    ("freeze_wallet", {"scope": 1}, "must be a string"),
    *[
        ("close_wallet", {"remaining_balance": rest},
         'must be "forfeit", or {"transfer_to": …} with the id of a wallet')
        for rest in NO_RECEIVERS
    ],
]  # fmt: skip


@pytest.mark.parametrize(("tag", "changes", "words"), WORDS)
def test_what_is_wrong_is_said_in_plain_words(
    tag: str, changes: dict[str, Any], words: str
) -> None:
    (field,) = changes
    assert refusal(of_type(tag), its_body(tag, changes)).detail == f"{field}: {words}"


OVER_HTTP: dict[str, Callable[[bytes], object]] = {
    "debit_wallet": bodies.read_debit,
    "place_hold": bodies.read_hold,
    "create_wallet": bodies.read_create,
    "capture_hold": bodies.read_capture,
    "reverse_transaction": bodies.read_reverse,
    "freeze_wallet": bodies.read_freeze,
    "close_wallet": bodies.read_close,
}
NAMED_BY_THE_PATH = {"wallet_id", "hold_id", "transaction_id"}


@pytest.mark.parametrize(
    ("tag", "changes", "words"),
    [row for row in WORDS if row[0] in OVER_HTTP and not NAMED_BY_THE_PATH & row[1].keys()],
)
def test_the_words_are_those_of_http(tag: str, changes: dict[str, Any], words: str) -> None:
    asked = BODIES.get(tag, {}) | {"reference": "r"} | changes
    with pytest.raises(RefusedError) as refused:
        OVER_HTTP[tag](json.dumps(asked).encode())
    assert [problem.detail for problem in refused.value.errors] == [words]


TWICE: list[tuple[str, bytes]] = [
    ("debit_wallet", b'"amount": 5'),
    ("debit_wallet", b'"am\\u006funt": 5'),
    ("debit_wallet", b'"metadata": null, "metadata": {}'),
    ("debit_wallet", b'"amount": 5, "description": "' + b"d" * 600 + b'"'),
    ("place_hold", b'"expires_at": null, "expires_at": "2030-01-01"'),
    ("void_hold", b'"hold_id": "' + HOLD.encode() + b'"'),
    ("void_hold", b'"type": "void_hold", "type": "void_hold"'),
]


@pytest.mark.parametrize(("tag", "more"), TWICE)
def test_of_a_member_that_comes_twice_neither_counts(tag: str, more: bytes) -> None:
    refused = refusal(of_type(tag), its_body(tag, {})[:-1] + b", " + more + b"}")
    name, _, problem = refused.detail.partition(": ")
    assert (refused.reason, problem) == ("invalid_command", "is there twice")
    assert name in {"amount", "metadata", "expires_at", "hold_id", "type"}


def test_a_name_may_come_again_inside_of_what_it_names() -> None:
    metadata = {"amount": 1, "reference": {"amount": "amount"}, "n\u00e9": "\u00e9"}
    said = {"description": "amount", "metadata": metadata}
    assert isinstance(
        submission(of_type("debit_wallet"), its_body("debit_wallet", said)).command, DebitWallet
    )


@pytest.mark.parametrize("tag", BODIES)
def test_all_that_is_missing_is_named_at_once(tag: str) -> None:
    refused = refusal(of_type(tag), json.dumps({}).encode())
    assert {part.split(":")[0] for part in refused.detail.split("; ")} == BODIES[tag].keys()
