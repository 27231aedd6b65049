"""The call that shows a wallet's own events, and the example of its answer."""

from schemas.http import events
from services.publish_schemas.examples import COMMAND_ID, DEBITED_AT, HELD_AT, KEY_ID
from services.publish_schemas.http_examples import CURSOR
from services.publish_schemas.operation import LIST, Operation

_PAGE = events.WalletEventPage(
    data=[
        events.WalletEventEntry(
            id="0197f3c5-1a6e-7c40-b2d8-7f09e53a61c4",
            type="wallet.frozen",
            version=4,
            position=1839,
            who=f"client:{KEY_ID}",
            correlation_id="ticket-4411",
            command_id=None,
            created_at=HELD_AT,
            data={"scope": "debits", "reason": "The phone was stolen"},
        ),
        events.WalletEventEntry(
            id="0197f3c4-e0a2-7f3b-8d15-94c6a7e2b0f7",
            type="wallet.debited",
            version=3,
            position=1838,
            who=f"client:{KEY_ID}",
            correlation_id="req_5bd0f5f5d9e0a3c1b7a90f64",
            command_id=COMMAND_ID,
            created_at=DEBITED_AT,
            data={
                "amount": 500,
                "balance_before": 15000,
                "balance_after": 14500,
                "available_after": 14500,
                "currency": "GHS",
                "reference": "sms_batch_8821",
                "description": "SMS send",
            },
        ),
    ],
    has_more=True,
    next_cursor=CURSOR,
)

EVENT_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listWalletEvents",
        method="get",
        path="/v1/wallets/{wallet_id}/events",
        group="Wallets",
        summary="List what happened to a wallet",
        description=(
            "Newest first: all that changed it or was declined, also what moved no money, such as "
            "a freeze with its reason; when, and who asked for it. It is read from the log itself, "
            "so it has everything that was done before the call."
        ),
        scope="wallets:read",
        parameters=("wallet_id", "limit", "after"),
        answer=_PAGE,
        answer_description="A page of events.",
        answer_headers=("ETag",),
        problems=(*LIST, "wallet_not_found"),
    ),
)
