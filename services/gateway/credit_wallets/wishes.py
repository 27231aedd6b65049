"""Wishes: what a body asks for, as a command; of a single call, or of one member of a batch.

Pure. Whose wallet, hold or transaction it is says the path, or the member itself: `name`
tells it, and is asked when the body has been read, so that 422 comes before 404.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from schemas.commands import (
    CancelTopup,
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
    UnfreezeWallet,
    VoidHold,
)
from schemas.http.credit_wallets import TopupRequest
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


Name = Callable[[], str]
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


def create(body: bytes) -> Command:
    """Open a wallet."""
    asked = bodies.read_create(body)
    return CreateWallet(
        customer_id=asked.customer_id,
        currency=asked.currency,
        metadata=bodies.kept(asked.metadata),
    )


def debit(name: Name, body: bytes) -> Command:
    """Take money out."""
    asked = bodies.read_debit(body)
    return DebitWallet(
        wallet_id=name(),
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


def credit(name: Name, body: bytes) -> Command:
    """Put money in."""
    asked = bodies.read_credit(body)
    return CreditWallet(
        wallet_id=name(),
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
        expires_at=bodies.expiry(asked.expires_at),
        metadata=bodies.kept(asked.metadata),
    )


def freeze(name: Name, body: bytes) -> Command:
    """Stop what the scope names."""
    asked = bodies.read_freeze(body)
    return FreezeWallet(wallet_id=name(), scope=asked.scope, reason=asked.reason)


def unfreeze(name: Name, body: bytes) -> Command:
    """Lift every freeze."""
    return UnfreezeWallet(wallet_id=name(), reason=bodies.read_unfreeze(body).reason)


def close(name: Name, body: bytes) -> Command:
    """Close for good."""
    asked = bodies.read_close(body)
    return CloseWallet(wallet_id=name(), remaining_balance=asked.remaining_balance)


def hold(name: Name, body: bytes) -> Command:
    """Set money aside."""
    asked = bodies.read_hold(body)
    return PlaceHold(
        wallet_id=name(),
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
        expires_at=bodies.expiry(asked.expires_at),
        metadata=bodies.kept(asked.metadata),
    )


def capture(name: Name, body: bytes) -> Command:
    """Spend held money."""
    asked = bodies.read_capture(body)
    return CaptureHold(
        hold_id=name(),
        amount=asked.amount,
        final=asked.final,
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


def void(name: Name) -> Command:
    """Free what is left of a hold."""
    return VoidHold(hold_id=name())


def transfer(body: bytes) -> Command:
    """Move money between two wallets."""
    asked = bodies.read_transfer(body)
    return TransferMoney(
        from_wallet_id=asked.from_wallet_id,
        to_wallet_id=asked.to_wallet_id,
        amount=asked.amount,
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


def reverse(name: Name, body: bytes) -> Command:
    """Undo a transaction."""
    asked = bodies.read_reverse(body)
    return ReverseTransaction(
        transaction_id=name(),
        amount=asked.amount,
        allow_negative=asked.allow_negative,
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


def topup(name: Name, asked: TopupRequest) -> Command:
    """Ask a customer for a payment. No member of a batch: the customer stands before a page."""
    return CreateTopup(
        wallet_id=name(),
        amount=asked.amount,
        redirect_url=asked.redirect_url,
        cancel_url=asked.cancel_url,
        expires_at=bodies.expiry(asked.expires_at),
        description=asked.description,
        reference=asked.reference,
        metadata=bodies.kept(asked.metadata),
    )


def cancel_topup(name: Name) -> Command:
    """Stop waiting for a payment. No member of a batch either."""
    return CancelTopup(topup_id=name())


def _of_wallet(wish: Callable[[Name, bytes], Command]) -> Reader:
    return lambda names, body: wish(
        lambda: _named("wallet_id", names.wallet_id, is_wallet_id), body
    )


def _hold(names: _Names) -> Name:
    return lambda: _named("hold_id", names.hold_id, is_hold_id)


def _transaction(names: _Names) -> Name:
    return lambda: _named("transaction_id", names.transaction_id, is_transaction_id)


_READERS: Final[dict[str, Reader]] = {
    "create": lambda _, body: create(body),
    "debit": _of_wallet(debit),
    "credit": _of_wallet(credit),
    "freeze": _of_wallet(freeze),
    "unfreeze": _of_wallet(unfreeze),
    "close": _of_wallet(close),
    "hold": _of_wallet(hold),
    "capture": lambda names, body: capture(_hold(names), body),
    "void": lambda names, _: void(_hold(names)),
    "transfer": lambda _, body: transfer(body),
    "reverse": lambda names, body: reverse(_transaction(names), body),
}
WISH_TYPES: Final = tuple(_READERS)
"""What a member of a batch may ask for."""
