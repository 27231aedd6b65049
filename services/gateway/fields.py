"""Fields: what may be wrong with each field of a request, as one function a field.

A check gets the value as JSON has it, or `ABSENT`, and says what is wrong in words that
do not repeat the value.
"""

from collections.abc import Callable
from typing import Final

from ledger.command_handling.gate import MAX_METADATA_BYTES
from schemas.http.credit_wallets import UNSUPPORTED_FIELDS
from schemas.http.problems import FieldProblem
from schemas.money import MAX_AMOUNT_MINOR, is_currency

MAX_NAME_CHARACTERS: Final = 255
MAX_DESCRIPTION_CHARACTERS: Final = 1024

ABSENT: Final = object()
"""Stands for the value of a field that is not there."""
TOO_LARGE: Final = object()
"""Stands for metadata that is larger than what is worth keeping."""

FieldCheck = Callable[[object], FieldProblem | None]


def _found(param: str, code: str, detail: str) -> FieldProblem:
    return FieldProblem(param=param, code=code, detail=detail)


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


def _text(param: str, least: int, most: int, *, required: bool) -> FieldCheck:
    def check(value: object) -> FieldProblem | None:
        if value is ABSENT:
            return _found(param, "missing", "is required") if required else None
        if not isinstance(value, str):
            return _found(param, "wrong_type", "must be a string")
        if len(value) < least:
            return _found(param, "too_short", "must not be empty")
        if len(value) > most:
            return _found(param, "too_long", f"must not be longer than {most} characters")
        return None

    return check


def _currency(value: object) -> FieldProblem | None:
    if value is ABSENT:
        return _found("currency", "missing", "is required")
    if not isinstance(value, str):
        return _found("currency", "wrong_type", "must be a string")
    if not is_currency(value):
        detail = "must be the ISO 4217 code of a currency with minor units, such as GHS"
        return _found("currency", "unknown_currency", detail)
    return None


def _metadata(value: object) -> FieldProblem | None:
    if value is TOO_LARGE:
        return _found("metadata", "too_long", f"must not be over {MAX_METADATA_BYTES} bytes")
    if value is ABSENT or value is None or isinstance(value, dict):
        return None
    return _found("metadata", "wrong_type", "must be an object")


def _expires_at(value: object) -> FieldProblem | None:
    if value is ABSENT or value is None:
        return None
    return _found("expires_at", "unsupported_field", UNSUPPORTED_FIELDS["expires_at"])


def _remaining_balance(value: object) -> FieldProblem | None:
    match value:
        case "forfeit" | None:
            return None
        case {"transfer_to": str()}:
            detail = "transfer_to is not available yet: forfeit it, or debit the wallet first"
            return _found("remaining_balance", "unsupported_field", detail)
        case str():
            return _found("remaining_balance", "unknown_value", 'must be "forfeit"')
        case _ if value is ABSENT:
            return None
        case _:
            return _found("remaining_balance", "wrong_type", 'must be "forfeit"')


MONEY_FIELDS: Final[dict[str, FieldCheck]] = {
    "amount": _amount,
    "description": _text("description", 0, MAX_DESCRIPTION_CHARACTERS, required=False),
    "reference": _text("reference", 1, MAX_NAME_CHARACTERS, required=True),
    "metadata": _metadata,
    "expires_at": _expires_at,
}
CREATE_FIELDS: Final[dict[str, FieldCheck]] = {
    "customer_id": _text("customer_id", 1, MAX_NAME_CHARACTERS, required=True),
    "currency": _currency,
    "metadata": _metadata,
}
CLOSE_FIELDS: Final[dict[str, FieldCheck]] = {"remaining_balance": _remaining_balance}
