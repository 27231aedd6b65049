"""What the sandbox provider bears: bad addresses, long stops, a locked file, many declines."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
import pytest

from services.sandbox_provider import deliveries
from services.sandbox_provider.deliveries import (
    MIN_ATTEMPTS,
    PATIENCE_SECONDS,
    Deliveries,
    is_given_up,
)
from services.sandbox_provider.sessions import Callback, Session, SessionWish
from services.sandbox_provider.store import MAX_DECLINES, SessionStore
from tests.specs.payments import Listener, listening
from tests.specs.running_stack import eventually

MIGRATIONS = Path(deliveries.__file__).with_name("migrations")
NOW = 1_700_000_000.0
WISH = SessionWish(
    topup_id="top_" + "0a" * 16,
    amount=500,
    currency="GHS",
    merchant="Shop",
    return_url="https://shop.example/return",
    callback_url="https://shop.example/callbacks",
    expires_at=datetime.fromtimestamp(NOW + 60, UTC),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "provider" / "sessions.sqlite"


@pytest.fixture
def store(file: Path) -> Iterator[SessionStore]:
    opened = SessionStore(file)
    yield opened
    opened.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as opened:
        yield opened


def paid(store: SessionStore, number: int, url: str) -> None:
    """A paid session whose callback is due, to this address."""
    wish = msgspec.structs.replace(WISH, topup_id=f"top_{number:032x}", callback_url=url)
    session = store.open_session(f"ses_{number}", wish, NOW)
    assert store.pay(session, f"pay_{number}", [Callback(body="{}", due_at=NOW)], NOW)


@asynccontextmanager
async def delivering(store: SessionStore, now: float = NOW) -> AsyncIterator[Deliveries]:
    """Deliveries that are under way inside the block, and are then still under way."""
    async with aiohttp.ClientSession() as client:
        sending = Deliveries(store, client, "secret", now=lambda: now, chance=lambda: 0.5)
        task: asyncio.Task[None] = asyncio.create_task(sending.run())
        yield sending
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.parametrize(
    "url",
    ["http://a..b/x", "http://" + "a" * 70 + ".x/y", "http://h:99999/", "http://[::1/", "http://"],
)
async def test_a_bad_address_is_one_that_does_not_answer_and_holds_up_no_other(
    store: SessionStore, listener: Listener, url: str
) -> None:
    paid(store, 1, url)
    paid(store, 2, listener.url)

    async with delivering(store):
        await eventually(lambda: store.waiting().callbacks == 1, "the good one is delivered")

    assert len(listener.came) == 1
    (left,) = store.due(NOW + 3600, 10)
    assert (left.url, left.attempts) == (url, 1)


@pytest.mark.parametrize(
    ("attempts", "seconds", "given_up"),
    [
        (MIN_ATTEMPTS, PATIENCE_SECONDS + 1, True),
        (MIN_ATTEMPTS, PATIENCE_SECONDS, False),
        (MIN_ATTEMPTS - 1, PATIENCE_SECONDS * 10, False),
        (1000, PATIENCE_SECONDS - 1, False),
    ],
)
def test_a_callback_is_given_up_after_days_and_several_attempts(
    attempts: int, seconds: float, given_up: bool
) -> None:
    assert is_given_up(attempts, seconds) is given_up


async def test_a_callback_that_was_not_sent_for_days_is_not_given_up_by_its_first_attempt(
    store: SessionStore, listener: Listener
) -> None:
    listener.answers = [503] * 20
    paid(store, 1, listener.url)
    days_later = NOW + PATIENCE_SECONDS + 3600

    async with delivering(store, days_later):
        await eventually(lambda: len(listener.came) == 1, "it is sent")
        await eventually(lambda: store.waiting().next_due_at == days_later + 1, "it is postponed")

    assert store.waiting().callbacks == 1


async def test_patience_counts_from_the_first_attempt(
    store: SessionStore, listener: Listener
) -> None:
    listener.answers = [503]
    paid(store, 1, listener.url)
    (due,) = store.due(NOW, 1)
    for attempt in range(MIN_ATTEMPTS - 1):
        assert store.begin_attempt(due.callback_id, NOW + attempt, NOW) == NOW

    async with delivering(store, NOW + PATIENCE_SECONDS + 1):
        await eventually(lambda: store.waiting().callbacks == 0, "it is given up")

    assert len(listener.came) == 1


def test_what_was_written_before_there_were_first_attempts_is_kept(file: Path) -> None:
    file.parent.mkdir()
    first = (MIGRATIONS / "0001_sessions.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript(f"{first}\nPRAGMA user_version = 1;")
        connection.execute(
            "INSERT INTO sessions VALUES ('ses_1', 'top_1', 500, 'GHS', 'm', '', 'https://r', "
            "'https://c', 1, 'paid', 'pay_1', ?)",
            [NOW],
        )
        connection.execute(
            "INSERT INTO callbacks (session_id, url, body, forged_attempts, created_at, due_at, "
            "attempts) VALUES ('ses_1', 'https://c', '{}', 0, ?, ?, 3)",
            [NOW, NOW],
        )

    opened = SessionStore(file)
    try:
        (due,) = opened.due(NOW, 1)
        assert opened.begin_attempt(due.callback_id, NOW + 9, NOW + 10) == NOW
    finally:
        opened.close()


def test_only_so_many_declines_of_a_session_are_told(store: SessionStore) -> None:
    session = store.open_session("ses_1", WISH, NOW)
    told = [Callback(body="{}", due_at=NOW)]

    taken = [store.decline(session, told, NOW) for _ in range(MAX_DECLINES + 5)]

    assert taken == [True] * MAX_DECLINES + [False] * 5
    assert store.waiting().callbacks == MAX_DECLINES
    assert store.pay(session, "pay_1", told, NOW)


def test_nothing_is_told_of_a_decline_after_the_payment(
    store: SessionStore,
) -> None:
    session: Session = store.open_session("ses_1", WISH, NOW)
    assert store.pay(session, "pay_1", (), NOW)

    assert not store.decline(session, [Callback(body="{}", due_at=NOW)], NOW)
    assert store.waiting().callbacks == 0


async def test_deliveries_outlive_a_file_that_is_locked_for_a_while(
    store: SessionStore, file: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_LOCKED_PAUSE_SECONDS", 0.05)
    paid(store, 1, listener.url)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with delivering(store):
            # Long enough for an attempt to begin in vain: it blocks for half a second.
            began = time.monotonic()
            await asyncio.sleep(0.1)
            assert time.monotonic() - began > 0.4
            assert listener.came == []
            other.execute("ROLLBACK")
            await eventually(lambda: store.waiting().callbacks == 0, "it is delivered")

    assert len(listener.came) == 1
