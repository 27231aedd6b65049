"""Events of a wallet: facts, past tense, never changed once published.

Money events state the balance that they lead to, so a subscriber needs no state
and every replay checks itself. Amounts are integers in the currency's minor unit.
`stream`, `version` and time stand in the envelope (`schemas.events.envelope`).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.commands import NO_METADATA, Description, Metadata
from schemas.identifiers import CustomerId, Reference, UserId
from schemas.money import Amount, Balance, CurrencyCode

DeclineCode = Annotated[
    str,
    Meta(
        pattern="^[a-z_]+$",
        description="Why it was declined: the code of a rejection. New codes may come.",
        examples=["insufficient_funds", "wallet_frozen", "wallet_closed"],
    ),
]
"""The rejections that become facts, because the wallet's state decided them.

Not an enumeration: a subscriber must take a code that it does not know, or every new rule
of a wallet would break it.
"""


class WalletOpened(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.opened"):
    """The first event of every wallet."""

    customer_id: CustomerId
    user_id: UserId
    currency: CurrencyCode
    metadata: Metadata = NO_METADATA


class WalletCredited(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.credited"):
    """Money came in."""

    amount: Amount
    balance_before: Balance
    balance_after: Balance
    available_after: Balance
    currency: CurrencyCode
    reference: Reference
    description: Description
    metadata: Metadata = NO_METADATA


class WalletDebited(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.debited"):
    """Money went out."""

    amount: Amount
    balance_before: Balance
    balance_after: Balance
    available_after: Balance
    currency: CurrencyCode
    reference: Reference
    description: Description
    metadata: Metadata = NO_METADATA


class DebitDeclined(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.debit_declined"):
    """A debit was asked for and the wallet's state forbade it; no money moved."""

    code: DeclineCode
    amount: Amount
    balance: Balance
    available: Balance
    currency: CurrencyCode
    reference: Reference
    description: Description
    metadata: Metadata = NO_METADATA


class CreditDeclined(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.credit_declined"):
    """A credit was asked for and the wallet's state forbade it; no money moved."""

    code: DeclineCode
    amount: Amount
    balance: Balance
    available: Balance
    currency: CurrencyCode
    reference: Reference
    description: Description
    metadata: Metadata = NO_METADATA


class WalletFrozen(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.frozen"):
    """Debits stopped."""


class WalletUnfrozen(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.unfrozen"):
    """Debits go out again."""


class BalanceForfeited(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.balance_forfeited"):
    """What was left at closing fell to the merchant, as the closing command said."""

    amount: Amount
    balance_before: Balance
    balance_after: Balance
    available_after: Balance
    currency: CurrencyCode


class WalletClosed(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.closed"):
    """The wallet is closed for good, and empty."""


class ChangeDeclined(Struct, frozen=True, kw_only=True, gc=False, tag="wallet.change_declined"):
    """A freeze, unfreeze or close was asked for and the wallet's state forbade it."""

    change: Literal["freeze", "unfreeze", "close"]
    code: DeclineCode
    balance: Balance


WalletEvent = (
    WalletOpened
    | WalletCredited
    | WalletDebited
    | DebitDeclined
    | CreditDeclined
    | WalletFrozen
    | WalletUnfrozen
    | BalanceForfeited
    | WalletClosed
    | ChangeDeclined
)
