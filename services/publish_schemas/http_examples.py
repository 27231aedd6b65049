"""The story of `examples` as the HTTP API tells it: requests, answers and problems."""

from datetime import datetime
from typing import Any

import msgspec

from schemas import results
from schemas.commands import NO_METADATA
from schemas.http import batches
from schemas.http import credit_wallets as http
from schemas.http.problems import PROBLEMS, FieldProblem, Problem, problem_type
from schemas.money import MAX_AMOUNT_MINOR, formatted
from services.publish_schemas.examples import (
    BONUS_ENDS_AT,
    BONUS_ID,
    CAPTURE_ID,
    CAPTURED_AT,
    CREDIT_ID,
    CREDITED_AT,
    DEBIT_ID,
    DEBITED_AT,
    HELD_AT,
    HOLD_ENDS_AT,
    HOLD_ID,
    METADATA,
    OPENED_AT,
    OTHER_WALLET,
    RECEIVED_ID,
    REVERSAL_ID,
    SENT_ID,
    TOPUP_ID,
    TRANSFER_ID,
    TRANSFERRED_AT,
    USER,
    WALLET,
)

REQUEST_ID = "req_0197f3c4e0a27f3b8d1594c6a7e2b0f8"
CURSOR = "eyJwIjoxODQyfQ"

CREATE_REQUEST = http.CreateWalletRequest(customer_id="cus_abc123", currency="GHS")
CREDIT_REQUEST = http.CreditRequest(
    amount=2_000,
    description="Welcome bonus",
    reference="bonus-may-cus_abc123",
    expires_at="2026-07-01T00:00:00Z",
)
DEBIT_REQUEST = http.DebitRequest(
    amount=500, description="500 text messages", reference="sms_batch_8821", metadata=METADATA
)
FREEZE_REQUEST = http.FreezeWalletRequest(scope="debits", reason="The phone was stolen")
REVIEW_REQUEST = http.ReviewWalletRequest(outcome="approved", reason="The bill is genuine")
UNFREEZE_REQUEST = http.UnfreezeWalletRequest(reason="The phone was found")
CLOSE_REQUEST = http.CloseWalletRequest(remaining_balance="forfeit")
HOLD_REQUEST = http.HoldRequest(
    amount=4_000,
    description="Ride to the airport",
    reference="ride-5512",
    expires_at="2026-05-25T10:00:00Z",
)
CAPTURE_REQUEST = http.CaptureRequest(amount=3_250, final=True)
TRANSFER_REQUEST = http.TransferRequest(
    from_wallet_id=WALLET,
    to_wallet_id=OTHER_WALLET,
    amount=2_500,
    description="Lunch",
    reference="kofi-lunch-17",
)
REVERSE_REQUEST = http.ReverseRequest(
    amount=500, description="The messages were not sent", reference="sms_batch_8821-refund"
)

BATCH_REQUEST = batches.BatchRequest(
    commands=[
        batches.BatchDebit(
            wallet_id=WALLET,
            amount=500,
            description="500 text messages",
            reference="sms_batch_8821",
        ),
        batches.BatchDebit(wallet_id=WALLET, amount=20_000, reference="sms_batch_8822"),
    ]
)


def wallet(
    balance: int,
    status: results.WalletStatus = "active",
    at: datetime = DEBITED_AT,
    *,
    held: int = 0,
    expiring: http.ExpiringMoney | None = None,
) -> http.Wallet:
    """Ama's wallet with this balance."""
    return http.Wallet(
        id=WALLET,
        customer_id="cus_abc123",
        user_id=USER,
        currency="GHS",
        balance=balance,
        balance_formatted=formatted(balance, "GHS"),
        available_balance=balance - held,
        held_balance=held,
        expiring=expiring,
        status=status,
        frozen="debits" if status == "frozen" else None,
        metadata=NO_METADATA,
        created_at=OPENED_AT,
        updated_at=at,
    )


def transaction(
    identifier: str,
    direction: results.TransactionType,
    amount: int,
    balances: tuple[int, int],
    *,
    at: datetime,
    reference: str,
    description: str,
    **more: Any,
) -> http.Transaction:
    """A completed transaction of Ama's wallet."""
    before, after = balances
    row: dict[str, Any] = {
        "kind": direction,
        "available_balance": after,
        "expires_at": None,
        "hold_id": None,
        "held_amount": None,
        "transfer_id": None,
        "other_wallet_id": None,
        "reverses": None,
        "topup_id": None,
        "payment_id": None,
        "reversed_amount": 0,
        "metadata": NO_METADATA,
    }
    return http.Transaction(
        id=identifier,
        wallet_id=WALLET,
        type=direction,
        status="completed",
        code=None,
        amount=amount,
        balance_before=before,
        balance_after=after,
        currency="GHS",
        reference=reference,
        description=description,
        created_at=at,
        **(row | more),
    )


NEW_WALLET = wallet(0, at=OPENED_AT)
CREDIT = transaction(
    CREDIT_ID,
    "credit",
    15_000,
    (0, 15_000),
    at=CREDITED_AT,
    reference="welcome-cus_abc123",
    description="Welcome",
)
BONUS = transaction(
    BONUS_ID,
    "credit",
    2_000,
    (14_500, 16_500),
    at=DEBITED_AT,
    reference="bonus-may-cus_abc123",
    description="Welcome bonus",
    expires_at=BONUS_ENDS_AT,
)
DEBIT = transaction(
    DEBIT_ID,
    "debit",
    500,
    (15_000, 14_500),
    at=DEBITED_AT,
    reference="sms_batch_8821",
    description="500 text messages",
    metadata=METADATA,
)
CAPTURE = transaction(
    CAPTURE_ID,
    "debit",
    3_250,
    (16_500, 13_250),
    at=CAPTURED_AT,
    reference="ride-5512",
    description="",
    kind="capture",
    hold_id=HOLD_ID,
    held_amount=0,
)
SENT = transaction(
    SENT_ID,
    "debit",
    2_500,
    (13_250, 10_750),
    at=TRANSFERRED_AT,
    reference="kofi-lunch-17",
    description="Lunch",
    kind="transfer",
    transfer_id=TRANSFER_ID,
    other_wallet_id=OTHER_WALLET,
)
REVERSAL = transaction(
    REVERSAL_ID,
    "credit",
    500,
    (10_750, 11_250),
    at=TRANSFERRED_AT,
    reference="sms_batch_8821-refund",
    description="The messages were not sent",
    kind="reversal",
    reverses=DEBIT_ID,
)


def hold(
    status: results.HoldStatus, captured: int = 0, held: int = 0, at: datetime = CAPTURED_AT
) -> http.Hold:
    """The hold for the ride."""
    return http.Hold(
        id=HOLD_ID,
        wallet_id=WALLET,
        status=status,
        amount=4_000,
        captured_amount=captured,
        held_amount=held,
        currency="GHS",
        reference="ride-5512",
        description="Ride to the airport",
        expires_at=HOLD_ENDS_AT,
        metadata=NO_METADATA,
        created_at=HELD_AT,
        updated_at=at,
    )


NEW_HOLD = hold("open", held=4_000, at=HELD_AT)
TRANSFER = http.Transfer(
    id=TRANSFER_ID,
    from_wallet_id=WALLET,
    to_wallet_id=OTHER_WALLET,
    amount=2_500,
    currency="GHS",
    reference="kofi-lunch-17",
    description="Lunch",
    sent_transaction_id=SENT_ID,
    received_transaction_id=RECEIVED_ID,
    metadata=NO_METADATA,
    created_at=TRANSFERRED_AT,
)
WALLETS = http.WalletPage(data=[wallet(14_500)], has_more=True, next_cursor=CURSOR)
TRANSACTIONS = http.TransactionPage(data=[DEBIT, CREDIT], has_more=False, next_cursor=None)
HOLDS = http.HoldPage(data=[hold("captured", captured=3_250)], has_more=False, next_cursor=None)


def problem(code: str) -> Problem:
    """What an answer with this code looks like."""
    kind = PROBLEMS[code]
    return msgspec.structs.replace(
        Problem(
            type=problem_type(code),
            title=kind.title,
            status=kind.status,
            code=code,
            detail=kind.meaning,
            request_id=REQUEST_ID,
        ),
        **_MORE.get(code, {}),
    )


_MORE: dict[str, dict[str, Any]] = {
    "validation_failed": {
        "param": "amount",
        "errors": [
            FieldProblem(param="amount", code="out_of_range", detail="must be greater than 0"),
            FieldProblem(param="reference", code="missing", detail="is required"),
        ],
    },
    "invalid_cursor": {"param": "after"},
    "invalid_idempotency_key": {"param": "Idempotency-Key"},
    "invalid_limit": {"param": "limit"},
    "invalid_parameter": {"param": "currency"},
    "invalid_status": {"param": "status"},
    "invalid_type": {"param": "type"},
    "reference_reused": {"param": "reference", "wallet_id": WALLET},
    "wallet_exists": {"wallet_id": WALLET},
    "wallet_frozen": {"wallet_id": WALLET, "transaction_id": DEBIT_ID},
    "wallet_closed": {"wallet_id": WALLET},
    "wallet_not_empty": {"wallet_id": WALLET, "balance": 14_500},
    "insufficient_funds": {
        "wallet_id": WALLET,
        "transaction_id": DEBIT_ID,
        "amount": 20_000,
        "available": 14_500,
    },
    "balance_limit_exceeded": {
        "wallet_id": WALLET,
        "amount": MAX_AMOUNT_MINOR,
        "limit": MAX_AMOUNT_MINOR,
    },
    "customer_id_conflict": {"param": "customer_id"},
    "currency_mismatch": {"param": "to"},
    "same_wallet": {"param": "to"},
    "expiry_not_ahead": {"param": "expires_at", "wallet_id": WALLET},
    "too_many_lots": {"wallet_id": WALLET, "transaction_id": CREDIT_ID, "limit": 1_000},
    "too_many_holds": {"wallet_id": WALLET, "transaction_id": DEBIT_ID, "limit": 1_000},
    "too_many_held_lots": {"wallet_id": WALLET, "transaction_id": DEBIT_ID, "limit": 10_000},
    "hold_not_open": {"wallet_id": WALLET, "hold_id": HOLD_ID, "transaction_id": DEBIT_ID},
    "capture_exceeds_hold": {
        "wallet_id": WALLET,
        "transaction_id": DEBIT_ID,
        "amount": 5_000,
        "held": 4_000,
    },
    "topup_not_pending": {"topup_id": TOPUP_ID},
    "too_many_topups": {"wallet_id": WALLET, "limit": 100},
    "topup_already_paid": {"topup_id": TOPUP_ID},
    "not_reversible": {"transaction_id": REVERSAL_ID},
    "reversal_exceeds_transaction": {
        "wallet_id": WALLET,
        "transaction_id": REVERSAL_ID,
        "amount": 600,
        "reversible": 500,
    },
    "batch_declined": {"index": 1},
}


def _result(index: int, status: int, body: object) -> batches.BatchResult:
    return batches.BatchResult(
        index=index, status=status, replayed=False, body=msgspec.Raw(msgspec.json.encode(body))
    )


BATCH = batches.BatchAnswer(
    atomic=False, results=[_result(0, 200, DEBIT), _result(1, 409, problem("insufficient_funds"))]
)
_MORE["batch_declined"]["results"] = [
    _result(0, 409, problem("batch_declined")),
    _result(1, 409, problem("insufficient_funds")),
]
