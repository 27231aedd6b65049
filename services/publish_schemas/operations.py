"""The calls of contract A that this release answers, one row each."""

from typing import Literal

from msgspec import Struct

from services.publish_schemas import examples

_ALWAYS = ("unauthorized", "forbidden", "rate_limited", "internal_error", "ledger_unavailable")
_COMMAND = (
    *_ALWAYS,
    "malformed_request",
    "invalid_idempotency_key",
    "payload_too_large",
    "unsupported_media_type",
    "reference_reused",
    "overloaded",
    "outcome_unknown",
    "clock_stepped",
)
_FIELDS = ("validation_failed",)
_LIST = (*_ALWAYS, "malformed_request", "invalid_parameter", "invalid_limit", "invalid_cursor")
_BEHIND = ("read_model_behind",)


class Operation(Struct, frozen=True, kw_only=True):
    """One call: what it takes, what it answers, and how it can be refused."""

    id: str
    method: Literal["get", "post"]
    path: str
    group: str
    summary: str
    description: str
    scope: str
    parameters: tuple[str, ...]
    """Names under `components/parameters`."""
    request: Struct | None = None
    """An example of the body; its type is the body's schema."""
    body_required: bool = True
    answer: Struct
    """An example of the answer; its type is the answer's schema."""
    answer_description: str
    status: int = 200
    answer_headers: tuple[str, ...] = ()
    unchanged: bool = False
    """Whether it can answer 304."""
    problems: tuple[str, ...]


def _change(name: str, summary: str, description: str, **rest: object) -> Operation:
    """A call that changes a wallet, and answers with the wallet or a transaction."""
    row: dict[str, object] = {
        "id": f"{name}Wallet",
        "method": "post",
        "path": f"/v1/wallets/{{wallet_id}}/{name}",
        "summary": summary,
        "description": description,
        "scope": "wallets:write",
        "parameters": ("wallet_id", "idempotency_key"),
        "answer_headers": ("ETag", "Idempotent-Replayed"),
    }
    return Operation(**(row | rest))  # type: ignore[arg-type]


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="createWallet",
        method="post",
        path="/v1/wallets",
        group="Wallets",
        summary="Open a wallet",
        description=(
            "One open wallet per customer and currency: a second one is refused with "
            "`wallet_exists`, which names the first. Closing frees the place."
        ),
        scope="wallets:write",
        parameters=("idempotency_key",),
        request=examples.CREATE_REQUEST,
        answer=examples.NEW_WALLET,
        answer_description="The new wallet.",
        status=201,
        answer_headers=("ETag", "Idempotent-Replayed", "Location"),
        problems=(*_COMMAND, *_FIELDS, "wallet_exists", "customer_id_conflict"),
    ),
    Operation(
        id="listWallets",
        method="get",
        path="/v1/wallets",
        group="Wallets",
        summary="List wallets",
        description=(
            "Newest first. The list may lag behind by moments; with `customer_id` it shows "
            "every change that was acknowledged before."
        ),
        scope="wallets:read",
        parameters=("customer_id", "currency", "wallet_status", "limit", "after", "consistency"),
        answer=examples.WALLETS,
        answer_description="A page of wallets.",
        problems=(*_LIST, *_BEHIND, "invalid_status"),
    ),
    Operation(
        id="getWallet",
        method="get",
        path="/v1/wallets/{wallet_id}",
        group="Wallets",
        summary="Get a wallet",
        description="Shows every change that was acknowledged before the call.",
        scope="wallets:read",
        parameters=("wallet_id", "consistency", "if_none_match"),
        answer=examples.wallet(14_500),
        answer_description="The wallet.",
        answer_headers=("ETag", "Ledger-Lag"),
        unchanged=True,
        problems=(*_ALWAYS, *_BEHIND, "wallet_not_found"),
    ),
    _change(
        "freeze",
        "Freeze a wallet",
        "Debits are refused from now on; credits still go in. Freezing twice is 200.",
        group="Wallets",
        answer=examples.wallet(14_500, "frozen"),
        answer_description="The wallet.",
        problems=(*_COMMAND, "wallet_not_found", "wallet_closed"),
    ),
    _change(
        "unfreeze",
        "Unfreeze a wallet",
        "Debits go out again. Unfreezing a wallet that is not frozen is 200.",
        group="Wallets",
        answer=examples.wallet(14_500),
        answer_description="The wallet.",
        problems=(*_COMMAND, "wallet_not_found", "wallet_closed"),
    ),
    _change(
        "close",
        "Close a wallet",
        (
            "For good. A wallet with money in it is closed only if the body says what becomes "
            "of the money, and a frozen one only if it is empty. Closing twice is 200."
        ),
        group="Wallets",
        request=examples.CLOSE_REQUEST,
        body_required=False,
        answer=examples.wallet(0, "closed"),
        answer_description="The wallet.",
        problems=(
            *_COMMAND,
            *_FIELDS,
            "unsupported_field",
            "wallet_not_found",
            "wallet_not_empty",
            "wallet_frozen",
        ),
    ),
    _change(
        "credit",
        "Credit a wallet",
        (
            "An admin credit: no payment stands behind it. `expires_at` is refused with "
            "`unsupported_field` until expiring credits are available."
        ),
        group="Money",
        request=examples.CREDIT_REQUEST,
        answer=examples.CREDIT,
        answer_description="The transaction.",
        problems=(
            *_COMMAND,
            *_FIELDS,
            "unsupported_field",
            "wallet_not_found",
            "wallet_closed",
            "balance_limit_exceeded",
        ),
    ),
    _change(
        "debit",
        "Debit a wallet",
        (
            "Takes money out, if as much is available. A debit that was declined has not used "
            "up its reference: try again with it after a credit."
        ),
        group="Money",
        request=examples.DEBIT_REQUEST,
        answer=examples.DEBIT,
        answer_description="The transaction.",
        problems=(
            *_COMMAND,
            *_FIELDS,
            "wallet_not_found",
            "wallet_closed",
            "wallet_frozen",
            "insufficient_funds",
        ),
    ),
    Operation(
        id="listTransactions",
        method="get",
        path="/v1/wallets/{wallet_id}/transactions",
        group="Money",
        summary="List a wallet's transactions",
        description=(
            "Newest first. Declined ones are listed only with `status=failed`. Shows every "
            "change that was acknowledged before the call."
        ),
        scope="wallets:read",
        parameters=(
            "wallet_id",
            "transaction_type",
            "transaction_status",
            "limit",
            "after",
            "consistency",
        ),
        answer=examples.TRANSACTIONS,
        answer_description="A page of transactions.",
        answer_headers=("ETag", "Ledger-Lag"),
        problems=(*_LIST, *_BEHIND, "wallet_not_found", "invalid_type", "invalid_status"),
    ),
)
