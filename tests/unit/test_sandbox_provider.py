"""The sandbox provider's rules: its cards, its pauses, its memory, its page."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from services.gateway.payments.signatures import check_signature
from services.sandbox_provider.cards import CARDS, callbacks_after, card_of, digits_of
from services.sandbox_provider.deliveries import pause_seconds, signature
from services.sandbox_provider.pages import session_page
from services.sandbox_provider.sessions import Callback, Session, SessionWish
from services.sandbox_provider.store import SessionStore

NOW = 1_700_000_000.0
ENDS = NOW + 60
WISH = SessionWish(
    topup_id="top_" + "0a" * 16,
    amount=500,
    currency="GHS",
    merchant="<b>Shop</b>",
    return_url="https://shop.example/return",
    callback_url="https://shop.example/callbacks",
    expires_at=datetime.fromtimestamp(ENDS, UTC),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    opened = SessionStore(tmp_path / "provider" / "sessions.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def session(store: SessionStore) -> Session:
    return store.open_session("ses_1", WISH, NOW)


def test_every_test_card_is_a_card_number() -> None:
    for card in CARDS:
        assert digits_of(card.shown) == card.number
        assert card_of(card.number) is card


def test_the_test_cards_are_documented() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "take-top-ups.md"
    shown = re.findall(r"^\| `([0-9 ]+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert shown == [card.shown for card in CARDS]


@pytest.mark.parametrize(
    "text",
    ["", "4242", "4242424242424241", "4242 4242 4242 424a", "4" * 20, "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"],
)
def test_what_is_no_card_number_is_not_taken_for_one(text: str) -> None:
    assert digits_of(text) is None


def test_each_card_tells_of_its_payment_in_its_own_way(session: Session) -> None:
    told = {
        card.behaviour: callbacks_after(card.behaviour, session, "pay_1", NOW) for card in CARDS
    }

    assert [callback.due_at for callback in told["succeed"]] == [NOW]
    assert [callback.due_at for callback in told["slow"]] == [NOW + 4]
    assert [callback.due_at for callback in told["late"]] == [ENDS + 2]
    assert [callback.forged_attempts for callback in told["forged"]] == [1]
    first, second = told["duplicate"]
    assert first == second
    (failed,) = told["decline"]
    assert msgspec.json.decode(failed.body) == {
        "type": "payment.failed",
        "payment_id": "pay_1",
        "topup_id": WISH.topup_id,
        "amount": 500,
        "currency": "GHS",
        "created_at": "2023-11-14T22:13:20.000+00:00",
    }


def test_the_pauses_double_up_to_ten_minutes_and_spread_by_a_quarter() -> None:
    assert [pause_seconds(attempts, 0.5) for attempts in (1, 2, 3, 10, 11, 99)] == [
        *(1, 2, 4, 512),
        *(600, 600),
    ]
    assert (pause_seconds(1, 0.0), pause_seconds(1, 1.0)) == (0.75, 1.25)


def test_what_the_provider_signs_the_gateway_takes() -> None:
    signed = signature("secret", "1700000000", b"{}")

    check_signature("secret", timestamp="1700000000", signature=signed, body=b"{}", now=NOW)


def test_a_top_up_has_one_session_until_it_is_cancelled(
    store: SessionStore, session: Session
) -> None:
    assert store.open_session("ses_2", WISH, NOW) == session

    assert store.cancel(session, (), NOW)
    assert store.open_session("ses_3", WISH, NOW).session_id == "ses_3"


def test_a_session_is_paid_once_and_then_not_cancelled(
    store: SessionStore, session: Session
) -> None:
    told = [Callback(body="{}", due_at=NOW)]

    assert store.pay(session, "pay_1", told, NOW)
    assert not store.pay(session, "pay_2", told, NOW)
    assert not store.cancel(session, told, NOW)

    paid = store.session("ses_1")
    assert paid is not None
    assert (paid.status, paid.payment_id) == ("paid", "pay_1")
    assert len(store.due(NOW, 10)) == 1
    assert store.open_session("ses_2", WISH, NOW) == paid


def test_what_was_planned_is_still_planned_after_a_restart(
    tmp_path: Path, store: SessionStore, session: Session
) -> None:
    store.pay(session, "pay_1", [Callback(body="{}", due_at=NOW + 5, forged_attempts=1)], NOW)
    store.close()

    again = SessionStore(tmp_path / "provider" / "sessions.sqlite")
    try:
        assert again.due(NOW, 10) == []
        (due,) = again.due(NOW + 5, 10)
        assert (due.url, due.body, due.attempts) == (WISH.callback_url, "{}", 0)
        again.begin_attempt(due.callback_id, NOW + 5, NOW + 9)
        assert again.due(NOW + 8, 10) == []
        assert [each.attempts for each in again.due(NOW + 9, 10)] == [1]
        again.settle(due.callback_id, "delivered", NOW + 9)
        assert again.waiting() == (None, 0)
    finally:
        again.close()


@pytest.mark.usefixtures("store")
def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "provider" / "sessions.sqlite"
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_the_page_says_what_became_of_the_session(session: Session) -> None:
    paid = msgspec.structs.replace(session, status="paid", payment_id="pay_1")
    cancelled = msgspec.structs.replace(session, status="cancelled")

    assert "Card number" in session_page(session, ENDS - 1, None)
    assert "Card number" not in session_page(session, ENDS, None)
    assert "cannot be paid twice" in session_page(paid, ENDS, None)
    assert "was cancelled" in session_page(cancelled, NOW, None)


def test_the_page_shows_what_others_wrote_as_text(session: Session) -> None:
    html = session_page(session, NOW, "<script>")

    assert "<bdi>&lt;b&gt;Shop&lt;/b&gt;</bdi>" in html
    assert "<b>Shop" not in html
    assert "<script" not in html
    assert "was declined" in session_page(session, NOW, "declined")
