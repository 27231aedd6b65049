"""Shapes of a wallet's own events, under `/v1/wallets/{wallet_id}/events`."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from schemas.http.credit_wallets import NextCursor


class WalletEventEntry(Struct, frozen=True, kw_only=True, gc=False):
    """One thing that happened to the wallet, as the log has it and `ledger.events` publishes it."""

    id: Annotated[
        str,
        Meta(
            pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            description="The event's id: `ce_id` on Kafka.",
        ),
    ]
    type: Annotated[
        str,
        Meta(
            pattern="^[a-z_]+[.][a-z_]+$",
            description="The event's type. More will come.",
            examples=["wallet.frozen"],
        ),
    ]
    version: Annotated[int, Meta(ge=1, description="Its place among the wallet's events.")]
    position: Annotated[int, Meta(ge=1, description="Its place in the whole log.")]
    who: Annotated[
        str,
        Meta(
            description=(
                "Who asked for it: `client:` and a key id over HTTP, the message's source over "
                "Kafka, `customer` at the checkout, or another process."
            ),
            examples=["client:key_16c5413fa306bd42f25c44b9"],
        ),
    ]
    correlation_id: Annotated[
        str | None, Meta(description="What the request had as its correlation id, or its own id.")
    ]
    command_id: Annotated[
        str | None,
        Meta(description="The `Idempotency-Key`, or the message's id, if there is one."),
    ]
    created_at: datetime
    data: Annotated[
        dict[str, Any],
        Meta(
            description=(
                "The event's own members, by its type, as docs/reference/events.md has them: one "
                "at its default is left out, so a freeze without a scope stops debits. Without "
                "the customer's identity, which is sealed."
            )
        ),
    ]


class WalletEventPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of a wallet's events, newest first."""

    data: list[WalletEventEntry]
    has_more: bool
    next_cursor: NextCursor
