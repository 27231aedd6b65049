"""The calls of the Credit Wallets API that this release answers, one row each."""

from services.publish_schemas.audit_operations import AUDIT_OPERATIONS
from services.publish_schemas.batch_operations import BATCH_OPERATIONS
from services.publish_schemas.book_operations import BOOK_OPERATIONS
from services.publish_schemas.event_operations import EVENT_OPERATIONS
from services.publish_schemas.hold_operations import HOLD_OPERATIONS
from services.publish_schemas.operation import Operation
from services.publish_schemas.review_operations import REVIEW_OPERATIONS
from services.publish_schemas.topup_operations import TOPUP_OPERATIONS
from services.publish_schemas.transfer_operations import TRANSFER_OPERATIONS
from services.publish_schemas.wallet_operations import WALLET_OPERATIONS

OPERATIONS: tuple[Operation, ...] = (
    *WALLET_OPERATIONS,
    *EVENT_OPERATIONS,
    *REVIEW_OPERATIONS,
    *HOLD_OPERATIONS,
    *TRANSFER_OPERATIONS,
    *TOPUP_OPERATIONS,
    *BATCH_OPERATIONS,
    *BOOK_OPERATIONS,
    *AUDIT_OPERATIONS,
)
