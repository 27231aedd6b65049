"""What was asked, as a hash: tells a repeated command from another one under the same name.

Fingerprints are kept for ever, so what goes into one may never change: a field that is
added to a command later enters only where it differs from its default.
"""

from hashlib import sha256
from typing import assert_never

import msgspec

from schemas.commands import (
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    UnfreezeWallet,
)

FINGERPRINT_BYTES = 16

_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="deterministic").encode


def fingerprint(command: Command) -> bytes:
    """The first 16 bytes of a SHA-256. Metadata counts by value, not by spelling or order."""
    match command:
        case DebitWallet() | CreditWallet():
            name = "debit_wallet" if isinstance(command, DebitWallet) else "credit_wallet"
            asked = (
                name,
                command.wallet_id,
                command.amount,
                command.reference,
                command.description,
            )
            return _digest(asked, command.metadata)
        case CreateWallet():
            return _digest(
                ("create_wallet", command.customer_id, command.currency), command.metadata
            )
        case FreezeWallet():
            return _digest(("freeze_wallet", command.wallet_id))
        case UnfreezeWallet():
            return _digest(("unfreeze_wallet", command.wallet_id))
        case CloseWallet():
            return _digest(("close_wallet", command.wallet_id, command.remaining_balance))
        case _:
            assert_never(command)


def _digest(asked: tuple[object, ...], metadata: msgspec.Raw | None = None) -> bytes:
    text = _encode(asked)
    if metadata is not None and metadata != b"null":
        text += _encode_sorted(msgspec.json.decode(metadata))
    return sha256(text).digest()[:FINGERPRINT_BYTES]
