"""Identifiers: UUIDs with a prefix that says what they name.

`wal_…` and `txn_…` are the same 128 bits that the BaaS dialect spells as plain
UUIDs. Making an id needs a clock and randomness, which come in as arguments.
"""

import re
from collections.abc import Iterator
from typing import Annotated, NamedTuple
from uuid import UUID, uuid5

from msgspec import Meta

WalletId = Annotated[
    str, Meta(pattern="^wal_[0-9a-f]{32}$", description="A wallet.", examples=["wal_" + "0a" * 16])
]
StreamId = Annotated[
    str,
    Meta(
        pattern="^(wal|ten)_[0-9a-f]{32}$",
        description="A stream of events: a wallet's, or a tenant's own.",
    ),
]
TransactionId = Annotated[
    str,
    Meta(
        pattern="^txn_[0-9a-f]{32}$",
        description="A transaction: the id of the event that made it.",
    ),
]
HoldId = Annotated[
    str,
    Meta(pattern="^hol_[0-9a-f]{32}$", description="A hold: the id of the event that placed it."),
]
TransferId = Annotated[
    str,
    Meta(
        pattern="^trf_[0-9a-f]{32}$",
        description="A transfer: the id of the event that took the money out.",
    ),
]
TopupId = Annotated[
    str,
    Meta(pattern="^top_[0-9a-f]{32}$", description="A top-up: the id of the event that made it."),
]
PaymentId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="The payment provider's own name for one payment.",
    ),
]
TenantId = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="A tenant: one merchant in one environment (live or sandbox).",
    ),
]
CustomerId = Annotated[
    str, Meta(min_length=1, max_length=255, description="The merchant's own name for a customer.")
]
UserId = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="The same customer as a UUID.",
    ),
]
AccountNumber = Annotated[
    str,
    Meta(pattern="^[0-9]{10}$", description="A NUBAN: nine digits of a serial and a check digit."),
]
BankCode = Annotated[
    str, Meta(pattern="^[0-9]{6}$", description="The bank that the account number is of.")
]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="The caller's own name for one movement of money; unique per tenant.",
    ),
]

NOBODYS_TENANT = "00000000-0000-0000-0000-000000000000"
"""Whose stream has what concerns the whole ledger and no tenant."""

_WALLET = re.compile(r"wal_[0-9a-f]{32}", re.ASCII)
_TRANSACTION = re.compile(r"txn_[0-9a-f]{32}", re.ASCII)
_HOLD = re.compile(r"hol_[0-9a-f]{32}", re.ASCII)
_TRANSFER = re.compile(r"trf_[0-9a-f]{32}", re.ASCII)
_TOPUP = re.compile(r"top_[0-9a-f]{32}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class StreamKey(NamedTuple):
    """A wallet's stream, or a tenant's own; another tenant's is another key."""

    tenant_id: TenantId
    stream_id: StreamId


def is_wallet_id(text: str) -> bool:
    """Whether `text` is spelled as a wallet id; says nothing about its existence."""
    return _WALLET.fullmatch(text) is not None


def is_transaction_id(text: str) -> bool:
    """Whether `text` is spelled as a transaction id."""
    return _TRANSACTION.fullmatch(text) is not None


def is_hold_id(text: str) -> bool:
    """Whether `text` is spelled as a hold id."""
    return _HOLD.fullmatch(text) is not None


def is_transfer_id(text: str) -> bool:
    """Whether `text` is spelled as a transfer id."""
    return _TRANSFER.fullmatch(text) is not None


def is_topup_id(text: str) -> bool:
    """Whether `text` is spelled as a top-up id."""
    return _TOPUP.fullmatch(text) is not None


def wallet_id(uuid_hex: str) -> str:
    """Spell 32 hexadecimal digits as a wallet id."""
    return f"wal_{uuid_hex}"


def tenant_stream(tenant_id: str) -> str:
    """The stream of a tenant's own events. In the database it has the tenant's own UUID."""
    return f"ten_{tenant_id.replace('-', '')}"


def stream_name(tenant_id: UUID, stream: UUID) -> str:
    """Spell a stream as it is in the database: a tenant's own, or else a wallet."""
    return f"ten_{stream.hex}" if stream == tenant_id else f"wal_{stream.hex}"


def is_wallet_stream(stream: str) -> bool:
    """Whether the events of a stream are a wallet's."""
    return stream.startswith("wal_")


def transaction_id(uuid_hex: str) -> str:
    """Spell 32 hexadecimal digits as a transaction id."""
    return f"txn_{uuid_hex}"


def hold_id(uuid_hex: str) -> str:
    """Spell 32 hexadecimal digits as a hold id."""
    return f"hol_{uuid_hex}"


def transfer_id(uuid_hex: str) -> str:
    """Spell 32 hexadecimal digits as a transfer id."""
    return f"trf_{uuid_hex}"


def topup_id(uuid_hex: str) -> str:
    """Spell 32 hexadecimal digits as a top-up id."""
    return f"top_{uuid_hex}"


def hex_of(identifier: str) -> str:
    """The 32 hexadecimal digits of a prefixed id."""
    return identifier[4:]


RANDOM_BYTES_PER_UUID7 = 10


def uuid7s(unix_ms: int, randomness: bytes) -> Iterator[str]:
    """UUIDv7s (RFC 9562) of one moment, each 32 hexadecimal digits from ten random bytes."""
    begin = f"{unix_ms & 0xFFFF_FFFF_FFFF:012x}7"
    digits = randomness.hex()
    for start in range(0, len(digits), 2 * RANDOM_BYTES_PER_UUID7):
        variant = "89ab"[int(digits[start], 16) & 3]
        yield f"{begin}{digits[start + 1 : start + 4]}{variant}{digits[start + 4 : start + 19]}"


def user_id_of(tenant_id: str, customer_id: str) -> str:
    """The UUID under which the BaaS dialect knows a customer.

    A customer id that is itself a lower-case UUID stands for itself; any other
    gets the UUIDv5 of tenant and customer id, the same on every machine.
    """
    if _UUID.fullmatch(customer_id):
        return customer_id
    return str(uuid5(UUID(tenant_id), customer_id))
