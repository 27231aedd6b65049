"""The Credit Wallets API's calls that ask a customer for a payment, a row each, with examples."""

from datetime import datetime

from schemas import results
from schemas.commands import NO_METADATA
from schemas.http import credit_wallets as http
from services.publish_schemas.examples import (
    ASKED_AT,
    CANCEL_URL,
    PAID_AT,
    PAYMENT_ID,
    REDIRECT_URL,
    TOPPED_UP_ID,
    TOPUP_ENDS_AT,
    TOPUP_ID,
    WALLET,
)
from services.publish_schemas.operation import ALWAYS, BEHIND, COMMAND, FIELDS, LIST, Operation

_CHANGED = ("ETag", "Idempotent-Replayed")


def topup(status: results.TopupStatus, at: datetime, *, paid_by: str | None = None) -> http.Topup:
    """Ama's top-up."""
    return http.Topup(
        id=TOPUP_ID,
        wallet_id=WALLET,
        status=status,
        amount=5_000,
        currency="GHS",
        reference="basket-3381",
        description="Top-up",
        checkout_url=f"https://pay.example.com/checkout/{TOPUP_ID}",
        redirect_url=REDIRECT_URL,
        cancel_url=CANCEL_URL,
        expires_at=TOPUP_ENDS_AT,
        transaction_id=paid_by,
        payment_id=None if paid_by is None else PAYMENT_ID,
        code=None,
        metadata=NO_METADATA,
        created_at=ASKED_AT,
        updated_at=at,
    )


_REQUEST = http.TopupRequest(
    amount=5_000,
    redirect_url=REDIRECT_URL,
    cancel_url=CANCEL_URL,
    description="Top-up",
    reference="basket-3381",
)
_COMPLETED = topup("completed", PAID_AT, paid_by=TOPPED_UP_ID)

TOPUP_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="createTopup",
        method="post",
        path="/v1/wallets/{wallet_id}/topups",
        group="Top-ups",
        summary="Create a top-up",
        description=(
            "Asks the customer for a payment: send the browser to `checkout_url`. It comes back "
            "to `redirect_url`, or to `cancel_url` after a cancel, with `topup_id` and `status` "
            "in the query; rely on the top-up itself, not on these. Anybody who knows "
            "`checkout_url` can pay, and the payment goes to this wallet. A payment that arrives "
            "after the top-up's end is still credited, if the wallet can take it."
        ),
        scope="wallets:write",
        parameters=("wallet_id", "idempotency_key"),
        request=_REQUEST,
        answer=topup("pending", ASKED_AT),
        answer_description="The new top-up.",
        status=201,
        answer_headers=(*_CHANGED, "Location"),
        problems=(
            *COMMAND,
            *FIELDS,
            "topups_unavailable",
            "wallet_not_found",
            "expiry_not_ahead",
            "wallet_closed",
            "wallet_frozen",
            "wallet_inactive",
            "tier_limit_exceeded",
            "too_many_topups",
            "balance_limit_exceeded",
        ),
    ),
    Operation(
        id="listTopups",
        method="get",
        path="/v1/wallets/{wallet_id}/topups",
        group="Top-ups",
        summary="List a wallet's top-ups",
        description="Newest first. Shows every change that was acknowledged before the call.",
        scope="wallets:read",
        parameters=("wallet_id", "topup_status", "limit", "after", "consistency"),
        answer=http.TopupPage(data=[_COMPLETED], has_more=False, next_cursor=None),
        answer_description="A page of top-ups.",
        answer_headers=("ETag", "Ledger-Lag"),
        problems=(*LIST, *BEHIND, "wallet_not_found", "invalid_status"),
    ),
    Operation(
        id="getTopup",
        method="get",
        path="/v1/topups/{topup_id}",
        group="Top-ups",
        summary="Get a top-up",
        description="Shows every change that was acknowledged before the call.",
        scope="wallets:read",
        parameters=("topup_id", "consistency"),
        answer=_COMPLETED,
        answer_description="The top-up.",
        answer_headers=("ETag", "Ledger-Lag"),
        problems=(*ALWAYS, *BEHIND, "topup_not_found"),
    ),
    Operation(
        id="cancelTopup",
        method="post",
        path="/v1/topups/{topup_id}/cancel",
        group="Top-ups",
        summary="Cancel a top-up",
        description=(
            "The top-up is no longer pending. A payment in progress at the provider may still "
            "arrive, and is then credited."
        ),
        scope="wallets:write",
        parameters=("topup_id", "idempotency_key"),
        answer=topup("cancelled", PAID_AT),
        answer_description="The top-up.",
        answer_headers=_CHANGED,
        problems=(*COMMAND, "topup_not_found", "topup_not_pending"),
    ),
)
