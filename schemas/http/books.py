"""Shapes of the books: accounts, their entries and the trial balance, under `/v1`.

Debits count upwards, credits downwards, so a balance is debits less credits, and all balances
of a currency add up to zero. Sums are integers in minor units without an upper bound: over
many wallets they may be more than a float holds exactly.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.http.credit_wallets import NextCursor
from schemas.identifiers import TransactionId, WalletId
from schemas.money import Amount, CurrencyCode

AccountId = Annotated[
    str,
    Meta(
        pattern="^[a-z_]+[.][A-Z]{3}$",
        description="An account: its name in the chart of accounts, and its currency.",
        examples=["customer_wallet.GHS"],
    ),
]
AccountNameText = Annotated[
    str,
    Meta(
        pattern="^[a-z_]+$",
        description="The account in the chart of accounts. New ones may come.",
        examples=["customer_wallet", "merchant"],
    ),
]
Sum = Annotated[int, Meta(ge=0, description="In minor units. No upper bound.")]
SignedSum = Annotated[int, Meta(description="Debits less credits, in minor units. No bounds.")]
Position = Annotated[
    int, Meta(ge=0, description="A position in the log. Everything up to it is in the answer.")
]


class Account(Struct, frozen=True, kw_only=True, gc=False):
    """One account in one currency, with everything that was booked on it."""

    id: AccountId
    account: AccountNameText
    currency: CurrencyCode
    debits: Sum
    credits: Sum
    balance: SignedSum
    entry_count: Annotated[int, Meta(ge=1, description="The number of its entries.")]


class AccountPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of accounts. Movements newer than `position` may be in it in part."""

    position: Position
    data: list[Account]
    has_more: bool
    next_cursor: NextCursor


class AccountEntry(Struct, frozen=True, kw_only=True, gc=False):
    """One movement of money, as one of its two accounts shows it."""

    transaction_id: TransactionId
    wallet_id: WalletId
    position: Annotated[int, Meta(ge=1, description="The event's position in the log.")]
    event: Annotated[str, Meta(description="The event's type.", examples=["wallet.credited"])]
    side: Literal["debit", "credit"]
    amount: Amount
    balance_after: Annotated[
        int,
        Meta(description="The account's balance when everything up to this position is booked."),
    ]
    other_account: AccountId
    created_at: datetime


class AccountEntryPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of an account's entries, newest first: none is missing, and none is inserted later."""

    position: Position
    data: list[AccountEntry]
    has_more: bool
    next_cursor: NextCursor


class TrialBalanceCurrency(Struct, frozen=True, kw_only=True, gc=False):
    """All accounts of one currency, and what they add up to."""

    currency: CurrencyCode
    debits: Sum
    credits: Sum
    difference: Annotated[
        int, Meta(description="Debits less credits of all accounts. Always 0, or tell us.")
    ]
    accounts: list[Account]


class TrialBalance(Struct, frozen=True, kw_only=True, gc=False):
    """Every account, by currency."""

    as_of: Annotated[
        datetime | int | None,
        Meta(description="What was asked for: a moment, or a position; null if neither was."),
    ]
    position: Position
    is_exact: Annotated[
        bool,
        Meta(
            description=(
                "Whether the answer is of this very position: so it is with `as_of`. Without, "
                "what is newer may be in it in part."
            )
        ),
    ]
    currencies: list[TrialBalanceCurrency]
