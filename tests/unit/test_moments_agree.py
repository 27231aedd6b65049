"""One moment is one wish, whether it comes over HTTP or over Kafka, however fine it is told."""

import json

import pytest

from ledger.command_handling.fingerprint import fingerprint
from ledger.command_handling.submission import Submission
from schemas.commands import Command, CreditWallet, PlaceHold
from services.gateway.credit_wallets import wishes
from services.intake.messages import read_message

WALLET = "wal_" + "0a" * 16
TENANT = "0197f3c2-5a10-7c44-9d0e-6f2b8a1c3e57"
METADATA = '{"at": "2030-01-01T00:00:00.9999999Z",  "n": 1.50}'


def body(expires_at: str) -> bytes:
    asked = {"amount": 5, "reference": "r", "expires_at": expires_at}
    return f'{json.dumps(asked)[:-1]}, "metadata": {METADATA}}}'.encode()


def over_kafka(tag: str, expires_at: str) -> Command:
    value = body(expires_at)[:-1] + f', "wallet_id": "{WALLET}"}}'.encode()
    headers = [
        ("ce_id", b"cmd-1"),
        ("ce_tenantid", TENANT.encode()),
        ("ce_type", f"ledger.command.{tag}.v1".encode()),
    ]
    read = read_message(headers, value)
    assert isinstance(read, Submission), read
    return read.command


@pytest.mark.parametrize(
    ("told", "microseconds"),
    [
        ("2030-01-01T00:00:00.1234567Z", 123456),
        ("2030-01-01T00:00:00.1234564Z", 123456),
        ("2030-01-01T00:00:00.9999999Z", 999999),
        ("2030-01-01T02:00:00.99999999999999999999+02:00", 999999),
        ("2030-01-01t00:00:00.0000009z", 0),
        ("9998-12-31T23:59:59.9999999Z", 999999),
        ("2030-01-01T00:00:00.5Z", 500000),
        ("2030-01-01T00:00:00Z", 0),
        ("2030-01-01", 0),
        ("2030-01-01 00:00:00", 0),
        ("2030-01-01T00:00:00.1234567", 123456),
    ],
)
def test_what_is_finer_than_a_microsecond_is_cut(told: str, microseconds: int) -> None:
    over_http: list[tuple[str, Command]] = [
        ("credit_wallet", wishes.credit(lambda: WALLET, body(told))),
        ("place_hold", wishes.hold(lambda: WALLET, body(told))),
    ]
    for tag, asked in over_http:
        assert isinstance(asked, CreditWallet | PlaceHold)
        assert asked.expires_at is not None
        assert asked.expires_at.microsecond == microseconds
        published = over_kafka(tag, told)
        assert published == asked
        assert fingerprint(published) == fingerprint(asked)
        assert bytes(published.metadata).decode() == METADATA


@pytest.mark.parametrize("told", ["soon.1234567", "2030-01-01T24:00:00.1234567", "1.0000001"])
def test_what_is_no_moment_is_none_without_its_digits_either(told: str) -> None:
    headers = [
        ("ce_id", b"cmd-1"),
        ("ce_tenantid", TENANT.encode()),
        ("ce_type", b"ledger.command.place_hold.v1"),
    ]
    refused = read_message(headers, body(told)[:-1] + f', "wallet_id": "{WALLET}"}}'.encode())
    assert not isinstance(refused, Submission)
    assert refused.reason == "invalid_command"
    assert refused.detail.startswith("expires_at: ")
