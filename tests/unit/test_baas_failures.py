"""Every way in which a call fails has its status, sentence and fields in the second dialect."""

import json
from typing import Any

import pytest

from ledger.command_handling.errors import (
    ClockSteppedError,
    LedgerUnavailableError,
    OutcomeUnknownError,
    OverloadedError,
)
from schemas.http.problems import PROBLEMS, FieldProblem
from schemas.identity import LimitName
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
    code_of,
)
from services.gateway.answers import Answer
from services.gateway.baas.failures import (
    FAILURES,
    OWN_FAILURES,
    failure_of_error,
    failure_of_rejection,
    reason_of_code,
    refusal_of_verification,
)
from services.gateway.calls import invalid_parameter
from services.gateway.problems import ReadModelBehindError, ReadsUnavailableError, RefusedError
from services.identity.verifier import (
    BelongsToAnother,
    Unknown,
    Verified,
    VerifierUnavailableError,
)

LIMITS: dict[LimitName, str] = {
    "largest_credit": "must not be over 50000.5, the largest credit of TIER_ONE",
    "largest_balance": "together with the balance must not be over 50000.5, as of TIER_ONE",
    "daily_debit": "together with the day's debits must not be over 50000.5, as of TIER_ONE",
}
REJECTIONS: list[tuple[Rejection, int, dict[str, str]]] = [
    (
        InsufficientFunds(amount=20000, available=14550),
        409,
        {"amount": "must not be over 145.5, the available"},
    ),
    (WalletFrozen(), 409, {}),
    (WalletClosed(), 409, {}),
    (WalletNotEmpty(balance=1), 409, {}),
    (WalletExists(wallet_id="wal_" + "0a" * 16), 409, {}),
    (WalletUnknown(), 404, {}),
    (ReferenceReused(what="reference"), 409, {"reference": "was used before, for something else"}),
    (
        ReferenceReused(what="idempotency_key"),
        409,
        {"Idempotency-Key": "was used before, for something else"},
    ),
    (
        BalanceLimitExceeded(amount=1, balance=2, limit=30_000_000),
        409,
        {"amount": "together with the balance must not be over 300000"},
    ),
    (
        BalanceLimitExceeded(amount=1, balance=2, limit=30_000_000, wallet_id="wal_" + "0a" * 16),
        409,
        {"amount": "together with the receiver's balance must not be over 300000"},
    ),
    (CustomerIdConflict(), 409, {"customer_id": "is the id under which another customer is known"}),
    (CurrencyMismatch(), 400, {"to_wallet_id": "is of a wallet in another currency"}),
    (SameWallet(), 400, {"to_wallet_id": "is the wallet that the money comes from"}),
    (ExpiryNotAhead(), 400, {"expires_at": "must be ahead of now"}),
    (TooManyLots(limit=5), 409, {}),
    (TooManyHolds(limit=5), 409, {}),
    (TooManyHeldLots(limit=5), 409, {}),
    (HoldUnknown(), 404, {}),
    (HoldNotOpen(hold_id="hol_" + "0a" * 16), 409, {}),
    (
        CaptureExceedsHold(amount=2, held=1),
        409,
        {"amount": "must not be over 0.01, what is held"},
    ),
    (TopupUnknown(), 404, {}),
    (TopupNotPending(topup_id="top_" + "0a" * 16), 409, {}),
    (TooManyTopups(limit=5), 409, {}),
    (TopupAlreadyPaid(topup_id="top_" + "0a" * 16), 409, {}),
    (PaymentMismatch(amount=5, currency="NGN"), 409, {}),
    (TransactionUnknown(), 404, {}),
    (NotReversible(transaction_id="txn_" + "0a" * 16), 409, {}),
    (
        ReversalExceedsTransaction(amount=2, reversible=1),
        409,
        {"amount": "must not be over 0.01, what is not reversed yet"},
    ),
    (
        ReversalExceedsTransaction(amount=2, reversible=0),
        409,
        {"amount": "nothing of the transaction is left to reverse"},
    ),
    (WalletInactive(), 409, {}),
    *(
        (
            TierLimitExceeded(limit_name=name, limit=5_000_050, amount=1, tier="TIER_ONE"),
            409,
            {"amount": words},
        )
        for name, words in LIMITS.items()
    ),
    (IdentityTaken(customer_id="cus_1"), 409, {}),
    (TierNotRaised(), 409, {}),
    (ReviewNotPending(), 409, {}),
    (BatchDeclined(index=1), 409, {}),
]

ERRORS: list[tuple[Exception, str]] = [
    (ReadModelBehindError(), "read_model_behind"),
    (OverloadedError(), "overloaded"),
    (LedgerUnavailableError(), "ledger_unavailable"),
    (ReadsUnavailableError(), "ledger_unavailable"),
    (OutcomeUnknownError(), "outcome_unknown"),
    (ClockSteppedError(), "clock_stepped"),
    (VerifierUnavailableError(), "verifier_unavailable"),
    (RuntimeError("SELECT secret"), "internal_error"),
]


def told(answer: Answer) -> tuple[int, str, dict[str, str]]:
    """Status, message and errors of a failure that is well-formed."""
    body: dict[str, Any] = json.loads(answer.body_bytes)
    assert list(body) == ["success", "statusCode", "message", "errors"]
    assert body["success"] is False
    assert body["statusCode"] == answer.status
    return (
        answer.status,
        body["message"],
        {each["field"]: each["message"] for each in body["errors"]},
    )


def test_every_code_has_its_failure() -> None:
    assert FAILURES.keys() == PROBLEMS.keys() | OWN_FAILURES.keys()
    assert not PROBLEMS.keys() & OWN_FAILURES.keys()


def test_a_status_differs_from_the_first_dialects_only_where_a_body_is_invalid() -> None:
    differing = {
        code: FAILURES[code].status
        for code, kind in PROBLEMS.items()
        if FAILURES[code].status != kind.status
    }
    assert differing == dict.fromkeys(
        ("currency_mismatch", "same_wallet", "expiry_not_ahead", "validation_failed"), 400
    )


def test_unprocessable_are_identity_numbers_only() -> None:
    assert {code for code, failure in FAILURES.items() if failure.status == 422} < set(OWN_FAILURES)


def test_every_sentence_is_a_code_of_its_own() -> None:
    messages = [failure.message for failure in FAILURES.values()]
    assert len(messages) == len(set(messages))


def test_every_rejection_is_in_the_table() -> None:
    assert {type(rejection) for rejection, _, _ in REJECTIONS} == set(REJECTION_TYPES)


@pytest.mark.parametrize(("rejection", "status", "errors"), REJECTIONS)
def test_a_rejection_is_told(rejection: Rejection, status: int, errors: dict[str, str]) -> None:
    """Amounts in major units, and fields by the names of this dialect."""
    message = FAILURES[code_of(rejection)].message
    assert told(failure_of_rejection(rejection)) == (status, message, errors)


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_an_error_is_told(error: Exception, code: str) -> None:
    answer = failure_of_error(error)
    assert told(answer) == (*FAILURES[code], {})
    assert (b"Retry-After: 1\r\n" in answer.headers_bytes) == (answer.status == 503)


def test_a_refusal_names_every_offending_field() -> None:
    refusal = RefusedError(
        "validation_failed",
        "both",
        param="bvn",
        errors=[
            FieldProblem(param="bvn", code="missing", detail="is required"),
            FieldProblem(param="email", code="invalid_email", detail="must be an e-mail address"),
        ],
    )
    assert told(failure_of_error(refusal)) == (
        400,
        "Validation failed",
        {"bvn": "is required", "email": "must be an e-mail address"},
    )


def test_a_refusal_of_one_parameter() -> None:
    """Its name stands beside what is wrong, and not in it, whichever rule it breaks."""
    refusal = invalid_parameter("limit", "must be given once")
    assert told(failure_of_error(refusal)) == (
        400,
        "Invalid limit",
        {"limit": "must be given once"},
    )


@pytest.mark.parametrize(("rejection", "_status", "_errors"), REJECTIONS)
def test_a_rejection_has_its_code_for_the_log(
    rejection: Rejection, _status: int, _errors: dict[str, str]
) -> None:
    assert failure_of_rejection(rejection).code == code_of(rejection)


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_an_error_has_its_code_for_the_log(error: Exception, code: str) -> None:
    assert failure_of_error(error).code == code


def test_a_refusal_without_a_field_says_why_in_its_message() -> None:
    challenge = ("WWW-Authenticate", "ApiKey")
    answer = failure_of_error(RefusedError("unauthorized", "no key", headers=[challenge]))
    assert told(answer) == (401, "Unauthorized: no key", {})
    assert b"WWW-Authenticate: ApiKey\r\n" in answer.headers_bytes


def test_a_declined_transaction_says_why() -> None:
    assert reason_of_code(None) is None
    assert reason_of_code("insufficient_funds") == "Insufficient balance"
    assert reason_of_code("a_rule_of_tomorrow") == "a_rule_of_tomorrow"


def test_too_many_requests_may_be_retried() -> None:
    answer = failure_of_error(RefusedError("rate_limited", "slow down"))
    assert answer.status == 429
    assert b"Retry-After: 1\r\n" in answer.headers_bytes


def test_what_a_verifier_says() -> None:
    assert refusal_of_verification("bvn", Verified()) is None
    for verification, message, detail in (
        (Unknown(), "BVN or NIN unknown", "is known to nobody"),
        (BelongsToAnother(), "BVN or NIN belongs to another person", "belongs to another person"),
    ):
        refusal = refusal_of_verification("bvn", verification)
        assert refusal is not None
        assert told(failure_of_error(refusal)) == (422, message, {"bvn": detail})
