"""What `ledger verify` says of a row that is not what the log says: which fields, and no more."""

from datetime import UTC, datetime

from msgspec import Raw
from msgspec.structs import replace

from schemas.results import WalletView
from services.verify.differences import differing

VIEW = WalletView(
    id="wal_1",
    customer_id="ama",
    user_id="u",
    currency="GHS",
    balance=7,
    available_balance=7,
    status="active",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 2, tzinfo=UTC),
    version=3,
    metadata=Raw(b'{"a": 1}'),
)


def test_only_what_differs_is_said_and_as_text() -> None:
    found = replace(VIEW, balance=5, metadata=Raw(b"{}"), updated_at=VIEW.created_at, tier="tier_2")

    assert differing(found, VIEW) == (
        "balance is 5, the log says 7; "
        'updated_at is "2026-01-01T00:00:00Z", the log says "2026-01-02T00:00:00Z"; '
        'metadata is {}, the log says {"a": 1}; '
        'tier is "tier_2", the log says null'
    )


def test_a_row_or_an_event_that_is_not_there_is_said() -> None:
    assert differing(None, VIEW) == "there is no such row, and the log has it"
    assert differing(VIEW, None) == "the log does not have it"
