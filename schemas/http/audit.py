"""Shapes of the audit log, under `/v1/audit-log`."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from schemas.http.credit_wallets import NextCursor
from schemas.identifiers import WalletId
from schemas.tenants import AdminReason


class AuditEntry(Struct, frozen=True, kw_only=True, gc=False):
    """One thing that an administrator did to the tenant, its customers or their wallets."""

    id: Annotated[
        str,
        Meta(
            pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            description="The id of the event that records it.",
        ),
    ]
    action: Annotated[
        str,
        Meta(
            pattern="^[a-z_]+[.][a-z_]+$",
            description="The event's type. More will come.",
            examples=["tenant.credential_revoked"],
        ),
    ]
    who: Annotated[
        str,
        Meta(
            description="`operator:` and a name at the command line; `client:` and a key id here.",
            examples=["operator:ama"],
        ),
    ]
    reason: AdminReason | None
    wallet_id: WalletId | None
    details: Annotated[
        dict[str, Any],
        Meta(description="The event's other members. Never a secret or a customer's identity."),
    ]
    position: Annotated[int, Meta(ge=1, description="The event's position in the log.")]
    created_at: datetime


class AuditPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of the audit log, newest first."""

    data: list[AuditEntry]
    has_more: bool
    next_cursor: NextCursor
