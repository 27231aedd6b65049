"""The session with PostgreSQL: how recent an answer is, and what is heard when it is lost."""

import asyncio
import gc
from typing import Any, cast

import pytest

from services.relay.leadership import LogSession, SessionLostError


class _Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        """Seconds, as the test has it."""
        return self.now_s


class _Connection:
    """Answers every statement, after so many seconds."""

    def __init__(self, clock: _Clock) -> None:
        self.clock = clock
        self.takes_s = 0.0
        self.statements = 0
        self.is_lost = False

    async def fetch(self, *_statement: object, **_options: object) -> list[dict[str, Any]]:
        """One row with what a ping asks for."""
        self.statements += 1
        self.clock.now_s += self.takes_s
        await asyncio.sleep(0)
        if self.is_lost:
            raise ConnectionResetError
        return [
            {"published_position": 1, "head_position": 1, "waiting_s": None, "is_current": True}
        ]


def _session() -> tuple[LogSession, _Connection]:
    clock = _Clock()
    connection = _Connection(clock)
    return LogSession(cast("Any", connection), cast("Any", clock), generation=1), connection


async def test_an_answer_of_just_now_says_that_the_lock_is_held() -> None:
    session, connection = _session()
    await session.read_page(0, 10)
    await session.confirm()
    assert connection.statements == 1


async def test_an_answer_that_lay_there_while_the_relay_was_stopped_does_not() -> None:
    session, connection = _session()
    connection.takes_s = 30.0
    await session.read_page(0, 10)
    connection.takes_s = 0.0
    await session.confirm()
    assert connection.statements == 2, "PostgreSQL is asked again before anything is sent"


async def test_work_that_fails_while_the_session_is_lost_is_no_error_of_its_own() -> None:
    """Kafka and PostgreSQL are away: the session says so, and the log has no trace of a task."""
    session, connection = _session()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def connect_in_vain() -> None:
        raise ConnectionRefusedError

    connection.clock.now_s += 30.0
    connection.is_lost = True
    with pytest.raises(SessionLostError):
        await session.hold(connect_in_vain())
    gc.collect()

    assert complaints == []
