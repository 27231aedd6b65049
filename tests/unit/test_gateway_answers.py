"""What the gateway answers: the dialect's JSON, problems, and the route table."""

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from ledger.command_handling import errors
from projections.transactions.read_model import HistoryLine
from schemas.commands import NO_METADATA
from schemas.events import Expiring
from schemas.http import credit_wallets
from schemas.http.problems import PROBLEMS, FieldProblem, Problem
from schemas.rejections import (
    REJECTION_TYPES,
    BalanceLimitExceeded,
    BatchDeclined,
    CaptureExceedsHold,
    CurrencyMismatch,
    CustomerIdConflict,
    ExpiryNotAhead,
    HoldNotOpen,
    HoldUnknown,
    IdentityTaken,
    InsufficientFunds,
    NotReversible,
    PaymentMismatch,
    ReferenceReused,
    Rejection,
    ReversalExceedsTransaction,
    ReviewNotPending,
    SameWallet,
    TierLimitExceeded,
    TierNotRaised,
    TooManyHeldLots,
    TooManyHolds,
    TooManyLots,
    TooManyTopups,
    TopupAlreadyPaid,
    TopupNotPending,
    TopupUnknown,
    TransactionUnknown,
    WalletClosed,
    WalletExists,
    WalletFrozen,
    WalletInactive,
    WalletNotEmpty,
    WalletUnknown,
)
from schemas.results import HoldView, TransactionView, TransferView, WalletView
from services.gateway.answers import Answer, etag, header
from services.gateway.credit_wallets.rendering import (
    render_hold,
    render_page,
    render_transaction,
    render_transaction_page,
    render_transfer,
    render_wallet,
    render_wallet_page,
)
from services.gateway.problems import (
    Context,
    ReadModelBehindError,
    ReadsUnavailableError,
    RefusedError,
    problem_of_error,
    problem_of_rejection,
)
from services.gateway.routing import RouteTable

TOPUP_ID = "top_" + "0e" * 16
WALLET_ID = "wal_" + "0a" * 16
WHOLE_SECOND = datetime(2026, 5, 24, 10, tzinfo=UTC)

WALLET = WalletView(
    id=WALLET_ID,
    customer_id="cus_abc123",
    user_id="8a4f4ca1-65d7-568f-88c0-e093c283165f",
    currency="GHS",
    balance=123456,
    available_balance=123400,
    status="frozen",
    frozen="all",
    expiring=Expiring(amount=30, next_at=WHOLE_SECOND, next_amount=10),
    created_at=WHOLE_SECOND,
    updated_at=WHOLE_SECOND.replace(microsecond=120),
    version=7,
    metadata=msgspec.Raw(b'{"b": 1.50}'),
)
TRANSACTION = TransactionView(
    id="txn_" + "0b" * 16,
    wallet_id=WALLET_ID,
    type="debit",
    kind="debit",
    status="completed",
    amount=500,
    balance_before=15000,
    balance_after=14500,
    available_balance=14500,
    currency="GHS",
    reference="sms_batch_8821",
    description="",
    code=None,
    created_at=WHOLE_SECOND,
    version=8,
)
HOLD = HoldView(
    id="hol_" + "0c" * 16,
    wallet_id=WALLET_ID,
    status="open",
    amount=500,
    captured_amount=200,
    held_amount=300,
    currency="GHS",
    reference="ride-1",
    description="",
    expires_at=WHOLE_SECOND,
    created_at=WHOLE_SECOND,
    updated_at=WHOLE_SECOND,
    version=9,
)
TRANSFER = TransferView(
    id="trf_" + "0d" * 16,
    from_wallet_id=WALLET_ID,
    to_wallet_id="wal_" + "0e" * 16,
    amount=500,
    currency="GHS",
    reference="rent",
    description="",
    sent_transaction_id="txn_" + "0d" * 16,
    received_transaction_id="txn_" + "0f" * 16,
    created_at=WHOLE_SECOND,
)


def test_a_wallet_is_rendered() -> None:
    assert render_wallet(WALLET).decode() == (
        '{"id":"' + WALLET_ID + '","customer_id":"cus_abc123",'
        '"user_id":"8a4f4ca1-65d7-568f-88c0-e093c283165f","currency":"GHS","balance":123456,'
        '"balance_formatted":"GH₵1,234.56","available_balance":123400,"held_balance":56,'
        '"expiring":{"amount":30,"next_at":"2026-05-24T10:00:00.000000Z","next_amount":10},'
        '"status":"frozen","frozen":"all",'
        '"metadata":{"b": 1.50},"created_at":"2026-05-24T10:00:00.000000Z",'
        '"updated_at":"2026-05-24T10:00:00.000120Z"}'
    )


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (render_wallet(WALLET), credit_wallets.Wallet),
        (render_transaction(TRANSACTION), credit_wallets.Transaction),
        (render_wallet_page([WALLET], "next"), credit_wallets.WalletPage),
        (render_wallet(replace(WALLET, expiring=None)), credit_wallets.Wallet),
        (
            render_transaction_page([HistoryLine(TRANSACTION, 40)], None),
            credit_wallets.TransactionPage,
        ),
        (render_hold(HOLD), credit_wallets.Hold),
        (render_hold(replace(HOLD, expires_at=None)), credit_wallets.Hold),
        (render_page([render_hold(HOLD)], "next"), credit_wallets.HoldPage),
        (render_transfer(TRANSFER), credit_wallets.Transfer),
    ],
)
def test_what_is_rendered_is_what_is_published(body: bytes, shape: type[msgspec.Struct]) -> None:
    msgspec.json.decode(body, type=shape, strict=True)
    assert list(msgspec.json.decode(body)) == [
        field.encode_name for field in msgspec.structs.fields(shape)
    ]


def test_a_transaction_says_what_it_belongs_to() -> None:
    """Whose capture, transfer or reversal it is, and how much of it was reversed since."""
    told = {
        "hold_id": HOLD.id,
        "transfer_id": TRANSFER.id,
        "other_wallet_id": TRANSFER.to_wallet_id,
        "reverses": TRANSACTION.id,
    }
    view = replace(TRANSACTION, expires_at=WHOLE_SECOND, held_after=300, **told)
    shown = msgspec.json.decode(render_transaction(view, 40))
    assert {name: shown[name] for name in told} == told
    assert (shown["held_amount"], shown["reversed_amount"]) == (300, 40)
    assert shown["expires_at"] == "2026-05-24T10:00:00.000000Z"


def test_without_metadata_it_is_null() -> None:
    assert TRANSACTION.metadata == NO_METADATA
    assert msgspec.json.decode(render_transaction(TRANSACTION))["metadata"] is None


REJECTIONS: list[tuple[Rejection, str, int, dict[str, object]]] = [
    (
        InsufficientFunds(amount=9, available=5),
        "insufficient_funds",
        409,
        {"amount": 9, "available": 5},
    ),
    (WalletFrozen(), "wallet_frozen", 409, {}),
    (WalletClosed(), "wallet_closed", 409, {}),
    (WalletNotEmpty(balance=5), "wallet_not_empty", 409, {"balance": 5}),
    (WalletExists(wallet_id=WALLET_ID), "wallet_exists", 409, {"wallet_id": WALLET_ID}),
    (WalletUnknown(), "wallet_not_found", 404, {}),
    (WalletUnknown(wallet_id=WALLET_ID), "wallet_not_found", 404, {"wallet_id": WALLET_ID}),
    (ReferenceReused(what="reference"), "reference_reused", 409, {"param": "reference"}),
    (
        ReferenceReused(what="idempotency_key"),
        "reference_reused",
        409,
        {"param": "Idempotency-Key"},
    ),
    (
        BalanceLimitExceeded(amount=1, balance=2, limit=2),
        "balance_limit_exceeded",
        409,
        {"amount": 1, "balance": 2, "limit": 2},
    ),
    (CustomerIdConflict(), "customer_id_conflict", 409, {"param": "customer_id"}),
    (WalletFrozen(wallet_id=WALLET_ID), "wallet_frozen", 409, {"wallet_id": WALLET_ID}),
    (WalletClosed(wallet_id=WALLET_ID), "wallet_closed", 409, {"wallet_id": WALLET_ID}),
    (CurrencyMismatch(), "currency_mismatch", 422, {"param": "to"}),
    (SameWallet(), "same_wallet", 422, {"param": "to"}),
    (ExpiryNotAhead(), "expiry_not_ahead", 422, {"param": "expires_at"}),
    (TooManyLots(limit=9), "too_many_lots", 409, {"limit": 9}),
    (TooManyHeldLots(limit=9), "too_many_held_lots", 409, {"limit": 9}),
    (TooManyHolds(limit=9), "too_many_holds", 409, {"limit": 9}),
    (HoldUnknown(), "hold_not_found", 404, {}),
    (HoldNotOpen(hold_id=HOLD.id), "hold_not_open", 409, {"hold_id": HOLD.id}),
    (
        CaptureExceedsHold(amount=9, held=5),
        "capture_exceeds_hold",
        409,
        {"amount": 9, "held": 5},
    ),
    (TopupUnknown(), "topup_not_found", 404, {}),
    (TopupNotPending(topup_id=TOPUP_ID), "topup_not_pending", 409, {"topup_id": TOPUP_ID}),
    (TooManyTopups(limit=9), "too_many_topups", 409, {"limit": 9}),
    (TopupAlreadyPaid(topup_id=TOPUP_ID), "topup_already_paid", 409, {"topup_id": TOPUP_ID}),
    (
        PaymentMismatch(amount=9, currency="GHS"),
        "payment_mismatch",
        409,
        {"amount": 9, "currency": "GHS"},
    ),
    (TransactionUnknown(), "transaction_not_found", 404, {}),
    (
        NotReversible(transaction_id=TRANSACTION.id),
        "not_reversible",
        409,
        {"transaction_id": TRANSACTION.id},
    ),
    (
        ReversalExceedsTransaction(amount=9, reversible=5),
        "reversal_exceeds_transaction",
        409,
        {"amount": 9, "reversible": 5},
    ),
    (WalletInactive(), "wallet_inactive", 409, {}),
    (
        TierLimitExceeded(limit_name="daily_debit", limit=9, amount=10, tier="TIER_ONE"),
        "tier_limit_exceeded",
        409,
        {"limit_name": "daily_debit", "limit": 9, "amount": 10, "tier": "TIER_ONE"},
    ),
    (IdentityTaken(customer_id="cus_1"), "identity_taken", 409, {}),
    (TierNotRaised(), "tier_not_raised", 409, {}),
    (ReviewNotPending(), "review_not_pending", 409, {}),
    (BatchDeclined(index=3), "batch_declined", 409, {"index": 3}),
]
STANDARD = {"type", "title", "status", "code", "detail", "request_id"}


@pytest.mark.parametrize(("rejection", "code", "status", "more"), REJECTIONS)
def test_every_rejection_is_a_problem(
    rejection: Rejection, code: str, status: int, more: dict[str, object]
) -> None:
    answer = problem_of_rejection(rejection, "req_1", {}, etag(3))
    assert answer.status == status == PROBLEMS[code].status
    assert b'ETag: "3"\r\n' in answer.headers_bytes
    msgspec.json.decode(answer.body_bytes, type=Problem, strict=True)
    members = msgspec.json.decode(answer.body_bytes)
    assert members["code"] == code
    assert {name: members[name] for name in members.keys() - STANDARD} == more


@pytest.mark.parametrize(
    ("rejection", "detail"),
    [
        (WalletNotEmpty(balance=-400), "the wallet owes 400: credit it first"),
        (
            NotReversible(transaction_id=TRANSACTION.id),
            (
                "only a credit, a debit, a capture or a transfer can be reversed: not what was "
                "declined, nor what a close moved"
            ),
        ),
        (
            ReversalExceedsTransaction(amount=300, reversible=0),
            "nothing of the transaction is left to reverse",
        ),
        (
            ReversalExceedsTransaction(amount=9, reversible=5),
            "9 was to be reversed, 5 is not reversed yet",
        ),
    ],
)
def test_a_rejection_says_what_can_be_done(rejection: Rejection, detail: str) -> None:
    answer = problem_of_rejection(rejection, "req_1", {}, b"")
    assert msgspec.json.decode(answer.body_bytes)["detail"] == detail


def test_no_rejection_is_left_out() -> None:
    assert {type(rejection) for rejection, *_ in REJECTIONS} == set(REJECTION_TYPES)


@pytest.mark.parametrize("rejection", [CurrencyMismatch(), SameWallet()])
def test_a_rejection_names_the_field_that_named_the_other_wallet(rejection: Rejection) -> None:
    answer = problem_of_rejection(rejection, "req_1", {}, b"", other_wallet="remaining_balance")
    assert msgspec.json.decode(answer.body_bytes)["param"] == "remaining_balance"


@pytest.mark.parametrize(
    "rejection",
    [
        WalletFrozen(wallet_id=WALLET_ID),
        InsufficientFunds(amount=9, available=5, wallet_id=WALLET_ID),
        BalanceLimitExceeded(amount=1, balance=2, limit=2, wallet_id=WALLET_ID),
        TooManyLots(limit=9, wallet_id=WALLET_ID),
    ],
)
def test_a_rejection_by_another_wallet_names_that_one(rejection: Rejection) -> None:
    """As a close into it, whose path names the wallet that is to be closed."""
    context: Context = {"wallet_id": "wal_" + "0f" * 16}
    answer = problem_of_rejection(rejection, "req_1", context, b"")
    assert msgspec.json.decode(answer.body_bytes)["wallet_id"] == WALLET_ID


def test_a_rejection_without_a_wallet_leaves_the_calls_own() -> None:
    answer = problem_of_rejection(WalletFrozen(), "req_1", {"wallet_id": WALLET_ID}, b"")
    assert msgspec.json.decode(answer.body_bytes)["wallet_id"] == WALLET_ID


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (errors.OverloadedError(), "overloaded", 503),
        (errors.LedgerUnavailableError(), "ledger_unavailable", 503),
        (errors.OutcomeUnknownError(), "outcome_unknown", 503),
        (errors.ClockSteppedError(), "clock_stepped", 503),
        (errors.PoisonCommandError(), "internal_error", 500),
        (ReadsUnavailableError(), "ledger_unavailable", 503),
        (ReadModelBehindError(), "read_model_behind", 503),
        (ZeroDivisionError("secret"), "internal_error", 500),
        (AssertionError("secret"), "internal_error", 500),
        (RefusedError("not_found", "nothing here"), "not_found", 404),
    ],
)
def test_every_failure_is_a_problem(error: Exception, code: str, status: int) -> None:
    answer = problem_of_error(error, "req_1")
    assert answer.status == status
    assert msgspec.json.decode(answer.body_bytes)["code"] == code
    assert (b"Retry-After: 1\r\n" in answer.headers_bytes) == (status == 503)
    assert b"secret" not in answer.body_bytes


def test_a_refusal_names_its_fields_and_headers() -> None:
    refused = RefusedError(
        "validation_failed",
        "two fields",
        param="amount",
        errors=[FieldProblem(param="amount", code="missing", detail="is required")],
        headers=[("Allow", "GET")],
    )
    answer = problem_of_error(refused, "req_1")
    assert b"Allow: GET\r\n" in answer.headers_bytes
    found = msgspec.json.decode(answer.body_bytes, type=Problem)
    assert [problem.param for problem in found.errors] == ["amount"]


def test_a_header_cannot_break_its_line() -> None:
    with pytest.raises(AssertionError):
        header("X-Request-Id", "a\r\nSet-Cookie: b")


async def _nothing(_: str) -> Answer:
    return Answer(204)


def test_the_route_table_finds_methods_and_parameters() -> None:
    routes: RouteTable[str] = RouteTable()
    routes.add("GET", "/v1/wallets", _nothing, scope="wallets:read")
    routes.add("POST", "/v1/wallets", _nothing, scope="wallets:write")
    routes.add("POST", "/v1/wallets/*/debit", _nothing, scope="wallets:write")
    assert routes.find("/v1/wallets").allowed() == "GET, HEAD, POST"
    found = routes.find("/v1/wallets/wal_1/debit")
    assert (found.parameters, found.routes["POST"].name) == (("wal_1",), "/v1/wallets/*/debit")
    for unknown in ("", "/", "/v1", "/v1/wallets/", "/v1/wallets//debit", "/v1/wallets/a/debit/"):
        assert not routes.find(unknown).routes
