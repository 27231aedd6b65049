"""Each field of a body is told what is wrong with it, by its code and with its limits."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from services.gateway import bodies
from services.gateway.problems import RefusedError

LARGEST = 2**53 - 1
WALLET_ID = "wal_" + "0a" * 16

NAMED: dict[str, Any] = {"amount": 5, "reference": "r"}
BASES: dict[str, tuple[bodies.BodyReader[Any], dict[str, Any]]] = {
    "create": (bodies.read_create, {"customer_id": "c", "currency": "GHS"}),
    "credit": (bodies.read_credit, NAMED),
    "hold": (bodies.read_hold, NAMED),
    "debit": (bodies.read_debit, NAMED),
    "capture": (bodies.read_capture, {}),
    "transfer": (bodies.read_transfer, {"from": WALLET_ID, "to": WALLET_ID, **NAMED}),
    "reverse": (bodies.read_reverse, {"reference": "r"}),
    "freeze": (bodies.read_freeze, {}),
    "unfreeze": (bodies.read_unfreeze, {}),
    "review": (bodies.read_review, {"outcome": "approved"}),
    "close": (bodies.read_close, {}),
}
GONE = object()
"""The field is left out."""
Faults = list[tuple[object, str | None]]
AMOUNTS: Faults = [(1, None), (LARGEST, None), (0, "out_of_range"), (-1, "out_of_range"),
                   (LARGEST + 1, "out_of_range"), (True, "wrong_type"), (1.0, "wrong_type"),
                   ("5", "wrong_type"), ([], "wrong_type"), ({}, "wrong_type")]  # fmt: skip
SAID: Faults = [("", None), ("é" * 1024, None), ("é" * 1025, "too_long"), (None, "wrong_type"),
                (5, "wrong_type"), (GONE, None)]  # fmt: skip
REASONS: Faults = [("", None), ("é" * 255, None), ("é" * 256, "too_long"), (None, None),
                   (5, "wrong_type"), (GONE, None)]  # fmt: skip
REFERENCES: Faults = [("", "too_short"), ("é" * 255, None), ("é" * 256, "too_long"),
                      (5, "wrong_type")]  # fmt: skip
METADATA: Faults = [(None, None), ({}, None), (GONE, None), ([], "wrong_type"), ("", "wrong_type"),
                    (5, "wrong_type"), ({"a": "x" * 40_000}, "too_long")]  # fmt: skip
FLAGS: Faults = [(True, None), (GONE, None), (None, "wrong_type"), (1, "wrong_type"),
                 ("true", "wrong_type")]  # fmt: skip
MOMENTS: Faults = [(None, None), ("2030-01-01", None), (GONE, None), ("tomorrow", "invalid_time"),
                   ("", "invalid_time"), (5, "wrong_type")]  # fmt: skip
IDS: Faults = [(GONE, "missing"), (None, "wrong_type"), ("", "invalid_id"),
               (f"txn_{'0a' * 16}", "invalid_id")]  # fmt: skip
ASKED: Faults = [(None, "wrong_type"), (GONE, "missing")]
"""Of a field that there must be, and which may not be null."""
LEFT_OUT: Faults = [(None, None), (GONE, None)]
FAULTS: list[tuple[str, str, Faults]] = [
    ("create", "customer_id", [*REFERENCES, *ASKED]),
    ("create", "currency", [("NGN", None), ("ghs", "unknown_currency"), ("", "unknown_currency"),
                            (5, "wrong_type"), *ASKED]),
    *((kind, "metadata", METADATA)
      for kind in ("create", "credit", "hold", "debit", "capture", "transfer", "reverse")),
    *((kind, "amount", [*AMOUNTS, *ASKED]) for kind in ("credit", "hold", "debit", "transfer")),
    *((kind, "amount", [*AMOUNTS, *LEFT_OUT]) for kind in ("capture", "reverse")),
    *((kind, "reference", [*REFERENCES, *ASKED])
      for kind in ("credit", "hold", "debit", "transfer", "reverse")),
    ("capture", "reference", [*REFERENCES, *LEFT_OUT]),
    *((kind, "description", SAID)
      for kind in ("credit", "hold", "debit", "capture", "transfer", "reverse")),
    *((kind, "expires_at", MOMENTS) for kind in ("credit", "hold")),
    *((kind, "reason", REASONS) for kind in ("freeze", "unfreeze", "review")),
    ("capture", "final", FLAGS),
    ("reverse", "allow_negative", FLAGS),
    ("transfer", "from", IDS),
    ("transfer", "to", IDS),
    ("freeze", "scope", [("credits", None), (GONE, None), ("", "unknown_value"),
                         ("none", "unknown_value"), (None, "wrong_type")]),
    ("review", "outcome", [("rejected", None), ("pending", "unknown_value"), *ASKED]),
    ("close", "remaining_balance",
     [("forfeit", None), *LEFT_OUT, ({"transfer_to": WALLET_ID}, None),
      ("keep", "unknown_value"), (5, "wrong_type"), ({}, "wrong_type"),
      ({"transfer_to": 5}, "wrong_type"), ({"transfer_to": "mine"}, "invalid_id"),
      ({"transfer_to": WALLET_ID, "more": 1}, "wrong_type")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "param", "faults"), FAULTS, ids=[f"{row[0]}: {row[1]}" for row in FAULTS]
)
def test_each_field_is_told_what_is_wrong_with_it_and_only_then(
    kind: str, param: str, faults: Faults
) -> None:
    read, base = BASES[kind]
    for value, code in faults:
        body = {**base, param: value}
        if value is GONE:
            del body[param]
        refused = refusal(read, msgspec.json.encode(body))
        found = [] if refused is None else [(each.param, each.code) for each in refused.errors]
        assert found == ([] if code is None else [(param, code)]), value
        if refused is not None:
            assert refused.code == "validation_failed"


def test_every_field_that_is_wrong_is_told_and_none_that_is_right() -> None:
    """Wrong is what the fast way could not read; which field that was is looked for afterwards."""
    for kind, (read, base) in BASES.items():
        told = {param: faults for of, param, faults in FAULTS if of == kind}
        right = {
            param: [value for value, code in values if code is None and value is not GONE][-1]
            for param, values in told.items()
            if any(code is None and value is not GONE for value, code in values)
        }
        for spoiled, faults in told.items():
            wrong = next(value for value, code in faults if code and value is not GONE)
            refused = refusal(read, msgspec.json.encode({**base, **right, spoiled: wrong}))
            assert refused is not None
            assert [each.param for each in refused.errors] == [spoiled]


def refusal(read: Callable[[bytes], object], body: bytes) -> RefusedError | None:
    """Why a body is refused, if it is; any other error is a failure of the test."""
    try:
        read(body)
    except RefusedError as refused:
        return refused
    return None
