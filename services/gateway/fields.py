"""Fields: what may be wrong with each field of a request, as one function a field.

A check gets the value as JSON has it, or `ABSENT`, and says what is wrong in words that
do not repeat the value.
"""

from collections.abc import Callable, Sequence
from typing import Final, get_args

from ledger.command_handling.gate import MAX_METADATA_BYTES
from schemas.commands import FreezeScope
from schemas.http.problems import FieldProblem
from schemas.identifiers import is_hold_id, is_transaction_id, is_wallet_id
from schemas.identity import ReviewOutcome
from schemas.money import MAX_AMOUNT_MINOR, is_currency
from schemas.times import moment_of

MAX_NAME_CHARACTERS: Final = 255
MAX_DESCRIPTION_CHARACTERS: Final = 1024
MAX_REASON_CHARACTERS: Final = 255

ABSENT: Final = object()
"""Stands for the value of a field that is not there."""
TOO_LARGE: Final = object()
"""Stands for metadata that is larger than what is worth keeping."""

FieldCheck = Callable[[object], FieldProblem | None]


def _found(param: str, code: str, detail: str) -> FieldProblem:
    return FieldProblem(param=param, code=code, detail=detail)


def _nullable(check: FieldCheck) -> FieldCheck:
    """The same check of a field that may be left out, or be null."""
    return lambda value: None if value is ABSENT or value is None else check(value)


def _amount(value: object) -> FieldProblem | None:
    match value:
        case bool() | float() | str() | None | list() | dict():
            detail = "must be an integer in the currency's minor unit, without point or exponent"
            return _found("amount", "wrong_type", detail)
        case int() if 1 <= value <= MAX_AMOUNT_MINOR:
            return None
        case int():
            return _found("amount", "out_of_range", f"must be from 1 to {MAX_AMOUNT_MINOR}")
        case _:
            return _found("amount", "missing", "is required")


def _string(
    param: str, judge: Callable[[str], FieldProblem | None], *, required: bool = True
) -> FieldCheck:
    """A check of a string, whose value `judge` looks at."""

    def check(value: object) -> FieldProblem | None:
        if value is ABSENT:
            return _found(param, "missing", "is required") if required else None
        if not isinstance(value, str):
            return _found(param, "wrong_type", "must be a string")
        return judge(value)

    return check


def _text(param: str, least: int, most: int, *, required: bool) -> FieldCheck:
    def judge(text: str) -> FieldProblem | None:
        if len(text) < least:
            return _found(param, "too_short", "must not be empty")
        if len(text) > most:
            return _found(param, "too_long", f"must not be longer than {most} characters")
        return None

    return _string(param, judge, required=required)


def _one_of(param: str, choices: Sequence[str], *, required: bool) -> FieldCheck:
    def judge(text: str) -> FieldProblem | None:
        if text in choices:
            return None
        return _found(param, "unknown_value", f"must be one of {', '.join(choices)}")

    return _string(param, judge, required=required)


def _redirect(param: str, problem_of: Callable[[str], str | None]) -> FieldCheck:
    def judge(url: str) -> FieldProblem | None:
        what = problem_of(url)
        return None if what is None else _found(param, "redirect_not_allowed", what)

    return _string(param, judge)


def _id(param: str, prefix: str, is_spelled: Callable[[str], bool]) -> FieldCheck:
    def judge(text: str) -> FieldProblem | None:
        if is_spelled(text):
            return None
        return _found(param, "invalid_id", f"must be spelled {prefix}_ and 32 hexadecimal digits")

    return _string(param, judge)


def _currency(text: str) -> FieldProblem | None:
    if is_currency(text):
        return None
    detail = "must be the ISO 4217 code of a currency with minor units, such as GHS"
    return _found("currency", "unknown_currency", detail)


def _expires_at(text: str) -> FieldProblem | None:
    if moment_of(text) is not None:
        return None
    detail = "must be a time as RFC 3339 has it, such as 2030-01-01T00:00:00Z, or a date"
    return _found("expires_at", "invalid_time", detail)


def _flag(param: str) -> FieldCheck:
    def check(value: object) -> FieldProblem | None:
        if value is ABSENT or isinstance(value, bool):
            return None
        return _found(param, "wrong_type", "must be true or false")

    return check


def _metadata(value: object) -> FieldProblem | None:
    if value is TOO_LARGE:
        return _found("metadata", "too_long", f"must not be over {MAX_METADATA_BYTES} bytes")
    if value is ABSENT or value is None or isinstance(value, dict):
        return None
    return _found("metadata", "wrong_type", "must be an object")


def _remaining_balance(value: object) -> FieldProblem | None:
    detail = 'must be "forfeit", or {"transfer_to": …} with the id of a wallet'
    match value:
        case "forfeit" | None:
            return None
        case {"transfer_to": str(wallet_id), **rest} if not rest:
            if is_wallet_id(wallet_id):
                return None
            return _found("remaining_balance", "invalid_id", detail)
        case str():
            return _found("remaining_balance", "unknown_value", detail)
        case _ if value is ABSENT:
            return None
        case _:
            return _found("remaining_balance", "wrong_type", detail)


_DESCRIPTION = _text("description", 0, MAX_DESCRIPTION_CHARACTERS, required=False)
_REFERENCE = _text("reference", 1, MAX_NAME_CHARACTERS, required=True)
_EXPIRES_AT = _nullable(_string("expires_at", _expires_at))
_REASON = _nullable(_text("reason", 0, MAX_REASON_CHARACTERS, required=False))
_TOLD: Final[dict[str, FieldCheck]] = {
    "description": _DESCRIPTION,
    "reference": _REFERENCE,
    "metadata": _metadata,
}

CREATE_FIELDS: Final[dict[str, FieldCheck]] = {
    "customer_id": _text("customer_id", 1, MAX_NAME_CHARACTERS, required=True),
    "currency": _string("currency", _currency),
    "metadata": _metadata,
}
DEBIT_FIELDS: Final[dict[str, FieldCheck]] = {"amount": _amount, **_TOLD}
EXPIRING_FIELDS: Final[dict[str, FieldCheck]] = {
    **DEBIT_FIELDS,
    "expires_at": _EXPIRES_AT,
}
"""Of a credit and of a hold."""
CAPTURE_FIELDS: Final[dict[str, FieldCheck]] = {
    "amount": _nullable(_amount),
    "final": _flag("final"),
    **_TOLD,
    "reference": _nullable(_REFERENCE),
}


def topup_fields(redirect_problem: Callable[[str], str | None]) -> dict[str, FieldCheck]:
    """Of a top-up, whose redirects must be allowed: `redirect_problem` says why one is not."""
    return {
        "amount": _amount,
        "redirect_url": _redirect("redirect_url", redirect_problem),
        "cancel_url": _nullable(_redirect("cancel_url", redirect_problem)),
        "expires_at": _EXPIRES_AT,
        **_TOLD,
        "reference": _nullable(_REFERENCE),
    }


TRANSFER_FIELDS: Final[dict[str, FieldCheck]] = {
    "from": _id("from", "wal", is_wallet_id),
    "to": _id("to", "wal", is_wallet_id),
    **DEBIT_FIELDS,
}
REVERSE_FIELDS: Final[dict[str, FieldCheck]] = {
    "amount": _nullable(_amount),
    "allow_negative": _flag("allow_negative"),
    **_TOLD,
}
FREEZE_FIELDS: Final[dict[str, FieldCheck]] = {
    "scope": _one_of("scope", get_args(FreezeScope), required=False),
    "reason": _REASON,
}
REVIEW_FIELDS: Final[dict[str, FieldCheck]] = {
    "outcome": _one_of("outcome", get_args(ReviewOutcome), required=True),
    "reason": _REASON,
}
UNFREEZE_FIELDS: Final[dict[str, FieldCheck]] = {"reason": _REASON}
CLOSE_FIELDS: Final[dict[str, FieldCheck]] = {"remaining_balance": _remaining_balance}

check_wallet_id: Final = _id("wallet_id", "wal", is_wallet_id)
check_hold_id: Final = _id("hold_id", "hol", is_hold_id)
check_transaction_id: Final = _id("transaction_id", "txn", is_transaction_id)
