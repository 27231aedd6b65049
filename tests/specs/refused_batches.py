"""Refused batches: one row each, as in `refused_calls`, and made by the same test."""

from typing import Any

from tests.specs.refused_calls import GOOD, Row

DEEP = 1_000_000
"""Levels that no stack holds. Since Python 3.14 not their number counts, but the room they take."""

DEBIT = {"type": "debit", "wallet_id": "{wallet}", **GOOD}


def batch(name: str, status: int, code: str, param: str | None = None, **more: Any) -> Row:
    return Row(name, "POST", "/v1/batch", status, code, param, **more)


def envelope(name: str, body: object, *params: str) -> Row:
    return batch(f"a batch {name}", 422, "validation_failed", params[0], body=body, errors=params)


def atomic(
    name: str, status: int, code: str, param: str | None, *members: object, **more: Any
) -> Row:
    """A batch that is all or none, with the spoiled members after a good one."""
    name = f"all or none, with {name}"
    body = {"atomic": True, "commands": [DEBIT, *members]}
    return batch(name, status, code, param, body=body, **more)


def invalid(name: str, param: str, *members: object) -> Row:
    return atomic(name, 422, "validation_failed", param, *members)


def all_invalid(name: str, member: object, *params: str) -> Row:
    """One member, which is the second, with all that is wrong with it."""
    errors = tuple(f"commands[1].{param}" for param in params)
    return atomic(name, 422, "validation_failed", errors[0], member, errors=errors)


TRANSFER = {"type": "transfer", "from": "wal_" + "0a" * 16, "to": "wal_" + "0b" * 16, **GOOD}
REVERSE = {
    "type": "reverse",
    "transaction_id": "txn_" + "0a" * 16,
    "reference": "r",
    "allow_negative": True,
}
ROWS = [
    # The call itself.
    batch("a batch without credentials", 401, "unauthorized", body={}, who=None),
    batch("a batch by who only reads", 403, "forbidden", body={}, who="reader"),
    Row("a GET of the batch", "GET", "/v1/batch", 405, "method_not_allowed"),
    batch(
        "a batch with a key that is too long",
        400,
        "invalid_idempotency_key",
        "Idempotency-Key",
        body={"commands": [DEBIT]},
        headers={"Idempotency-Key": "k" * 249},
    ),
    batch(
        "an oversized batch",
        413,
        "payload_too_large",
        data=b'{"commands":["' + b"a" * 8 * 1024 * 1024 + b'"]}',
    ),
    *(
        batch(
            f"a batch {name}",
            415,
            "unsupported_media_type",
            body={"commands": [DEBIT]},
            headers=headers,
        )
        for name, headers in {
            "of text": {"Content-Type": "text/plain"},
            "of what is nearly lines": {"Content-Type": "application/x-ndjsonp"},
            "that is compressed": {"Content-Encoding": "gzip"},
            "of compressed lines": {
                "Content-Type": "application/x-ndjson",
                "Content-Encoding": "gzip",
            },
        }.items()
    ),
    # What is around the commands.
    *(
        batch(f"a batch that is {name}", 400, "malformed_request", data=data)
        for name, data in {
            "empty": b"",
            "an array": b"[]",
            "broken off": b'{"commands":[{"type":"debit"}',
            "not UTF-8": b'{"commands":[{"type":"\xff"}]}',
            "very deep": b'{"commands":' + b"[" * DEEP + b"]" * DEEP + b"}",
            "deep behind a wrong member": b'{"atomic":1,"commands":' + b"[" * DEEP,
            "deep behind wrong commands": b'{"commands":1,"x":' + b"[" * DEEP + b"]" * DEEP,
            "deep behind no commands": b'{"commands":[],"x":' + b'{"a":' * DEEP,
        }.items()
    ),
    envelope("without commands", {}, "commands"),
    envelope("whose commands are none", {"commands": []}, "commands"),
    *(
        envelope(f"that is rightly {flag}, of none", {"atomic": flag, "commands": []}, "commands")
        for flag in (True, False)
    ),
    envelope("whose commands are an object", {"commands": {}}, "commands"),
    envelope("of 1001 commands", {"commands": [DEBIT] * 1001}, "commands"),
    envelope("that is atomic in words", {"atomic": "yes", "commands": [DEBIT]}, "atomic"),
    envelope("with two faults", {"atomic": 1, "commands": []}, "atomic", "commands"),
    # One command that spoils them all.
    invalid("no type", "commands[1].type", {}),
    invalid("an unknown type", "commands[1].type", {"type": "topup"}),
    invalid("a number as type", "commands[1].type", {"type": 1}),
    invalid("no wallet", "commands[1].wallet_id", {"type": "debit", **GOOD}),
    invalid("a malformed wallet", "commands[1].wallet_id", {**DEBIT, "wallet_id": "wal_1"}),
    invalid("no hold", "commands[1].hold_id", {"type": "void"}),
    invalid("a number as hold", "commands[1].hold_id", {"type": "void", "hold_id": 1}),
    all_invalid(
        "a malformed wallet and all else",
        {"type": "debit", "wallet_id": "x", "amount": 0},
        *("wallet_id", "amount", "reference"),
    ),
    all_invalid(
        "a number as wallet and all else",
        {"type": "credit", "wallet_id": 7, "amount": 1.5, "reference": "r", "expires_at": "soon"},
        *("wallet_id", "amount", "expires_at"),
    ),
    all_invalid("no hold and all else", {"type": "capture", "amount": 0}, "hold_id", "amount"),
    all_invalid("no transaction and all else", {"type": "reverse"}, "transaction_id", "reference"),
    all_invalid(
        "two malformed wallets",
        {**GOOD, "type": "transfer", "from": "x", "to": "y"},
        *("from", "to"),
    ),
    atomic(
        "a NUL behind a malformed wallet",
        400,
        "malformed_request",
        "commands[1].reference",
        {**DEBIT, "wallet_id": "x", "reference": "\0"},
    ),
    invalid("an amount of 0", "commands[2].amount", DEBIT, {**DEBIT, "amount": 0}),
    atomic("a number", 400, "malformed_request", "commands[1]", 1),
    atomic(
        "a NUL", 400, "malformed_request", "commands[1].reference", {**DEBIT, "reference": "\0"}
    ),
    atomic(
        "something malformed behind something invalid",
        400,
        "malformed_request",
        "commands[2]",
        {"type": "topup"},
        [],
    ),
    atomic(
        "an oversized command",
        413,
        "payload_too_large",
        "commands[1]",
        {**DEBIT, "metadata": {"a": "b" * 140_000}},
    ),
    atomic("a balance below zero", 403, "forbidden", "commands[1].allow_negative", REVERSE),
    invalid(
        "a balance below zero and no such id",
        "commands[1].transaction_id",
        {**REVERSE, "transaction_id": "txn_1"},
    ),
    invalid("an invalid debt", "commands[1].amount", {**REVERSE, "amount": 0}),
    batch(
        "all or none, with a transfer by who may only change wallets",
        403,
        "forbidden",
        "commands[1]",
        body={"atomic": True, "commands": [DEBIT, TRANSFER]},
        who="writer",
    ),
]
