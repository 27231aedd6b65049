"""The calls of the Credit Wallets API that set money aside, one row each."""

from services.publish_schemas import http_examples as examples
from services.publish_schemas.operation import ALWAYS, BEHIND, COMMAND, FIELDS, LIST, Operation

_CHANGED = ("ETag", "Idempotent-Replayed")

HOLD_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="placeHold",
        method="post",
        path="/v1/wallets/{wallet_id}/holds",
        group="Holds",
        summary="Place a hold",
        description=(
            "Sets money aside: it is still the wallet's, but only a capture can spend it. Money "
            "that expires soonest is held first, and does not lapse while it is held. With "
            "`expires_at` the hold ends by itself."
        ),
        scope="wallets:write",
        parameters=("wallet_id", "idempotency_key"),
        request=examples.HOLD_REQUEST,
        answer=examples.NEW_HOLD,
        answer_description="The new hold.",
        status=201,
        answer_headers=(*_CHANGED, "Location"),
        problems=(
            *COMMAND,
            *FIELDS,
            "wallet_not_found",
            "expiry_not_ahead",
            "wallet_closed",
            "wallet_frozen",
            "wallet_inactive",
            "tier_limit_exceeded",
            "too_many_holds",
            "insufficient_funds",
            "too_many_held_lots",
        ),
    ),
    Operation(
        id="listHolds",
        method="get",
        path="/v1/wallets/{wallet_id}/holds",
        group="Holds",
        summary="List a wallet's holds",
        description="Newest first. Shows every change that was acknowledged before the call.",
        scope="wallets:read",
        parameters=("wallet_id", "hold_status", "limit", "after", "consistency"),
        answer=examples.HOLDS,
        answer_description="A page of holds.",
        answer_headers=("ETag", "Ledger-Lag"),
        problems=(*LIST, *BEHIND, "wallet_not_found", "invalid_status"),
    ),
    Operation(
        id="getHold",
        method="get",
        path="/v1/holds/{hold_id}",
        group="Holds",
        summary="Get a hold",
        description="Shows every change that was acknowledged before the call.",
        scope="wallets:read",
        parameters=("hold_id", "consistency"),
        answer=examples.hold("captured", captured=3_250),
        answer_description="The hold.",
        answer_headers=("ETag", "Ledger-Lag"),
        problems=(*ALWAYS, *BEHIND, "hold_not_found"),
    ),
    Operation(
        id="captureHold",
        method="post",
        path="/v1/holds/{hold_id}/capture",
        group="Holds",
        summary="Capture a hold",
        description=(
            "Spends held money: all that is left, or `amount` of it, as long as something is "
            "left. A `final` capture frees the rest."
        ),
        scope="wallets:write",
        parameters=("hold_id", "idempotency_key"),
        request=examples.CAPTURE_REQUEST,
        body_required=False,
        answer=examples.CAPTURE,
        answer_description="The transaction.",
        answer_headers=_CHANGED,
        problems=(
            *COMMAND,
            *FIELDS,
            "hold_not_found",
            "wallet_closed",
            "hold_not_open",
            "wallet_frozen",
            "wallet_inactive",
            "capture_exceeds_hold",
        ),
    ),
    Operation(
        id="voidHold",
        method="post",
        path="/v1/holds/{hold_id}/void",
        group="Holds",
        summary="Void a hold",
        description="Frees whatever is left of the hold. A freeze does not prevent this.",
        scope="wallets:write",
        parameters=("hold_id", "idempotency_key"),
        answer=examples.hold("voided"),
        answer_description="The hold.",
        answer_headers=_CHANGED,
        problems=(*COMMAND, "hold_not_found", "wallet_closed", "hold_not_open"),
    ),
)
