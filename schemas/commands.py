"""Commands: what a client wishes. One Struct per wish, imperative, without a promise.

The same Structs come from HTTP (where the path gives `wallet_id`) and from the
Kafka topic `ledger.commands` (where the CloudEvents type is `ledger.command.<tag>.v1`).
Amounts are integers in minor units.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from schemas.identifiers import CustomerId, Reference, WalletId
from schemas.money import Amount, CurrencyCode

NO_METADATA = Raw(b"null")
"""What `metadata` is where none was sent; answers show it as null."""

Description = Annotated[str, Meta(max_length=1024, description="Shown in the history.")]
Metadata = Annotated[
    Raw,
    Meta(
        description="A JSON object of the caller's own; returned as it was sent.",
        extra_json_schema={"type": ["object", "null"]},
    ),
]


class CreateWallet(Struct, frozen=True, kw_only=True, gc=False, tag="create_wallet"):
    """Open a wallet for a customer. One open wallet per tenant, customer and currency."""

    customer_id: CustomerId
    currency: CurrencyCode
    metadata: Metadata = NO_METADATA


class CreditWallet(Struct, frozen=True, kw_only=True, gc=False, tag="credit_wallet"):
    """Put money in: an admin credit, without a payment behind it."""

    wallet_id: WalletId
    amount: Amount
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class DebitWallet(Struct, frozen=True, kw_only=True, gc=False, tag="debit_wallet"):
    """Take money out; declined if less is available."""

    wallet_id: WalletId
    amount: Amount
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class FreezeWallet(Struct, frozen=True, kw_only=True, gc=False, tag="freeze_wallet"):
    """Stop debits; credits and top-ups still go in."""

    wallet_id: WalletId


class UnfreezeWallet(Struct, frozen=True, kw_only=True, gc=False, tag="unfreeze_wallet"):
    """Let debits go out again."""

    wallet_id: WalletId


class CloseWallet(Struct, frozen=True, kw_only=True, gc=False, tag="close_wallet"):
    """Close for good. `remaining_balance` says what becomes of money still in it."""

    wallet_id: WalletId
    remaining_balance: Literal["forfeit"] | None = None


Command = CreateWallet | CreditWallet | DebitWallet | FreezeWallet | UnfreezeWallet | CloseWallet

COMMAND_TYPES: dict[str, type[Command]] = {
    "create_wallet": CreateWallet,
    "credit_wallet": CreditWallet,
    "debit_wallet": DebitWallet,
    "freeze_wallet": FreezeWallet,
    "unfreeze_wallet": UnfreezeWallet,
    "close_wallet": CloseWallet,
}
"""Every command by its tag."""
