"""Wishes: one member of a batch, read as the body of its own call would be. Pure."""

from collections.abc import Callable
from typing import Final

import msgspec

from schemas.commands import (
    CaptureHold,
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)
from schemas.http.problems import FieldProblem
from schemas.identifiers import is_hold_id, is_transaction_id, is_wallet_id
from services.gateway import bodies
from services.gateway.problems import RefusedError
from services.gateway.requests import malformed


class _Names(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says that the path and the method of its own call would say."""

    type: str
    wallet_id: str | None = None
    hold_id: str | None = None
    transaction_id: str | None = None


Reader = Callable[[_Names, bytes], Command]
_names: Final = msgspec.json.Decoder(_Names)


def read_wish(body: bytes) -> tuple[str, Command]:
    """A member's type and its command. Raises `RefusedError` with all that is wrong with it."""
    try:
        names = _names.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _unnamed(body) from None
    reader = _READERS.get(names.type)
    if reader is None:
        raise _invalid("type", "unknown_value", f"must be one of {', '.join(WISH_TYPES)}")
    return names.type, reader(names, body)


def _unnamed(body: bytes) -> RefusedError:
    try:
        members = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return malformed("it is not valid JSON")
    if not isinstance(members, dict):
        return malformed("it is JSON, but not an object")
    for name in ("type", "wallet_id", "hold_id", "transaction_id"):
        if not isinstance(members.get(name, ""), str):
            return _invalid(name, "wrong_type", "must be a string")
    return _invalid("type", "missing", "is required")


def _invalid(param: str, code: str, detail: str) -> RefusedError:
    found = FieldProblem(param=param, code=code, detail=detail)
    return RefusedError("validation_failed", f"{param} {detail}", param=param, errors=[found])


def _named(param: str, value: str | None, is_spelled: Callable[[str], bool]) -> str:
    if value is None:
        raise _invalid(param, "missing", "is required")
    if not is_spelled(value):
        raise _invalid(param, "invalid_id", "is not spelled as such an id")
    return value


def _wallet(names: _Names) -> str:
    return _named("wallet_id", names.wallet_id, is_wallet_id)


def _create(_: _Names, body: bytes) -> Command:
    asked = bodies.read_create(body)
    return CreateWallet(
        customer_id=asked.customer_id,
        currency=asked.currency,
        metadata=bodies.kept(asked.metadata),
    )


def _debit(names: _Names, body: bytes) -> Command:
    asked = bodies.read_debit(body)
    return DebitWallet(
        wallet_id=_wallet(names),
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


def _credit(names: _Names, body: bytes) -> Command:
    asked = bodies.read_credit(body)
    return CreditWallet(
        wallet_id=_wallet(names),
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
        expires_at=bodies.expiry(asked.expires_at),
        metadata=bodies.kept(asked.metadata),
    )


def _freeze(names: _Names, body: bytes) -> Command:
    asked = bodies.read_freeze(body)
    return FreezeWallet(wallet_id=_wallet(names), scope=asked.scope, reason=asked.reason)


def _unfreeze(names: _Names, body: bytes) -> Command:
    return UnfreezeWallet(wallet_id=_wallet(names), reason=bodies.read_unfreeze(body).reason)


def _close(names: _Names, body: bytes) -> Command:
    asked = bodies.read_close(body)
    return CloseWallet(wallet_id=_wallet(names), remaining_balance=asked.remaining_balance)


def _hold(names: _Names, body: bytes) -> Command:
    asked = bodies.read_hold(body)
    return PlaceHold(
        wallet_id=_wallet(names),
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
        expires_at=bodies.expiry(asked.expires_at),
        metadata=bodies.kept(asked.metadata),
    )


def _capture(names: _Names, body: bytes) -> Command:
    asked = bodies.read_capture(body)
    return CaptureHold(
        hold_id=_named("hold_id", names.hold_id, is_hold_id),
        amount=asked.amount,
        final=asked.final,
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


def _void(names: _Names, _: bytes) -> Command:
    return VoidHold(hold_id=_named("hold_id", names.hold_id, is_hold_id))


def _transfer(_: _Names, body: bytes) -> Command:
    asked = bodies.read_transfer(body)
    return TransferMoney(
        from_wallet_id=asked.from_wallet_id,
        to_wallet_id=asked.to_wallet_id,
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


def _reverse(names: _Names, body: bytes) -> Command:
    asked = bodies.read_reverse(body)
    return ReverseTransaction(
        transaction_id=_named("transaction_id", names.transaction_id, is_transaction_id),
        amount=asked.amount,
        allow_negative=asked.allow_negative,
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


_READERS: Final[dict[str, Reader]] = {
    "create": _create,
    "debit": _debit,
    "credit": _credit,
    "freeze": _freeze,
    "unfreeze": _unfreeze,
    "close": _close,
    "hold": _hold,
    "capture": _capture,
    "void": _void,
    "transfer": _transfer,
    "reverse": _reverse,
}
WISH_TYPES: Final = tuple(_READERS)
"""What a member of a batch may ask for."""
