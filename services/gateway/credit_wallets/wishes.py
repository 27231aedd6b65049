"""Wishes: what a body asks for, as a command; of a single call, or of one member of a batch.

Pure. Whose wallet, hold or transaction it is says the path, or the member itself: `name`
tells it, and is asked when the body has been read, so that 422 comes before 404.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from ledger.command_handling.gate import MemberNames, json_problem
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
from services.gateway import bodies
from services.gateway.fields import (
    ABSENT,
    FieldCheck,
    check_hold_id,
    check_transaction_id,
    check_wallet_id,
)
from services.gateway.json_objects import is_utf8, twice
from services.gateway.problems import RefusedError, invalid_fields
from services.gateway.requests import malformed


class _Names(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says that the path and the method of its own call would say. Unjudged."""

    type: object = ABSENT
    wallet_id: object = ABSENT
    hold_id: object = ABSENT
    transaction_id: object = ABSENT


Name = Callable[[], str]
Wish = Callable[[Name, bytes], Command]
Reader = Callable[[_Names, bytes], Command]
_names: Final = msgspec.json.Decoder(_Names)


def read_wish(body: bytes) -> tuple[str, Command]:
    """A member's type and its command. Raises `RefusedError` with all that is wrong with it."""
    try:
        names = _names.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _unreadable(body) from None
    kind = names.type
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or reader is None:
        # What else it must have is not known then.
        raise invalid_fields([_wrong_type_of_wish(kind)])
    if not is_utf8(body):
        raise malformed("it is not UTF-8")
    if (name := _NAMES_OF[kind].twice_in(body)) is not None:
        raise twice(name)
    return kind, reader(names, body)


def _unreadable(body: bytes) -> RefusedError:
    return malformed(f"it {json_problem(body) or 'is JSON, but not an object'}")


def _wrong_type_of_wish(kind: object) -> FieldProblem:
    if kind is ABSENT:
        return FieldProblem(param="type", code="missing", detail="is required")
    if not isinstance(kind, str):
        return FieldProblem(param="type", code="wrong_type", detail="must be a string")
    detail = f"must be one of {', '.join(WISH_TYPES)}"
    return FieldProblem(param="type", code="unknown_value", detail=detail)


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


def _read_named(
    wish: Wish,
    name_of: Callable[[_Names], object],
    check: FieldCheck,
    names: _Names,
    body: bytes,
) -> Command:
    name = name_of(names)
    found = check(name)
    if found is None:
        return wish(lambda: str(name), body)
    raise _with_the_rest(found, wish, body)


def _with_the_rest(found: FieldProblem, wish: Wish, body: bytes) -> RefusedError:
    """The refusal of a member whose name is wrong, and perhaps more of it."""
    try:
        wish(lambda: "", body)
    except RefusedError as error:
        # What cannot be read at all comes first.
        return invalid_fields([found, *error.errors]) if error.errors else error
    return invalid_fields([found])


def _of_wallet(wish: Wish) -> Reader:
    return partial(_read_named, wish, lambda names: names.wallet_id, check_wallet_id)


def _of_hold(wish: Wish) -> Reader:
    return partial(_read_named, wish, lambda names: names.hold_id, check_hold_id)


def _of_transaction(wish: Wish) -> Reader:
    return partial(_read_named, wish, lambda names: names.transaction_id, check_transaction_id)


_READERS: Final[dict[str, Reader]] = {
    "create": lambda _, body: create(body),
    "debit": _of_wallet(debit),
    "credit": _of_wallet(credit),
    "freeze": _of_wallet(freeze),
    "unfreeze": _of_wallet(unfreeze),
    "close": _of_wallet(close),
    "hold": _of_wallet(hold),
    "capture": _of_hold(capture),
    "void": _of_hold(lambda name, _: void(name)),
    "transfer": lambda _, body: transfer(body),
    "reverse": _of_transaction(reverse),
}
_NAMED_OTHERWISE: Final = {
    **dict.fromkeys(("create", "transfer"), ("type",)),
    **dict.fromkeys(("capture", "void"), ("type", "hold_id")),
    "reverse": ("type", "transaction_id"),
}
_NAMES_OF: Final = {
    kind: MemberNames(_NAMED_OTHERWISE.get(kind, ("type", "wallet_id"))) for kind in _READERS
}
"""What a member has beside the body of its own call, once."""
WISH_TYPES: Final = tuple(_READERS)
"""What a member of a batch may ask for."""
