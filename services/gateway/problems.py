"""Problems: how every refusal and every failure is answered (RFC 9457).

Status and title of a code stand in `schemas.http.problems`; here is what leads to which
code. Where several refusals apply to one call, the first of this list is answered:

1. 400 `malformed_request`: what came is not HTTP
2. 404 `not_found`, 405 `method_not_allowed`: the path, then the method
3. 401 `unauthorized`, 429 `rate_limited`, 403 `forbidden`: the credentials, how much they were
   used, then their scope
4. 400 `invalid_idempotency_key`
5. on a command 413 `payload_too_large`, 415 `unsupported_media_type`, 401 `unauthorized` where
   the credentials were revoked while the body came, 400 `malformed_request`, then 422
   `validation_failed` with every offending field, then 403 `forbidden` for a field, or a command
   of a batch, that needs a scope of its own; 429 `rate_limited` for the number of a batch's
   commands, before any of them is looked at; on a query 400 `invalid_limit`, `invalid_cursor`,
   `invalid_type`, `invalid_status`, `invalid_parameter`
6. 404 `wallet_not_found`, `hold_not_found`, `topup_not_found`, `transaction_not_found`,
   `transfer_not_found`, `account_not_found` where the id in the path is not even spelled as one;
   then 409 `topups_unavailable`
7. 409 `reference_reused` of the idempotency key, then of the reference
8. 404: what the path or the body names is unknown, or another tenant's
9. 422 `same_wallet`, `currency_mismatch`, `expiry_not_ahead`, 409 `not_reversible`: what
   was asked for can never be done
10. 409 for the wallet's state: `wallet_closed`, `wallet_frozen`, `insufficient_funds` …
11. 503 with `Retry-After`, 500 `internal_error`: ours; they can come at any moment

Nothing is written by a refusal of 1 to 9. One of 10 is recorded, and moves no money.
"""

from collections.abc import Sequence
from typing import Final, Literal, assert_never

import msgspec

from ledger.command_handling.errors import (
    ClockSteppedError,
    LedgerUnavailableError,
    OutcomeUnknownError,
    OverloadedError,
)
from schemas.http.batches import BatchResult
from schemas.http.problems import PROBLEMS, FieldProblem, problem_type
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
from services.gateway.answers import PROBLEM_JSON, Answer, header

_encode = msgspec.json.Encoder().encode

ErrorCode = Literal[
    "read_model_behind",
    "overloaded",
    "ledger_unavailable",
    "outcome_unknown",
    "clock_stepped",
    "internal_error",
]
"""Codes of what goes wrong on our side; the last is a fault."""
Context = dict[str, str | int]
"""Members of a problem beside the standard ones, such as `wallet_id` or `available`."""


class RefusedError(Exception):
    """A call that is refused before any wallet is asked. `code` is one of `PROBLEMS`.

    `detail` does not name the `param` that it is about: each dialect shows the name in its own way.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        param: str | None = None,
        errors: Sequence[FieldProblem] = (),
        headers: Sequence[tuple[str, str]] = (),
        retry_after_s: int = 1,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.param = param
        self.errors = errors
        self.headers = headers
        self.retry_after_s = retry_after_s

    @property
    def sentence(self) -> str:
        """What is wrong, with the names of what it is about; of many fields only the first."""
        if self.errors:
            return _sentence_of(self.errors)
        return self.detail if self.param is None else f"{self.param} {self.detail}"


_MOST_TOLD: Final = 10
"""Fields in a sentence. A batch may have thousands of them, and `errors` names every one."""


def _sentence_of(problems: Sequence[FieldProblem]) -> str:
    told = [f"{found.param} {found.detail}" for found in problems[:_MOST_TOLD]]
    if len(problems) > _MOST_TOLD:
        told.append(f"and {len(problems) - _MOST_TOLD} more")
    return "; ".join(told)


def invalid_fields(
    problems: Sequence[FieldProblem], code: str = "validation_failed"
) -> RefusedError:
    """The refusal that names every offending field, of which there is at least one."""
    return RefusedError(code, problems[0].detail, param=problems[0].param, errors=problems)


class ReadsUnavailableError(Exception):
    """The database could not be reached for a query or for credentials."""


class ReadModelBehindError(Exception):
    """The read model does not show yet what was acknowledged before this query."""


def problem(
    code: str,
    detail: str,
    request_id: str,
    *,
    param: str | None = None,
    errors: Sequence[FieldProblem] = (),
    context: Context | None = None,
    results: Sequence[BatchResult] = (),
    headers_bytes: bytes = b"",
    retry_after_s: int = 1,
) -> Answer:
    """The answer that says why a call was refused or failed, and when to try again if ever."""
    kind = PROBLEMS[code]
    members: dict[str, object] = {
        "type": problem_type(code),
        "title": kind.title,
        "status": kind.status,
        "code": code,
        "detail": detail,
        "request_id": request_id,
    }
    if param is not None:
        members["param"] = param
    if errors:
        members["errors"] = errors
    if context:
        members.update(context)
    if results:
        members["results"] = results
    retry = header("Retry-After", str(retry_after_s)) if kind.retry_after else b""
    answer = Answer(kind.status, PROBLEM_JSON + retry + headers_bytes, _encode(members))
    answer.code = code
    return answer


def problem_of_rejection(
    rejection: Rejection,
    request_id: str,
    context: Context,
    headers_bytes: bytes,
    *,
    other_wallet: str = "to",
    unknown_wallet: str | None = None,
) -> Answer:
    """The answer to a command that the ledger declined; `context` is what the call knows.

    `other_wallet` is the field in which the call names a second wallet, `unknown_wallet` the one
    in which it names a wallet that there is not.
    """
    return problem(
        code_of(rejection),
        _detail_of(rejection),
        request_id,
        param=_param_of(rejection, other_wallet, unknown_wallet),
        context=context | _members_of(rejection),
        headers_bytes=headers_bytes,
    )


def _param_of(rejection: Rejection, other_wallet: str, unknown_wallet: str | None) -> str | None:
    match rejection:
        case ReferenceReused(what="reference"):
            return "reference"
        case ReferenceReused():
            return "Idempotency-Key"
        case CustomerIdConflict():
            return "customer_id"
        case CurrencyMismatch() | SameWallet():
            return other_wallet
        case WalletUnknown():
            return unknown_wallet
        case ExpiryNotAhead():
            return "expires_at"
        case _:
            return None


def _members_of(rejection: Rejection) -> Context:
    """The rejection's own values, such as `available`, under their own names."""
    members = msgspec.structs.asdict(rejection)
    members.pop("what", None)
    if isinstance(rejection, IdentityTaken):
        # Whose customer it is, is for whoever asked for the person, never for a client.
        members.pop("customer_id")
    return {name: value for name, value in members.items() if value is not None}


_OfTopup = TopupUnknown | TopupNotPending | TooManyTopups | TopupAlreadyPaid | PaymentMismatch
_OfStanding = WalletInactive | TierLimitExceeded | IdentityTaken | TierNotRaised | ReviewNotPending


def _detail_of(rejection: Rejection) -> str:  # noqa: C901, PLR0912 - one line each
    if isinstance(rejection, _OfTopup):
        return _detail_of_topup(rejection)
    if isinstance(rejection, _OfStanding):
        return _detail_of_standing(rejection)
    match rejection:
        case InsufficientFunds(amount=amount, available=available):
            return f"{amount} was asked for, {available} is available"
        case WalletFrozen():
            return "the wallet is frozen, and its freeze stops this"
        case WalletClosed():
            return "the wallet is closed for good"
        case WalletNotEmpty(balance=balance):
            return _detail_of_rest(balance)
        case WalletExists():
            return "the customer has an open wallet in this currency already"
        case WalletUnknown():
            return "there is no such wallet"
        case ReferenceReused(what=what):
            return f"the {what.replace('_', ' ')} was used before, for something else"
        case BalanceLimitExceeded(amount=amount, limit=limit):
            return f"the balance and {amount} together would be over {limit}"
        case CustomerIdConflict():
            return "the customer id is the UUID under which another customer is known"
        case CurrencyMismatch():
            return "the two wallets hold different currencies"
        case SameWallet():
            return "the money would go to the wallet that it comes from"
        case ExpiryNotAhead():
            return "expires_at must be ahead of now"
        case TooManyLots(limit=limit):
            return f"the wallet has expiring money of {limit} different moments already"
        case TooManyHolds(limit=limit):
            return f"the wallet has {limit} open holds already"
        case TooManyHeldLots(limit=limit):
            return f"the wallet's open holds would set aside parts of more than {limit} lots"
        case HoldUnknown():
            return "there is no such hold"
        case HoldNotOpen():
            return "the hold is over: captured, voided or expired"
        case CaptureExceedsHold(amount=amount, held=held):
            return f"{amount} was to be captured, {held} is held"
        case TransactionUnknown():
            return "there is no such transaction"
        case NotReversible():
            return (
                "only a credit, a debit, a capture or a transfer can be reversed: not what was "
                "declined, nor what a close moved"
            )
        case ReversalExceedsTransaction(reversible=0):
            return "nothing of the transaction is left to reverse"
        case ReversalExceedsTransaction(amount=amount, reversible=reversible):
            return f"{amount} was to be reversed, {reversible} is not reversed yet"
        case BatchDeclined(index=index):
            return f"the batch is applied all or none, and its command {index} was declined"
        case _:
            assert_never(rejection)


def _detail_of_rest(balance: int) -> str:
    """Of what is left in a wallet that is to be closed, which may be a debt."""
    if balance < 0:
        return f"the wallet owes {-balance}: credit it first"
    return (
        f"the wallet still holds {balance}: debit it first, or say what becomes of it with "
        "remaining_balance (a frozen wallet must be empty)"
    )


def _detail_of_topup(rejection: _OfTopup) -> str:
    match rejection:
        case TopupUnknown():
            return "there is no such top-up"
        case TopupNotPending():
            return "the top-up is over: paid, cancelled or expired"
        case TooManyTopups(limit=limit):
            return f"the wallet has {limit} pending top-ups already"
        case TopupAlreadyPaid():
            return "the top-up was paid before; this payment is kept as unapplied"
        case PaymentMismatch(amount=amount, currency=currency):
            return f"{amount} {currency} was asked for; this payment is kept as unapplied"
        case _:
            assert_never(rejection)


def _detail_of_standing(rejection: _OfStanding) -> str:
    """Of what follows from how well the customer is known."""
    match rejection:
        case WalletInactive():
            return "the wallet waits for its review, or was rejected by it: no money moves"
        case TierLimitExceeded(limit_name=name, limit=limit, tier=tier):
            return f"the {name.replace('_', ' ')} of {tier} is {limit}"
        case IdentityTaken():
            return "the person is a customer already"
        case TierNotRaised():
            return "the tier is not above the customer's, or nobody knows who that is"
        case ReviewNotPending():
            return "the wallet waits for no review"
        case _:
            assert_never(rejection)


def problem_of_error(error: Exception, request_id: str) -> Answer:
    """The answer where a handler raised. What is not known here is a fault of ours."""
    match error:
        case RefusedError():
            return problem(
                error.code,
                error.sentence,
                request_id,
                param=error.param,
                errors=error.errors,
                headers_bytes=b"".join(header(name, value) for name, value in error.headers),
                retry_after_s=error.retry_after_s,
            )
        case _:
            code = code_of_error(error)
            return problem(code, _DETAILS[code], request_id)


def code_of_error(error: Exception) -> ErrorCode:
    """The code, in every dialect, of what a handler raised and is no refusal."""
    match error:
        case ReadModelBehindError():
            return "read_model_behind"
        case OverloadedError():
            return "overloaded"
        case LedgerUnavailableError() | ReadsUnavailableError():
            return "ledger_unavailable"
        case OutcomeUnknownError():
            return "outcome_unknown"
        case ClockSteppedError():
            return "clock_stepped"
        case _:
            return "internal_error"


_DETAILS: Final[dict[ErrorCode, str]] = {
    "read_model_behind": "the newest change is not shown yet",
    "overloaded": "too much is under way; nothing happened",
    "ledger_unavailable": "the ledger cannot be reached; this request did nothing",
    "outcome_unknown": "the command may have happened: retry with the same reference",
    "clock_stepped": "the ledger's clock jumped; nothing happened",
    "internal_error": "the fault is ours and is logged",
}
