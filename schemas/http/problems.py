"""Problems: every way in which an HTTP call is refused, by its stable code (RFC 9457).

The rejections of `schemas.rejections` are here with the status that they get over HTTP,
beside what never reaches a wallet: malformed requests, credentials, limits, outages.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.http.batches import BatchResult
from schemas.identifiers import HoldId, TopupId, TransactionId, WalletId
from schemas.identity import LimitName
from schemas.rejections import REJECTION_TYPES
from schemas.tiers import Tier

PROBLEM_CONTENT_TYPE = "application/problem+json"


class FieldProblem(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One offending field of a request."""

    param: Annotated[str, Meta(description="The field, header or query parameter.")]
    code: str
    detail: Annotated[str, Meta(description="For people; may change.")]


class Problem(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Why a call was refused. `code` is stable; `title` and `detail` are for people."""

    type: Annotated[str, Meta(description="A URI reference that names the kind of problem.")]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    code: str
    detail: str
    request_id: Annotated[str, Meta(description="The same as the X-Request-Id header.")]
    param: Annotated[str | None, Meta(description="The one offending field.")] = None
    errors: Annotated[list[FieldProblem], Meta(description="All the offending fields.")] = []
    wallet_id: Annotated[
        WalletId | None,
        Meta(
            description=(
                "The wallet whose state is the reason; with `wallet_exists` the existing one; "
                "with `wallet_not_found`, if two were named, the one that does not exist."
            )
        ),
    ] = None
    hold_id: Annotated[HoldId | None, Meta(description="The hold that is no longer open.")] = None
    topup_id: Annotated[
        TopupId | None, Meta(description="The top-up that is no longer pending.")
    ] = None
    transaction_id: Annotated[
        TransactionId | None,
        Meta(
            description=(
                "The declined transaction, if there is one; with `not_reversible` the one that "
                "you asked to reverse."
            )
        ),
    ] = None
    amount: Annotated[int | None, Meta(description="What was asked for, in minor units.")] = None
    available: Annotated[
        int | None, Meta(description="With `insufficient_funds`: what can be spent.")
    ] = None
    balance: Annotated[
        int | None,
        Meta(
            description="What the wallet holds: with `wallet_not_empty`, `balance_limit_exceeded`."
        ),
    ] = None
    held: Annotated[
        int | None, Meta(description="With `capture_exceeds_hold`: what is still set aside.")
    ] = None
    reversible: Annotated[
        int | None,
        Meta(description="With `reversal_exceeds_transaction`: what is not reversed yet."),
    ] = None
    limit: Annotated[
        int | None,
        Meta(
            description=(
                "The largest balance, or how many lots, holds or top-ups may be open; "
                "with `tier_limit_exceeded` what the tier allows."
            )
        ),
    ] = None
    limit_name: Annotated[
        LimitName | None, Meta(description="With `tier_limit_exceeded`: which limit it is.")
    ] = None
    tier: Annotated[
        Tier | None, Meta(description="With `tier_limit_exceeded`: the tier of the customer.")
    ] = None
    index: Annotated[
        int | None,
        Meta(description="With `batch_declined`: which command was declined, counted from 0."),
    ] = None
    results: Annotated[
        list[BatchResult],
        Meta(description="With `batch_declined`: each command's own problem, in order."),
    ] = []


class ProblemKind(Struct, frozen=True, kw_only=True):
    """A code with its HTTP status, its title and when it is answered."""

    code: str
    status: int
    title: str
    meaning: str
    retry_after: bool = False
    """Whether the answer carries `Retry-After`."""


def _kinds(*rows: tuple[str, int, str, str]) -> dict[str, ProblemKind]:
    return {
        code: ProblemKind(
            code=code, status=status, title=title, meaning=meaning, retry_after=status in (429, 503)
        )
        for code, status, title, meaning in rows
    }


_REJECTION_STATUS = {
    "insufficient_funds": (409, "Insufficient funds"),
    "wallet_frozen": (409, "Wallet frozen"),
    "wallet_closed": (409, "Wallet closed"),
    "wallet_not_empty": (409, "Wallet not empty"),
    "wallet_exists": (409, "Wallet exists"),
    "wallet_not_found": (404, "Wallet not found"),
    "reference_reused": (409, "Reference reused"),
    "balance_limit_exceeded": (409, "Balance limit exceeded"),
    "customer_id_conflict": (409, "Customer id conflict"),
    "currency_mismatch": (422, "Currency mismatch"),
    "same_wallet": (422, "Same wallet"),
    "expiry_not_ahead": (422, "Expiry not ahead"),
    "too_many_lots": (409, "Too many lots"),
    "too_many_holds": (409, "Too many holds"),
    "too_many_held_lots": (409, "Too many held lots"),
    "hold_not_found": (404, "Hold not found"),
    "hold_not_open": (409, "Hold not open"),
    "capture_exceeds_hold": (409, "Capture exceeds hold"),
    "topup_not_found": (404, "Top-up not found"),
    "topup_not_pending": (409, "Top-up not pending"),
    "too_many_topups": (409, "Too many top-ups"),
    "topup_already_paid": (409, "Top-up already paid"),
    "payment_mismatch": (409, "Payment mismatch"),
    "transaction_not_found": (404, "Transaction not found"),
    "not_reversible": (409, "Not reversible"),
    "reversal_exceeds_transaction": (409, "Reversal exceeds transaction"),
    "wallet_inactive": (409, "Wallet inactive"),
    "tier_limit_exceeded": (409, "Tier limit exceeded"),
    "identity_taken": (409, "Identity taken"),
    "tier_not_raised": (409, "Tier not raised"),
    "review_not_pending": (409, "Review not pending"),
    "batch_declined": (409, "Batch declined"),
}


def _rejection_kinds() -> dict[str, ProblemKind]:
    rows = []
    for struct in REJECTION_TYPES:
        code = str(struct.__struct_config__.tag)
        status, title = _REJECTION_STATUS[code]
        rows.append((code, status, title, " ".join((struct.__doc__ or "").split())))
    return _kinds(*rows)


PROBLEMS: dict[str, ProblemKind] = _rejection_kinds() | _kinds(
    (
        "malformed_request",
        400,
        "Malformed request",
        "The request cannot be read: not HTTP, JSON or UTF-8, nested too deep, or incomplete.",
    ),
    (
        "invalid_idempotency_key",
        400,
        "Invalid idempotency key",
        "`Idempotency-Key` is not 1 to 255 visible ASCII characters, given once.",
    ),
    (
        "invalid_cursor",
        400,
        "Invalid cursor",
        "`after` is not a cursor from this list with these filters.",
    ),
    ("invalid_limit", 400, "Invalid limit", "`limit` is not an integer in its range."),
    ("invalid_type", 400, "Invalid type", "`type` is not one of the transaction types."),
    ("invalid_status", 400, "Invalid status", "`status` is not one of the statuses."),
    (
        "invalid_parameter",
        400,
        "Invalid parameter",
        "A query parameter cannot be used, or asks a list for what it cannot do, such as `as_of`.",
    ),
    ("unauthorized", 401, "Unauthorized", "The credentials are missing or wrong."),
    ("forbidden", 403, "Forbidden", "The credentials lack the scope that the call needs."),
    ("not_found", 404, "Not found", "There is nothing under this path."),
    (
        "transfer_not_found",
        404,
        "Transfer not found",
        "No such transfer, or it is another tenant's.",
    ),
    (
        "account_not_found",
        404,
        "Account not found",
        "No such account in the chart of accounts, or nothing was ever booked on it.",
    ),
    (
        "utility_bill_not_found",
        404,
        "Utility bill not found",
        "The bill of a wallet that waits for its review is no longer there.",
    ),
    (
        "customer_erased",
        410,
        "Customer erased",
        "The call is about a person who was erased, for good.",
    ),
    (
        "topups_unavailable",
        409,
        "Top-ups unavailable",
        "No payment provider is set up for the credentials' environment.",
    ),
    ("method_not_allowed", 405, "Method not allowed", "The path exists, the method does not."),
    (
        "payload_too_large",
        413,
        "Payload too large",
        "The body is over 128 KiB (of a batch 8 MiB), or a command of a batch is over 128 KiB.",
    ),
    (
        "unsupported_media_type",
        415,
        "Unsupported media type",
        "The body's content type is not application/json, or the body is compressed.",
    ),
    (
        "validation_failed",
        422,
        "Validation failed",
        "The request is well-formed, but fields are invalid; `errors` names all of them.",
    ),
    (
        "rate_limited",
        429,
        "Rate limited",
        "The credentials' limit is used up, or too many wrong ones came; nothing happened, retry.",
    ),
    (
        "internal_error",
        500,
        "Internal error",
        "A fault of ours; the answer shows only the request id.",
    ),
    (
        "overloaded",
        503,
        "Overloaded",
        "Too much is in progress; nothing happened, retry.",
    ),
    (
        "outcome_unknown",
        503,
        "Outcome unknown",
        "The command may have happened: retry with the same reference.",
    ),
    (
        "ledger_unavailable",
        503,
        "Ledger unavailable",
        "The ledger cannot be reached; nothing happened, retry.",
    ),
    (
        "clock_stepped",
        503,
        "Clock stepped",
        "The ledger's clock jumped; nothing happened, retry.",
    ),
    (
        "vault_unavailable",
        503,
        "Vault unavailable",
        "The vault of personal data, or the store of documents, cannot be used; retry.",
    ),
    (
        "stopping",
        503,
        "Stopping",
        "The gateway is stopping: it did not read this line of the stream, or those after it.",
    ),
    (
        "read_model_behind",
        503,
        "Read model behind",
        "The read model does not show the newest change yet; retry.",
    ),
)
"""Every code that an answer can carry."""


def problem_type(code: str) -> str:
    """The problem's `type`: a URI reference to where the documentation page explains it."""
    return f"/docs#problem-{code}"
