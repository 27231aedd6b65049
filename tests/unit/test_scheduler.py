"""What the scheduler publishes, and what it does not publish again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ledger.command_handling.submission import Submission
from projections.balances.read_model import DueWallet
from schemas.commands import ExpireDue
from schemas.identifiers import StreamKey, wallet_id
from services.intake.messages import read_message
from services.scheduler.commands import DueCommand, command_of
from services.scheduler.outstanding import MOST_OUTSTANDING, PAGE, Outstanding

TENANT_ID = "5b1f7c52-0c5e-4a6c-8a59-6d0a3f2f6d11"
DUE_AT = datetime(2026, 5, 24, 10, 0, 0, 123456, tzinfo=UTC)
MICROSECONDS = 1_779_616_800_123_456


def due(number: int = 1, due_at: datetime = DUE_AT) -> DueWallet:
    """Something due in a wallet."""
    wallet = StreamKey(TENANT_ID, wallet_id(f"{number:032x}"))
    return DueWallet(wallet=wallet, due_at=due_at)


def commands(numbers: range) -> list[DueCommand]:
    """One for each wallet, all of one moment."""
    return [command_of(due(number), DUE_AT) for number in numbers]


def test_the_intake_reads_what_the_scheduler_publishes() -> None:
    command = command_of(due(), DUE_AT)
    wallet = wallet_id(f"{1:032x}")
    assert command.key == wallet.encode()
    assert read_message(command.headers, command.value) == Submission(
        tenant_id=TENANT_ID,
        command=ExpireDue(wallet_id=wallet),
        command_id=f"expire-due/{wallet}/{MICROSECONDS}",
        who="kafka:/ledger/scheduler",
        correlation_id=None,
    )


@pytest.mark.parametrize(
    ("late_s", "repetition"),
    [(0, ""), (59.999999, ""), (60, "/1"), (119, "/1"), (120, "/2"), (240, "/3"), (3600, "/6")],
)
def test_the_id_is_the_same_for_whoever_asks_in_the_same_minutes(
    late_s: float, repetition: str
) -> None:
    command = command_of(due(), DUE_AT + timedelta(seconds=late_s))
    assert command.command_id == f"expire-due/{wallet_id(f'{1:032x}')}/{MICROSECONDS}{repetition}"


def test_another_wallet_or_moment_is_another_command() -> None:
    asked = (due(1), due(2), due(1, DUE_AT + timedelta(microseconds=1)))
    assert len({command_of(each, DUE_AT).command_id for each in asked}) == 3


def test_what_is_under_way_is_not_published_again_until_it_is_done() -> None:
    outstanding = Outstanding()
    first, second, third = commands(range(3))
    assert _publish(outstanding, [first, second]) == [first, second]
    assert _publish(outstanding, [first, second, third]) == [third]
    assert _publish(outstanding, [third]) == []
    assert len(outstanding) == 1
    # Due once more, as after a restore of the database: what is not under way is published.
    assert _publish(outstanding, [first, third]) == [first]


def test_what_is_not_done_after_a_minute_is_published_under_another_id() -> None:
    """What the first one came to, whatever it was, is frozen."""
    outstanding = Outstanding()
    (first,) = commands(range(1))
    again = command_of(due(0), DUE_AT + timedelta(minutes=1))
    assert _publish(outstanding, [first]) == [first]
    assert _publish(outstanding, [again]) == [again]
    assert _publish(outstanding, [again]) == []


def test_one_command_is_published_once_however_often_the_page_has_it() -> None:
    (command,) = commands(range(1))
    assert _publish(Outstanding(), [command, command]) == [command]


@pytest.mark.parametrize("shown_per_round", [0, 1, PAGE // 2, 10 * PAGE])
def test_each_is_published_once_however_slow_the_read_model_is(shown_per_round: int) -> None:
    """And what is under way has its limit: then the rest waits for the read model."""
    outstanding = Outstanding()
    still_due = commands(range(MOST_OUTSTANDING + 3 * PAGE))
    every_id = [command.command_id for command in still_due]
    published: list[str] = []
    for _ in range(50):
        news = _publish(outstanding, still_due[: outstanding.limit()])
        published += [command.command_id for command in news]
        assert len(outstanding) <= MOST_OUTSTANDING
        # What has not been asked for cannot be done.
        del still_due[: min(shown_per_round, len(outstanding))]
    if shown_per_round == 0:
        assert published == every_id[:MOST_OUTSTANDING]
    else:
        assert published == every_id[: len(published)]
        assert len(published) == min(MOST_OUTSTANDING + 49 * shown_per_round, len(every_id))


def _publish(outstanding: Outstanding, page: Sequence[DueCommand]) -> list[DueCommand]:
    news = outstanding.news(page)
    outstanding.add(news)
    return news
