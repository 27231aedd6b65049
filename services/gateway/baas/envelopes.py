"""Envelopes: what every answer of this dialect is wrapped in, and its fixed sentences."""

import re
from base64 import b64encode
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Raw, Struct

from schemas.commands import NO_METADATA
from schemas.http.baas_wallets import (
    CustomerTransactionAnswer,
    CustomerTransactionListAnswer,
    FailureAnswer,
    FieldError,
    PageMeta,
    Transaction,
    TransactionAnswer,
    Wallet,
    WalletAnswer,
    WalletListAnswer,
)
from services.gateway.answers import JSON, Answer
from services.gateway.baas.paging import Page

_encode = msgspec.json.Encoder().encode


class Message(StrEnum):
    """The sentences of successes: the original's own, then ours in its manner."""

    CUSTOMER_WALLET_CREATED = "Customer wallet created successfully"
    WALLET_CREATED = "Wallet created successfully"
    WALLETS_FETCHED = "Successfully fetched wallets"
    WALLET_FETCHED = "Successfully fetched wallet"
    WALLET_CREDITED = "Successfully credit customer wallet"
    TRANSACTIONS_FETCHED = "Successfully fetched transactions"
    MERCHANT_WALLET_FETCHED = "wallet detail retrieved successfully"

    WALLET_DEBITED = "Successfully debit customer wallet"
    TRANSFERRED = "Successfully transferred between wallets"
    WALLET_FROZEN = "Successfully froze wallet"
    WALLET_UNFROZEN = "Successfully unfroze wallet"


def wallet_answer(status: int, message: Message, wallet: Wallet) -> Answer:
    """One wallet."""
    return _answer(status, WalletAnswer(success=True, message=message, data=wallet))


def wallets_answer(wallets: list[Wallet], page: Page, total_items: int) -> Answer:
    """A page of wallets."""
    meta = page_meta(page, total_items)
    return _answer(
        200,
        WalletListAnswer(success=True, message=Message.WALLETS_FETCHED, data=wallets, meta=meta),
    )


def transaction_answer(status: int, message: Message, transaction: Transaction) -> Answer:
    """One transaction, made or found by its reference."""
    return _answer(status, TransactionAnswer(success=True, message=message, data=transaction))


def customer_transaction_answer(transaction: Transaction) -> Answer:
    """One transaction of a customer, in the envelope that only these reads have."""
    return _answer(
        200, CustomerTransactionAnswer(status_code=200, status="success", data=transaction)
    )


def customer_transactions_answer(
    transactions: Sequence[Transaction], page: Page, total_items: int
) -> Answer:
    """A page of a customer's transactions, each of which says how many there are."""
    data = [msgspec.structs.replace(each, total_items=total_items) for each in transactions]
    meta = page_meta(page, total_items)
    return _answer(
        200,
        CustomerTransactionListAnswer(status_code=200, status="success", data=data, meta=meta),
    )


def failure_answer(
    code: str,
    status: int,
    message: str,
    errors: Sequence[FieldError] = (),
    headers_bytes: bytes = b"",
) -> Answer:
    """Why a call was refused. The code is for the log: this dialect has none."""
    body = FailureAnswer(success=False, status_code=status, message=message, errors=list(errors))
    answer = _answer(status, body, headers_bytes)
    answer.code = code
    return answer


def _answer(status: int, body: Struct, headers_bytes: bytes = b"") -> Answer:
    return Answer(status, JSON + headers_bytes, _encode(body))


def page_meta(page: Page, total_items: int) -> PageMeta:
    """Where a page stands in its list. An empty list has no pages."""
    return PageMeta(
        page=page.number,
        limit=page.limit,
        total_items=total_items,
        total_pages=-(-total_items // page.limit),
    )


# Strings, the six signs, and everything else that is not white space: numbers and words.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_SPACED: Final = {b",": b", ", b":": b": "}


def metadata_text(metadata: Raw) -> str | None:
    """Stored metadata as answers show it: base64 of its JSON text; None for null.

    The text is the caller's own but for the space between its tokens, which is one after a
    comma or colon and none elsewhere: numbers, escapes and the order of keys stay.
    """
    if metadata == NO_METADATA:
        return None
    tokens = _TOKEN.findall(bytes(metadata))
    return b64encode(b"".join(_SPACED.get(token, token) for token in tokens)).decode("ascii")
