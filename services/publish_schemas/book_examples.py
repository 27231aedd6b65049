"""The story of `examples` as the books tell it: accounts, entries, the trial balance."""

from schemas.http import books
from services.publish_schemas.examples import (
    CREDIT_ID,
    CREDITED_AT,
    DEBIT_ID,
    DEBITED_AT,
    WALLET,
)

ACCOUNT_ID = "customer_wallet.GHS"
_WALLETS = books.Account(
    id=ACCOUNT_ID,
    account="customer_wallet",
    currency="GHS",
    debits=500,
    credits=15_000,
    balance=-14_500,
    entry_count=2,
)
_MERCHANT = books.Account(
    id="merchant.GHS",
    account="merchant",
    currency="GHS",
    debits=15_000,
    credits=500,
    balance=14_500,
    entry_count=2,
)
ACCOUNTS = books.AccountPage(
    position=3, data=[_WALLETS, _MERCHANT], has_more=False, next_cursor=None
)
ENTRIES = books.AccountEntryPage(
    position=3,
    data=[
        books.AccountEntry(
            transaction_id=DEBIT_ID,
            wallet_id=WALLET,
            position=3,
            event="wallet.debited",
            side="debit",
            amount=500,
            balance_after=-14_500,
            other_account="merchant.GHS",
            created_at=DEBITED_AT,
        ),
        books.AccountEntry(
            transaction_id=CREDIT_ID,
            wallet_id=WALLET,
            position=2,
            event="wallet.credited",
            side="credit",
            amount=15_000,
            balance_after=-15_000,
            other_account="merchant.GHS",
            created_at=CREDITED_AT,
        ),
    ],
    has_more=False,
    next_cursor=None,
)
TRIAL_BALANCE = books.TrialBalance(
    as_of=DEBITED_AT,
    position=3,
    is_exact=True,
    currencies=[
        books.TrialBalanceCurrency(
            currency="GHS",
            debits=15_500,
            credits=15_500,
            difference=0,
            accounts=[_WALLETS, _MERCHANT],
        )
    ],
)
