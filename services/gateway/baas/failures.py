"""Failures: how every refusal, rejection and outage is told in this dialect.

The codes are those of `schemas.http.problems`, and some of the dialect's own. What the first
dialect calls 422 because a body is invalid is a 400 here; 422 is about identity numbers.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, assert_never

from ledger.command_handling.errors import OutcomeUnknownError
from ledger.command_handling.submission import Settled
from schemas.http.baas_wallets import FieldError
from schemas.rejections import (
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
from services.gateway.answers import Answer, header
from services.gateway.baas.amounts import CURRENCY, major_text
from services.gateway.baas.envelopes import failure_answer
from services.gateway.credit_wallets.settlement import headers_of
from services.gateway.problems import RefusedError, code_of_error
from services.identity.verifier import (
    BelongsToAnother,
    Unknown,
    Verification,
    Verified,
    VerifierUnavailableError,
)
from services.vault.errors import CustomerErasedError


class NamedOutcomeUnknownError(OutcomeUnknownError):
    """The same, where the client may not know the reference to repeat the call with: this one."""

    def __init__(self, reference: str) -> None:
        super().__init__(reference)
        self.reference = reference


class Failure(NamedTuple):
    """What a code is answered with."""

    status: int
    message: str


INVALID_IDENTITY_NUMBER: Final = "invalid_identity_number"
IDENTITY_NUMBER_UNKNOWN: Final = "identity_number_unknown"
IDENTITY_NUMBER_OF_ANOTHER: Final = "identity_number_of_another"
IDENTITY_DIFFERS: Final = "identity_differs"
VERIFIER_UNAVAILABLE: Final = "verifier_unavailable"
VAULT_UNAVAILABLE: Final = "vault_unavailable"
CUSTOMER_UNKNOWN: Final = "customer_not_found"
ACCOUNT_UNKNOWN: Final = "account_not_found"
CUSTOMER_ERASED: Final = "customer_erased"
INVALID_REFERENCE: Final = "invalid_reference"

OWN_FAILURES: Final = {
    INVALID_IDENTITY_NUMBER: Failure(422, "Invalid BVN or NIN"),
    IDENTITY_NUMBER_UNKNOWN: Failure(422, "BVN or NIN unknown"),
    IDENTITY_NUMBER_OF_ANOTHER: Failure(422, "BVN or NIN belongs to another person"),
    IDENTITY_DIFFERS: Failure(422, "BVN is known with other details"),
    VERIFIER_UNAVAILABLE: Failure(503, "Identity verification is unavailable, try again"),
    CUSTOMER_UNKNOWN: Failure(404, "Customer not found"),
    INVALID_REFERENCE: Failure(400, "Invalid reference"),
}
"""What only this dialect knows."""

FAILURES: Final = OWN_FAILURES | {
    "insufficient_funds": Failure(409, "Insufficient balance"),
    "wallet_frozen": Failure(409, "Wallet is frozen"),
    "wallet_closed": Failure(409, "Wallet is closed"),
    "wallet_not_empty": Failure(409, "Wallet is not empty"),
    "wallet_exists": Failure(409, "Customer has a wallet already"),
    "wallet_not_found": Failure(404, "Wallet not found"),
    "reference_reused": Failure(409, "Reference was used before"),
    "balance_limit_exceeded": Failure(409, "Balance limit exceeded"),
    "customer_id_conflict": Failure(409, "Customer id is taken"),
    "currency_mismatch": Failure(400, "Wallets have different currencies"),
    "same_wallet": Failure(400, "Wallets must be different"),
    "expiry_not_ahead": Failure(400, "Expiry must be ahead of now"),
    "too_many_lots": Failure(409, "Wallet has too many expiring credits"),
    "too_many_holds": Failure(409, "Wallet has too many open holds"),
    "too_many_held_lots": Failure(409, "Wallet's open holds set aside too many expiring credits"),
    "hold_not_found": Failure(404, "Hold not found"),
    "hold_not_open": Failure(409, "Hold is not open"),
    "capture_exceeds_hold": Failure(409, "Capture exceeds the hold"),
    "topup_not_found": Failure(404, "Top-up not found"),
    "topup_not_pending": Failure(409, "Top-up is not pending"),
    "too_many_topups": Failure(409, "Wallet has too many pending top-ups"),
    "topup_already_paid": Failure(409, "Top-up was paid before"),
    "payment_mismatch": Failure(409, "Payment differs from what was asked for"),
    "topups_unavailable": Failure(409, "Top-ups are unavailable"),
    "transaction_not_found": Failure(404, "Transaction not found"),
    "not_reversible": Failure(409, "Transaction cannot be reversed"),
    "reversal_exceeds_transaction": Failure(409, "Reversal exceeds the transaction"),
    "wallet_inactive": Failure(409, "Wallet is not active"),
    "tier_limit_exceeded": Failure(409, "Limit of the tier exceeded"),
    "identity_taken": Failure(409, "Customer is known already"),
    "tier_not_raised": Failure(409, "Tier cannot be raised"),
    "review_not_pending": Failure(409, "Wallet waits for no review"),
    "batch_declined": Failure(409, "Batch was declined"),
    "malformed_request": Failure(400, "Malformed request"),
    "invalid_idempotency_key": Failure(400, "Invalid Idempotency-Key"),
    "invalid_cursor": Failure(400, "Invalid cursor"),
    "invalid_limit": Failure(400, "Invalid limit"),
    "invalid_type": Failure(400, "Invalid type"),
    "invalid_status": Failure(400, "Invalid status"),
    "invalid_parameter": Failure(400, "Invalid parameter"),
    "unauthorized": Failure(401, "Unauthorized"),
    "forbidden": Failure(403, "Forbidden"),
    "not_found": Failure(404, "Not found"),
    "transfer_not_found": Failure(404, "Transfer not found"),
    # The other dialect means an account of the books by it.
    ACCOUNT_UNKNOWN: Failure(404, "Account number not found"),
    "utility_bill_not_found": Failure(404, "Utility bill not found"),
    CUSTOMER_ERASED: Failure(410, "Customer was erased"),
    "method_not_allowed": Failure(405, "Method not allowed"),
    "payload_too_large": Failure(413, "Payload too large"),
    "unsupported_media_type": Failure(415, "Unsupported media type"),
    "validation_failed": Failure(400, "Validation failed"),
    "rate_limited": Failure(429, "Too many requests"),
    "internal_error": Failure(500, "Internal error"),
    "overloaded": Failure(503, "Too busy, nothing happened, try again"),
    VAULT_UNAVAILABLE: Failure(503, "Personal data is unavailable"),
    "outcome_unknown": Failure(503, "Outcome unknown, try again with the same reference"),
    "ledger_unavailable": Failure(503, "Ledger unavailable, nothing happened, try again"),
    "clock_stepped": Failure(503, "Clock stepped, nothing happened, try again"),
    "stopping": Failure(503, "Stopping, nothing happened, try again"),
    "read_model_behind": Failure(503, "The newest change is not shown yet, try again"),
}
"""Every code that a call of this dialect can end with: status and message."""


def reason_of_code(code: str | None) -> str | None:
    """The sentence of a declined transaction's code; a code that is not known is its own."""
    if code is None:
        return None
    failure = FAILURES.get(code)
    return code if failure is None else failure.message


def failure_of_code(
    code: str,
    errors: Mapping[str, str] | None = None,
    *,
    detail: str | None = None,
    headers_bytes: bytes = b"",
    retry_after_s: int = 1,
) -> Answer:
    """The failure of a code. `errors` are messages by field; `detail` adds to the message."""
    status, message = FAILURES[code]
    retry = header("Retry-After", str(retry_after_s)) if status in {429, 503} else b""
    return failure_answer(
        code,
        status,
        f"{message}: {detail}" if detail else message,
        [FieldError(field=field, message=what) for field, what in (errors or {}).items()],
        retry + headers_bytes,
    )


def failure_of_error(error: Exception) -> Answer:
    """The answer where a handler raised. What is not known here is a fault of ours."""
    match error:
        case RefusedError():
            return _failure_of_refusal(error)
        case VerifierUnavailableError():
            return failure_of_code(VERIFIER_UNAVAILABLE)
        case CustomerErasedError():
            return failure_of_code(CUSTOMER_ERASED)
        case NamedOutcomeUnknownError(reference=reference):
            return failure_of_code("outcome_unknown", {"reference": f"try again with {reference}"})
        case _:
            return failure_of_code(code_of_error(error))


def _failure_of_refusal(error: RefusedError) -> Answer:
    headers_bytes = b"".join(header(name, value) for name, value in error.headers)
    if error.errors:
        errors = [(problem.param, problem.detail) for problem in error.errors]
    elif error.param is not None:
        errors = [(error.param, error.detail)]
    else:
        return failure_of_code(
            error.code,
            detail=error.detail,
            headers_bytes=headers_bytes,
            retry_after_s=error.retry_after_s,
        )
    return failure_of_code(error.code, dict(errors), headers_bytes=headers_bytes)


def failure_of_rejection(rejection: Rejection, headers_bytes: bytes = b"") -> Answer:
    """The answer to a command that the ledger declined; amounts are told in major units."""
    return failure_of_code(code_of(rejection), _errors_of(rejection), headers_bytes=headers_bytes)


def failure_of_declined(settled: Settled) -> Answer:
    """The same, with the headers that tell what the command has come to."""
    assert settled.result.rejection is not None, "it was declined"
    return failure_of_rejection(settled.result.rejection, headers_of(settled))


def _errors_of(rejection: Rejection) -> dict[str, str]:  # noqa: C901, PLR0912 - one line each
    """What of the request is the reason, where it is not only the state."""
    match rejection:
        case InsufficientFunds(available=available):
            return {"amount": f"must not be over {_told(available)}, the available"}
        case BalanceLimitExceeded(limit=limit, wallet_id=other):
            whose = "the balance" if other is None else "the receiver's balance"
            return {"amount": f"together with {whose} must not be over {_told(limit)}"}
        case CaptureExceedsHold(held=held):
            return {"amount": f"must not be over {_told(held)}, what is held"}
        case ReversalExceedsTransaction(reversible=0):
            return {"amount": "nothing of the transaction is left to reverse"}
        case ReversalExceedsTransaction(reversible=reversible):
            what = "what is not reversed yet"
            return {"amount": f"must not be over {_told(reversible)}, {what}"}
        case ReferenceReused(what="reference"):
            return {"reference": "was used before, for something else"}
        case ReferenceReused():
            return {"Idempotency-Key": "was used before, for something else"}
        case CustomerIdConflict():
            return {"customer_id": "is the id under which another customer is known"}
        case CurrencyMismatch():
            return {"to_wallet_id": "is of a wallet in another currency"}
        case SameWallet():
            return {"to_wallet_id": "is the wallet that the money comes from"}
        case ExpiryNotAhead():
            return {"expires_at": "must be ahead of now"}
        case TierLimitExceeded():
            return {"amount": _over_the_tier(rejection)}
        case (
            WalletFrozen()
            | WalletInactive()
            | WalletClosed()
            | WalletNotEmpty()
            | WalletExists()
            | WalletUnknown()
            | TooManyLots()
            | TooManyHolds()
            | TooManyHeldLots()
            | HoldUnknown()
            | HoldNotOpen()
            | TooManyTopups()
            | TopupUnknown()
            | TopupNotPending()
            | TopupAlreadyPaid()
            | PaymentMismatch()
            | TransactionUnknown()
            | NotReversible()
            | IdentityTaken()
            | TierNotRaised()
            | ReviewNotPending()
            | BatchDeclined()
        ):
            return {}
        case _:
            assert_never(rejection)


def _told(amount_minor: int) -> str:
    return major_text(amount_minor, CURRENCY)


def _over_the_tier(rejection: TierLimitExceeded) -> str:
    limit = _told(rejection.limit)
    match rejection.limit_name:
        case "largest_credit":
            return f"must not be over {limit}, the largest credit of {rejection.tier}"
        case "largest_balance":
            return f"together with the balance must not be over {limit}, as of {rejection.tier}"
        case "daily_debit":
            return (
                f"together with the day's debits must not be over {limit}, as of {rejection.tier}"
            )
        case _:
            assert_never(rejection.limit_name)


def refusal_of_verification(field: str, verification: Verification) -> RefusedError | None:
    """The 422 for what a verifier said of `bvn` or `nin`; None where it is the person's."""
    match verification:
        case Verified():
            return None
        case Unknown():
            return RefusedError(IDENTITY_NUMBER_UNKNOWN, "is known to nobody", param=field)
        case BelongsToAnother():
            return RefusedError(
                IDENTITY_NUMBER_OF_ANOTHER, "belongs to another person", param=field
            )
        case _:
            assert_never(verification)
