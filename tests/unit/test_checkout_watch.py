"""Waiting for a top-up's end: one looks for all who wait, and not everybody may wait."""

import asyncio

import msgspec
import pytest

from services.gateway.checkout import watch as watching
from services.gateway.checkout.shown_topup import ShownTopup
from services.gateway.checkout.watch import MAX_WAITERS, Watch
from services.gateway.problems import ReadsUnavailableError
from tests.unit.test_checkout import shown, view

PENDING = shown(view("https://shop.example/"))
COMPLETED = shown(view("https://shop.example/"), "completed")


class Rounds:
    """A clock on which a pause lasts until the test lets it end, and the reads in between."""

    def __init__(self) -> None:
        self.looks = 0
        self.now: ShownTopup | Exception = PENDING
        self._turn = asyncio.Event()

    def monotonic(self) -> float:
        """See `Clock`. Nobody asks."""
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        assert seconds > 0
        await self._turn.wait()
        self._turn.clear()

    async def find(self, _: str) -> ShownTopup | None:
        """One look."""
        self.looks += 1
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    async def go_round(self) -> None:
        """Let one pause end, and all that follows from it happen."""
        self._turn.set()
        for _ in range(20):
            await asyncio.sleep(0)


async def waiting(watch: Watch, count: int, topup: ShownTopup) -> list[asyncio.Task[ShownTopup]]:
    tasks = [asyncio.create_task(watch.once_over(topup)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_however_many_wait_there_is_one_look_a_round() -> None:
    rounds = Rounds()
    watch = Watch(rounds.find, rounds)
    tasks = await waiting(watch, 100, PENDING)

    await rounds.go_round()
    assert rounds.looks == 1
    rounds.now = COMPLETED
    await rounds.go_round()

    assert rounds.looks == 2
    assert await asyncio.gather(*tasks) == [COMPLETED] * 100
    assert watch.seen(PENDING.view.id) is None


async def test_who_comes_while_somebody_waits_sees_what_was_seen_last() -> None:
    rounds = Rounds()
    watch = Watch(rounds.find, rounds)
    assert watch.seen(PENDING.view.id) is None

    (task,) = await waiting(watch, 1, PENDING)

    assert watch.seen(PENDING.view.id) == PENDING
    rounds.now = COMPLETED
    await rounds.go_round()
    assert await task == COMPLETED


async def test_who_comes_on_top_of_the_most_that_may_wait_does_not_wait() -> None:
    rounds = Rounds()
    watch = Watch(rounds.find, rounds)
    tasks = await waiting(watch, MAX_WAITERS, PENDING)
    other = msgspec.structs.replace(
        PENDING, view=msgspec.structs.replace(PENDING.view, id="top_" + "0c" * 16)
    )

    for late in (PENDING, other):
        assert await asyncio.wait_for(watch.once_over(late), 1) == late

    rounds.now = COMPLETED
    await rounds.go_round()
    await asyncio.gather(*tasks)
    (task,) = await waiting(watch, 1, PENDING)
    assert not task.done()
    await rounds.go_round()
    assert await task == COMPLETED


async def test_a_failure_is_told_to_all_who_wait_and_the_next_look_anew() -> None:
    rounds = Rounds()
    watch = Watch(rounds.find, rounds)
    tasks = await waiting(watch, 3, PENDING)

    rounds.now = ReadsUnavailableError("away")
    await rounds.go_round()

    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in told] == [ReadsUnavailableError] * 3
    rounds.now = COMPLETED
    (task,) = await waiting(watch, 1, PENDING)
    await rounds.go_round()
    assert await task == COMPLETED


async def test_nobody_looks_any_more_when_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_WAIT_SECONDS", 0.01)
    rounds = Rounds()
    watch = Watch(rounds.find, rounds)

    assert await watch.once_over(PENDING) == PENDING

    # One round was begun while somebody waited; there is no other.
    await rounds.go_round()
    await rounds.go_round()
    assert rounds.looks == 1
    assert watch.seen(PENDING.view.id) is None


async def test_what_is_over_is_not_waited_for() -> None:
    rounds = Rounds()

    assert await Watch(rounds.find, rounds).once_over(COMPLETED) == COMPLETED
    assert rounds.looks == 0
