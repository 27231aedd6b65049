"""The judge of random faults finds nothing wrong in a sound history, and what is wrong in others.

The clients of the storm work on a log in memory, so nothing breaks there but what a test breaks.
"""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec
import pytest

from schemas.commands import CreditWallet, DebitWallet
from tests.specs import storm_judge
from tests.specs.storm_in_memory import History, history_of
from tests.specs.storm_journal import Read, Unanswered, Window
from tests.specs.storm_log import Index
from tests.specs.storm_purses import Row
from tests.specs.storm_wishes import Told, Wish

SECONDS = 2.0


@cache
def sound() -> History:
    """A history to which nothing was done."""
    return asyncio.run(history_of("sound", SECONDS))


def judged(history: History) -> list[str]:
    """All that is wrong with it, in words."""
    journal, rows = history
    index = Index(rows, journal.wishes)
    batches = {call.key: call.wishes for call in journal.calls if call.atomic and call.key}
    retelling = storm_judge.Retelling(journal, rows, index, datetime.now(UTC))
    return [
        *storm_judge.gaps(rows),
        *storm_judge.effects(journal, index),
        *storm_judge.answers(journal, index),
        *storm_judge.order(journal, index),
        *storm_judge.reads(journal, rows),
        *storm_judge.outages(journal),
        *storm_judge.payments(journal, rows),
        *retelling.wrong(batches),
    ]


def _debit(history: History) -> tuple[Wish, Row]:
    """The last debit that was done under a key, and its event."""
    index = Index(history.rows, history.journal.wishes)
    return next(
        (wish, index.of(wish).done[0])
        for wish in reversed(history.journal.wishes)
        if isinstance(wish.command, DebitWallet) and wish.key and index.of(wish).done
    )


def _lost(history: History) -> None:
    history.rows.remove(_debit(history)[1])


def _doubled(history: History) -> None:
    _, row = _debit(history)
    history.rows.append(row._replace(position=len(history.rows) + 1, event_id="0" * 32))


def _told_otherwise_later(history: History) -> None:
    wish, _ = _debit(history)
    wish.answers.append(wish.answers[0]._replace(body=b"{}"))


def _done_twice_by_its_word(history: History) -> None:
    wish, _ = _debit(history)
    wish.answers.append(wish.answers[0]._replace(is_replayed=False))
    for call in list(history.journal.calls):
        if wish in call.wishes:
            history.journal.calls.append(call._replace(door="a"))


def _told_of_another_balance(history: History) -> None:
    wish, _ = _debit(history)
    shown = msgspec.json.decode(wish.answers[0].body)
    shown["transaction"]["balance_after"] += 1
    wish.answers[:] = [each._replace(body=msgspec.json.encode(shown)) for each in wish.answers]


def _refused_and_done(history: History) -> None:
    wish, _ = _debit(history)
    body = b'{"status": "declined", "rejection": {"code": "insufficient_funds"}}'
    wish.answers[:] = [Told(409, body, None, is_replayed=False, at=wish.answers[0].at)]


def _undone_by_its_word_and_done(history: History) -> None:
    wish, _ = _debit(history)
    wish.answers.clear()


def _nobodys(history: History) -> None:
    _, row = _debit(history)
    history.rows.append(row._replace(position=len(history.rows) + 1, cause="nobody"))


def _placed_before_what_was_told_sooner(history: History) -> None:
    first = next(wish for wish in history.journal.wishes if wish.answers)
    first.began = max(wish.began for wish in history.journal.wishes) + 1


def _more_than_there_was(history: History) -> None:
    wish, _ = _debit(history)
    wish.command = msgspec.structs.replace(wish.command, amount=10**6)


def _less_came_in(history: History) -> None:
    wish = next(w for w in history.journal.wishes if isinstance(w.command, CreditWallet))
    wish.command = msgspec.structs.replace(wish.command, amount=1)


def _declined_for_nothing(history: History) -> None:
    at = next(n for n, row in enumerate(history.rows) if row.type == "wallet.debit_declined")
    row = history.rows[at]
    history.rows[at] = row._replace(data={**row.data, "code": "no_reason"})


def _shown_wrong(history: History) -> None:
    row = history.rows[1]
    history.journal.reads.append(Read(row.wallet_id, row.version, 10**9, 0))


def _out_of_time(history: History) -> None:
    row = history.rows[1]
    history.rows[1] = row._replace(at=row.at + timedelta(days=1))


def _payment(history: History) -> int:
    """Where the last payment that was credited stands."""
    return max(n for n, row in enumerate(history.rows) if row.type == "wallet.topped_up")


def _paid_for_nothing(history: History) -> None:
    del history.rows[_payment(history)]


def _credited_twice(history: History) -> None:
    history.rows.append(history.rows[_payment(history)])


def _credited_too_much(history: History) -> None:
    row = history.rows[_payment(history)]
    row.data["amount"] += 1


def _silent(history: History) -> None:
    history.journal.windows.append(Window("a fault", 0, 1))
    history.journal.unanswered += [Unanswered(0.5, "TimeoutError"), Unanswered(1.5, "overloaded")]


def test_of_a_sound_history_nothing_is_wrong() -> None:
    history = sound()
    types = {row.type for row in history.rows}
    assert {"wallet.credit_lapsed", "wallet.debit_declined", "wallet.debit_reversed"} <= types
    assert "wallet.topped_up" in types
    assert history.journal.wrong == []
    assert judged(history) == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_lost, "acknowledged and not there"),
        (_doubled, "not one effect"),
        (_told_otherwise_later, "another answer"),
        (_done_twice_by_its_word, "done twice by its own word"),
        (_told_of_another_balance, "told balance_after"),
        (_refused_and_done, "refused and done"),
        (_undone_by_its_word_and_done, "nothing was to have happened"),
        (_nobodys, "nobody asked for"),
        (_placed_before_what_was_told_sooner, "and is before it"),
        (_more_than_there_was, "insufficient_funds, and done"),
        (_less_came_in, "by the coins"),
        (_declined_for_nothing, "by the coins"),
        (_shown_wrong, "the log has"),
        (_out_of_time, "time goes back"),
        (_paid_for_nothing, "paid, and not there"),
        (_credited_twice, "there, and not paid"),
        (_credited_too_much, "by the coins"),
        (_silent, "overloaded without any fault"),
    ],
)
def test_what_is_wrong_is_found(damage: Callable[[History], None], words: str) -> None:
    history = deepcopy(sound())
    damage(history)
    assert [each for each in judged(history) if words in each] != []
