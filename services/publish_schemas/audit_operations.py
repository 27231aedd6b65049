"""The call that shows the audit log, and the example of its answer."""

from schemas.http import audit
from services.publish_schemas.examples import ASKED_AT, DEBITED_AT, KEY_ID, NEW_KEY_ID, WALLET
from services.publish_schemas.operation import LIST, Operation

_PAGE = audit.AuditPage(
    data=[
        audit.AuditEntry(
            id="0197f3d6-0b41-7d92-a7c3-51e8f06b2d94",
            action="tenant.credential_rotated",
            who="operator:ama",
            reason="Once a year",
            wallet_id=None,
            details={
                "key_id": NEW_KEY_ID,
                "replaces_key_id": KEY_ID,
                "ends_at": "2026-05-25T11:10:02.418000Z",
                "scopes": ["wallets:read", "wallets:write"],
                "environment": "live",
            },
            position=1851,
            created_at=ASKED_AT,
        ),
        audit.AuditEntry(
            id="0197f3c4-6d18-7b0e-8f25-c94a3e7d1b60",
            action="wallet.reviewed",
            who=f"client:{KEY_ID}",
            reason="The bill is genuine",
            wallet_id=WALLET,
            details={"outcome": "approved"},
            position=1844,
            created_at=DEBITED_AT,
        ),
    ],
    has_more=False,
    next_cursor=None,
)

AUDIT_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listAuditLog",
        method="get",
        path="/v1/audit-log",
        group="Audit",
        summary="List what administrators did",
        description=(
            "Newest first: who made, replaced and revoked credentials, changed the list of "
            "origins, settled reviews and erased customers, when and why. It is read from the "
            "log itself, so it has everything that was done before the call."
        ),
        scope="admin",
        parameters=("limit", "after"),
        answer=_PAGE,
        answer_description="A page of entries.",
        problems=LIST,
    ),
)
