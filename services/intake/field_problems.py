"""Field problems: what is wrong with a command's JSON, field by field, as HTTP says it. Pure.

What is said names fields, never what stood in them.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import get_args

import msgspec
from msgspec import Raw
from msgspec.structs import FieldInfo

from ledger.command_handling.gate import metadata_problem, text_problem
from schemas.commands import Command, FreezeScope, TransferTo
from schemas.identifiers import is_hold_id, is_topup_id, is_transaction_id, is_wallet_id
from schemas.money import MAX_AMOUNT_MINOR, is_currency
from schemas.times import END_OF_TIME, cut_to_microseconds, moment_of

MEMBERS = msgspec.json.Decoder(dict[str, Raw])
IDS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "wallet_id": ("wal_", is_wallet_id),
    "from_wallet_id": ("wal_", is_wallet_id),
    "to_wallet_id": ("wal_", is_wallet_id),
    "hold_id": ("hol_", is_hold_id),
    "transaction_id": ("txn_", is_transaction_id),
    "topup_id": ("top_", is_topup_id),
}
"""How the ids in a command are spelled, by the names of their fields."""

_SHOWABLE_NAME = re.compile(r"[a-z][a-z_]{0,31}", re.ASCII)
_SHOWN_NAMES_MAX = 8
_LENGTH = re.compile(r"of length ([<>])= (\d+)", re.ASCII)
_FLAG = "must be true or false"
_SAID = {
    "allow_negative": _FLAG,
    "final": _FLAG,
    "remaining_balance": 'must be "forfeit", or {"transfer_to": …} with the id of a wallet',
}
"""What is said of a field whatever is wrong with it."""
_SAID_OF_A_TEXT = {
    "currency": "must be the ISO 4217 code of a currency with minor units, such as GHS",
    "expires_at": "must be a time as RFC 3339 has it, such as 2030-01-01T00:00:00Z, or a date",
    "scope": f"must be one of {', '.join(get_args(FreezeScope))}",
    **dict.fromkeys(
        ("redirect_url", "cancel_url"),
        "must be an http or https URL with a host, and without user and password",
    ),
    **{
        name: f"must be spelled {prefix} and 32 hexadecimal digits"
        for name, (prefix, _) in IDS.items()
    },
}
"""What is said of a field that is a text, but not the right one."""


def problems_of(command_type: type[Command], value: bytes) -> Iterable[str]:
    """Everything that is wrong with a command's JSON."""
    try:
        members = MEMBERS.decode(value)
    except msgspec.ValidationError:
        yield "value: must be an object"
        return
    tag = command_type.__struct_config__.tag
    if "type" in members and bytes(members.pop("type")) != msgspec.json.encode(tag):
        yield "type: must agree with ce_type"
    for field in msgspec.structs.fields(command_type):
        raw = members.pop(field.encode_name, None)
        if raw is None:
            if field.required:
                yield f"{field.encode_name}: is required"
        elif problem := _problem_of(field, bytes(raw)):
            yield f"{field.encode_name}: {problem}"
    showable = sorted(name for name in members if _SHOWABLE_NAME.fullmatch(name))
    for name in showable[:_SHOWN_NAMES_MAX]:
        yield f"{name}: is not supported"
    if len(members) > len(showable[:_SHOWN_NAMES_MAX]):
        yield "members that this command does not have are not supported"


def names_a_wallet(remaining_balance: TransferTo | str | None) -> bool:
    """Whether a receiver of the rest, if there is one, is spelled as a wallet."""
    if isinstance(remaining_balance, TransferTo):
        return is_wallet_id(remaining_balance.transfer_to)
    return True


def can_be_kept(moment: datetime | None) -> bool:
    """Whether the log can keep the moment.

    At the ends of the calendar a moment with an offset may have no date in UTC.
    """
    try:
        return moment is None or moment.astimezone(UTC) != END_OF_TIME
    except OverflowError:
        return False


def readable(moment: str) -> datetime | str:
    """What msgspec reads of a moment as `moment_of` does: it needs an offset, and rounds."""
    return moment_of(moment) or cut_to_microseconds(moment)


def _problem_of(field: FieldInfo, raw: bytes) -> str | None:
    if field.name == "metadata":
        return metadata_problem(raw)
    try:
        content = msgspec.json.decode(raw)
        if field.name == "expires_at" and isinstance(content, str):
            raw = msgspec.json.encode(readable(content))
        content = msgspec.json.decode(raw, type=field.type)
    except UnicodeDecodeError:
        return "must be valid UTF-8"
    except msgspec.ValidationError as error:
        return _plainly(field.name, str(error))
    except msgspec.DecodeError:
        return "must not contain lone surrogates"
    match field.name:
        case "expires_at":
            is_sound = can_be_kept(content)
        case "remaining_balance":
            is_sound = names_a_wallet(content)
        case "currency":
            is_sound = is_currency(content)
        case name if name in IDS:
            is_sound = IDS[name][1](content)
        case _:
            return text_problem(content) if isinstance(content, str) else None
    return None if is_sound else _SAID.get(field.name) or _SAID_OF_A_TEXT[field.name]


def _plainly(name: str, said: str) -> str:
    """What msgspec said, without its words for types, and without the value that it may repeat."""
    is_of_another_type = ", got `" in said
    if name == "amount":
        if is_of_another_type:
            return "must be an integer in the currency's minor unit, without point or exponent"
        return f"must be from 1 to {MAX_AMOUNT_MINOR}"
    if name in _SAID:
        return _SAID[name]
    if is_of_another_type:
        return "must be a string"
    if (length := _LENGTH.search(said)) is not None:
        is_too_long = length[1] == "<"
        return (
            f"must not be longer than {length[2]} characters"
            if is_too_long
            else "must not be empty"
        )
    return _SAID_OF_A_TEXT.get(name, "is not one of the values allowed")
