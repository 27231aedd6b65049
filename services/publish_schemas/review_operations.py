"""The calls about reviews of wallets, one row each."""

from datetime import date

from schemas.http.reviews import PendingReview, ReviewedPerson
from services.publish_schemas import http_examples as examples
from services.publish_schemas.examples import OPENED_AT, USER, WALLET
from services.publish_schemas.operation import ALWAYS, BEHIND, COMMAND, FIELDS, Operation
from services.vault.content_kinds import KINDS

_LOOK = (
    *ALWAYS,
    *BEHIND,
    "wallet_not_found",
    "customer_erased",
    "review_not_pending",
    "vault_unavailable",
)

PENDING = PendingReview(
    wallet_id=WALLET,
    customer_id=USER,
    user_id=USER,
    tier="TIER_THREE",
    review="pending",
    person=ReviewedPerson(
        first_name="Ama",
        last_name="Mensah",
        date_of_birth=date(1992, 2, 29),
        phone_number="+2348012345678",
        email="ama@example.com",
        address="12 Marina Road",
        postal_code="101233",
        country="Nigeria",
        state="Lagos",
        lga="Lagos Island",
        city="Lagos",
        bvn="22200000201",
        nin="70000000201",
    ),
    utility_bill=f"/v1/reviews/{WALLET}/utility-bill",
    created_at=OPENED_AT,
)

REVIEW_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getReview",
        method="get",
        path="/v1/reviews/{wallet_id}",
        group="Reviews",
        summary="See who waits for a review",
        description=(
            "The customer of a wallet at tier three, for as long as the wallet waits. Each call "
            "is written to the gateway's log, with the credentials that made it."
        ),
        scope="admin",
        parameters=("wallet_id",),
        answer=PENDING,
        answer_description="The wallet and its customer.",
        answer_headers=("Cache-Control",),
        problems=_LOOK,
    ),
    Operation(
        id="getUtilityBill",
        method="get",
        path="/v1/reviews/{wallet_id}/utility-bill",
        group="Reviews",
        summary="See the utility bill",
        description=(
            "The file as it was sent. It came from a stranger, and nobody has checked it. If the "
            "connection breaks off before the end, the file is incomplete. Each call is written "
            "to the log, as above."
        ),
        scope="admin",
        parameters=("wallet_id",),
        files=tuple(KINDS),
        answer_description="The file.",
        answer_headers=("Cache-Control", "Content-Disposition", "X-Content-Type-Options"),
        problems=(*_LOOK, "utility_bill_not_found"),
    ),
    Operation(
        id="reviewWallet",
        method="post",
        path="/v1/wallets/{wallet_id}/review",
        group="Reviews",
        summary="Settle the review of a wallet",
        description=(
            "For a wallet at tier three, which is inactive until then. An approved wallet is "
            "active and has an account number; a rejected one stays inactive for good."
        ),
        scope="admin",
        parameters=("wallet_id", "idempotency_key"),
        request=examples.REVIEW_REQUEST,
        answer=examples.wallet(0),
        answer_description="The wallet.",
        answer_headers=("ETag", "Idempotent-Replayed"),
        problems=(
            *COMMAND,
            *FIELDS,
            "wallet_not_found",
            "wallet_closed",
            "review_not_pending",
        ),
    ),
)
