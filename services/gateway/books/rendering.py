"""The books as JSON, in the shapes of `schemas.http.books`. Pure functions."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from projections.trial_balance.evolve import CHART
from projections.trial_balance.read_model import AccountView, EntryView
from services.gateway.credit_wallets.rendering import render_moment

_JSON_INTEGERS = range(-(2**63), 2**64)
_encode = msgspec.json.Encoder().encode


def account_id(account: str, currency: str) -> str:
    """How an account is named in paths and answers."""
    return f"{account}.{currency}"


def in_order(accounts: Sequence[AccountView]) -> list[AccountView]:
    """By the chart of accounts, then by currency."""
    return sorted(accounts, key=place)


def place(account: AccountView) -> int:
    """Where an account stands among all that there could be; never 0."""
    name = CHART.index(account.account) if account.account in CHART else len(CHART)
    first, second, third = (ord(letter) - ord("A") for letter in account.currency)
    return 1 + name * 26**3 + first * 26**2 + second * 26 + third


def render_account_page(
    accounts: Sequence[AccountView], position: int, next_cursor: str | None
) -> bytes:
    """A page of accounts; without a cursor it is the last."""
    return _page([_account(account) for account in accounts], position, next_cursor)


def render_entry_page(
    entries: Sequence[EntryView], currency: str, position: int, next_cursor: str | None
) -> bytes:
    """A page of an account's entries; without a cursor it is the last."""
    return _page([_entry(entry, currency) for entry in entries], position, next_cursor)


def render_trial_balance(
    accounts: Sequence[AccountView],
    *,
    as_of: datetime | int | None,
    position: int,
    is_exact: bool,
) -> bytes:
    """Every account by currency, and what they add up to; `as_of` is what was asked for."""
    by_currency: defaultdict[str, list[AccountView]] = defaultdict(list)
    for account in in_order(accounts):
        by_currency[account.currency].append(account)
    return _encode(
        {
            "as_of": render_moment(as_of) if isinstance(as_of, datetime) else as_of,
            "position": position,
            "is_exact": is_exact,
            "currencies": [
                _currency(currency, by_currency[currency]) for currency in sorted(by_currency)
            ],
        }
    )


def _page(entries: list[dict[str, object]], position: int, next_cursor: str | None) -> bytes:
    return _encode(
        {
            "position": position,
            "data": entries,
            "has_more": next_cursor is not None,
            "next_cursor": next_cursor,
        }
    )


def _currency(currency: str, accounts: Sequence[AccountView]) -> dict[str, object]:
    debits = sum(account.debits for account in accounts)
    credited = sum(account.credits for account in accounts)
    return {
        "currency": currency,
        "debits": _sum(debits),
        "credits": _sum(credited),
        "difference": _sum(debits - credited),
        "accounts": [_account(account) for account in accounts],
    }


def _account(account: AccountView) -> dict[str, object]:
    return {
        "id": account_id(account.account, account.currency),
        "account": account.account,
        "currency": account.currency,
        "debits": _sum(account.debits),
        "credits": _sum(account.credits),
        "balance": _sum(account.balance),
        "entry_count": account.entry_count,
    }


def _entry(entry: EntryView, currency: str) -> dict[str, object]:
    return {
        "transaction_id": entry.transaction_id,
        "wallet_id": entry.wallet_id,
        "position": entry.position,
        "event": entry.event_type,
        "side": entry.side,
        "amount": entry.amount,
        "balance_after": _sum(entry.balance_after),
        "other_account": account_id(entry.other_account, currency),
        "created_at": render_moment(entry.recorded_at),
    }


def _sum(amount: int) -> int | msgspec.Raw:
    """An integer of any size: the encoder takes those of 64 bits only."""
    return amount if amount in _JSON_INTEGERS else msgspec.Raw(str(amount).encode())
