"""What was asked, as a hash: tells a repeated command from another one under the same name.

Fingerprints are kept for ever, so what goes into one may never change: a field that is
added to a command later enters only where it differs from its default.
"""

from hashlib import sha256
from typing import assert_never

import msgspec

from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    Command,
    CompleteTopup,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    EnrollCustomer,
    EraseCustomer,
    ExpireDue,
    FreezeWallet,
    PlaceHold,
    RaiseTier,
    ReverseTransaction,
    ReviewWallet,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)

FINGERPRINT_BYTES = 16

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(command: Command) -> bytes:
    """The first 16 bytes of a SHA-256. Metadata counts by value, not by spelling or order."""
    match command:
        case DebitWallet():
            return _digest(("debit_wallet", *_money(command)), command.metadata)
        case CreditWallet():
            expiry = () if command.expires_at is None else (command.expires_at,)
            return _digest(("credit_wallet", *_money(command), *expiry), command.metadata)
        case PlaceHold():
            asked = ("place_hold", *_money(command), command.expires_at)
            return _digest(asked, command.metadata)
        case CreateWallet():
            return _digest(
                ("create_wallet", command.customer_id, command.currency), command.metadata
            )
        case FreezeWallet():
            is_plain = command.scope == "debits" and command.reason is None
            scope = () if is_plain else (command.scope, command.reason)
            return _digest(("freeze_wallet", command.wallet_id, *scope))
        case UnfreezeWallet():
            reason = () if command.reason is None else (command.reason,)
            return _digest(("unfreeze_wallet", command.wallet_id, *reason))
        case CloseWallet():
            return _digest(("close_wallet", command.wallet_id, command.remaining_balance))
        case (
            CaptureHold()
            | VoidHold()
            | TransferMoney()
            | ReverseTransaction()
            | CreateTopup()
            | CompleteTopup()
            | CancelTopup()
            | EraseCustomer()
            | ExpireDue()
        ):
            return _digest_of_fields(command)
        case EnrollCustomer() | RaiseTier() | ReviewWallet():
            return _digest(_asked_of_customer(command), getattr(command, "metadata", None))
        case _:
            assert_never(command)


def _money(command: DebitWallet | CreditWallet | PlaceHold) -> tuple[object, ...]:
    return command.wallet_id, command.amount, command.reference, command.description


def _asked_of_customer(
    command: EnrollCustomer | RaiseTier | ReviewWallet,
) -> tuple[object, ...]:
    """Sealed text is another one each time, and the bank is ours: neither is what was asked.

    Of a person only `asked` counts, which nobody can tell anything from without the key.
    """
    match command:
        case EnrollCustomer():
            name = (command.customer_id, command.currency)
            return ("enroll_customer", *name, command.tier, command.asked)
        case RaiseTier():
            return ("raise_tier", command.wallet_id, command.tier, command.asked)
        case ReviewWallet():
            return ("review_wallet", command.wallet_id, command.outcome, command.reason)
        case _:
            assert_never(command)


def _digest_of_fields(command: Command) -> bytes:
    """Of commands that were born with all their fields. Never of one that gains another."""
    asked = {
        name: value for name, value in msgspec.structs.asdict(command).items() if name != "metadata"
    }
    tag = command.__struct_config__.tag
    return _digest((tag, *asked.items()), getattr(command, "metadata", None))


def _digest(asked: tuple[object, ...], metadata: msgspec.Raw | None = None) -> bytes:
    text = _encode(asked)
    # A command that may have metadata and has none counts with "null", as it always did.
    if metadata is not None:
        text += _encode_sorted(msgspec.json.decode(metadata))
    return sha256(text).digest()[:FINGERPRINT_BYTES]
