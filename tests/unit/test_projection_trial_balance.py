"""The journal's rule, by the published samples of every event, and against the write side's."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.domain.postings import Account, postings
from projections.events import ProjectedEvent
from projections.trial_balance.evolve import CHART, Entry, entry_of, entry_of_event
from projections.trial_balance.projection import BLOCK_POSITIONS, added_up
from schemas.events import WALLET_EVENT_TYPES, WalletEvent, decode_event
from schemas.identifiers import StreamKey
from tests.specs.event_factory import EPOCH, TENANT_ID

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "tests" / "golden" / "events").glob("wallet.*.json"))
PAGE = ROOT / "docs" / "explanation" / "double-entry.md"
SQL = ROOT / "projections" / "trial_balance" / "sql"


def sample(path: Path) -> WalletEvent:
    """The event of a golden file."""
    return decode_event(path.name.split(".v1.")[0], 1, path.read_bytes())


def legs(entry: Entry | None) -> list[tuple[str, int, str]]:
    """The entry as postings."""
    if entry is None:
        return []
    return [
        (entry.debit, entry.amount, entry.currency),
        (entry.credit, -entry.amount, entry.currency),
    ]


@pytest.mark.parametrize("path", SAMPLES, ids=[path.name for path in SAMPLES])
def test_both_sides_book_the_same(path: Path) -> None:
    event = sample(path)
    found = [(each.account, each.amount, each.currency) for each in postings(event)]
    assert legs(entry_of_event(event)) == found


def test_the_chart_has_every_account_that_there_is() -> None:
    assert set(CHART) == set(msgspec.json.schema(Account)["enum"])


def _documented() -> dict[str, tuple[str, str] | None]:
    """What the page says of each event: debited and credited account, or nothing."""
    table: dict[str, tuple[str, str] | None] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) for cell in line.strip().strip("|").split("|")]
        if len(cells) != 3 or not cells[0] or cells[0][0] not in WALLET_EVENT_TYPES:
            continue
        name = " ".join(cells[0])
        table[name] = (cells[1][0], cells[2][0]) if cells[1] else None
    return table


def test_the_page_shows_what_each_event_books() -> None:
    """An event that is booked in two ways has two rows, the second with what makes it so."""
    expected: dict[str, tuple[str, str] | None] = {}
    for name in WALLET_EVENT_TYPES:
        expected[name] = None
    for path in SAMPLES:
        event = sample(path)
        name = path.name.split(".v1.")[0]
        entry = entry_of_event(event)
        if getattr(event, "transfer_id", None) is not None and "reversed" in name:
            name = f"{name} transfer_id"
        expected[name] = None if entry is None else (entry.debit, entry.credit)
    documented = _documented()
    # A release without samples of an event still has to say what it books.
    unseen = {name for name in WALLET_EVENT_TYPES if not _has_sample(name)}
    assert documented.keys() == expected.keys()
    for name, accounts in expected.items():
        if name not in unseen:
            assert documented[name] == accounts, name


def _has_sample(name: str) -> bool:
    return any(path.name.startswith(f"{name}.v1.") for path in SAMPLES)


def _at(position: int, **changes: Any) -> ProjectedEvent:
    data = {
        "type": "wallet.credited",
        "amount": 100,
        "balance_before": 0,
        "balance_after": 100,
        "available_after": 100,
        "currency": "GHS",
        "reference": "r",
        "description": "",
    }
    return ProjectedEvent(
        position=position,
        wallet=StreamKey(TENANT_ID, "wal_" + "0a" * 16),
        version=2,
        event_id="0b" * 16,
        type="wallet.credited",
        schema_version=1,
        data=msgspec.json.encode(data | changes),
        recorded_at=EPOCH,
    )


def test_sums_are_by_account_and_block() -> None:
    events = [_at(5), _at(BLOCK_POSITIONS - 1, amount=7), _at(BLOCK_POSITIONS, amount=1)]
    entries = [(event, entry) for event in events if (entry := entry_of(event)) is not None]
    assert added_up(entries) == {
        (TENANT_ID, "merchant", "GHS", 0): (107, 0, 2),
        (TENANT_ID, "customer_wallet", "GHS", 0): (0, 107, 2),
        (TENANT_ID, "merchant", "GHS", 1): (1, 0, 1),
        (TENANT_ID, "customer_wallet", "GHS", 1): (0, 1, 1),
    }


def test_the_statements_have_the_same_blocks() -> None:
    said = {
        number
        for folder in (SQL, ROOT / "services" / "verify" / "sql")
        for path in folder.glob("*.sql")
        for number in re.findall(r"\b16\d{3}\b", path.read_text(encoding="utf-8"))
    }
    assert said == {str(BLOCK_POSITIONS)}
