"""The provider's memory: one SQLite file. What is answered or sent was written before.

Each call is one transaction of a few rows on this machine's disk, so it simply blocks.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from services.runtime.sql import load_statement
from services.sandbox_provider.sessions import Callback, Session, SessionWish

MAX_DECLINES = 20
"""How many declines of one session are told: who pays can try as often as they like."""
LOCK_SECONDS = 0.5
"""How long a call waits for a file that another process has locked."""

_MIGRATIONS = Path(__file__).with_name("migrations")
_ADD_SESSION = load_statement(__file__, "add_session")
_FIND_SESSION = load_statement(__file__, "find_session")
_FIND_SESSION_OF_TOPUP = load_statement(__file__, "find_session_of_topup")
_PAY_SESSION = load_statement(__file__, "pay_session")
_DECLINE_PAYMENT = load_statement(__file__, "decline_payment")
_CANCEL_SESSION = load_statement(__file__, "cancel_session")
_ADD_CALLBACK = load_statement(__file__, "add_callback")
_DUE_CALLBACKS = load_statement(__file__, "due_callbacks")
_BEGIN_ATTEMPT = load_statement(__file__, "begin_attempt")
_POSTPONE_CALLBACK = load_statement(__file__, "postpone_callback")
_SETTLE_CALLBACK = load_statement(__file__, "settle_callback")
_NEXT_DUE = load_statement(__file__, "next_due")


class DueCallback(NamedTuple):
    """A callback to send. `attempts` were made before."""

    callback_id: int
    url: str
    body: str
    forged_attempts: int
    attempts: int


class Waiting(NamedTuple):
    """When the next callback is due, none if none is; and how many are not settled."""

    next_due_at: float | None
    callbacks: int


class SessionStore:
    """Sessions and callbacks. Raises `sqlite3.Error` where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # The default of WAL may lose the newest transactions with the machine.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._migrate()

    def _migrate(self) -> None:
        done = self._connection.execute("PRAGMA user_version").fetchone()[0]
        for file in sorted(_MIGRATIONS.glob("*.sql"))[done:]:
            number = int(file.name[:4])
            script = file.read_text(encoding="utf-8")
            self._connection.executescript(
                f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def open_session(self, session_id: str, wish: SessionWish, now: float) -> Session:
        """The top-up's session that is not cancelled; a new one if it has none."""
        values = msgspec.structs.asdict(wish) | {
            "session_id": session_id,
            "expires_at": wish.expires_at.timestamp(),
            "created_at": now,
        }
        with self._transaction() as connection:
            connection.execute(_ADD_SESSION, values)
            found = self.session_of_topup(wish.topup_id)
        assert found is not None, "it was added or was there"
        return found

    def session(self, session_id: str) -> Session | None:
        """A session by its id."""
        return self._find(_FIND_SESSION, {"session_id": session_id})

    def session_of_topup(self, topup_id: str) -> Session | None:
        """A top-up's session that is not cancelled."""
        return self._find(_FIND_SESSION_OF_TOPUP, {"topup_id": topup_id})

    def pay(
        self, session: Session, payment_id: str, callbacks: Sequence[Callback], now: float
    ) -> bool:
        """Take a payment and plan what is told of it; False, changing nothing, if not open."""
        values: dict[str, str | int] = {"session_id": session.session_id, "payment_id": payment_id}
        return self._change(_PAY_SESSION, values, session, callbacks, now)

    def cancel(self, session: Session, callbacks: Sequence[Callback], now: float) -> bool:
        """Let it not be paid any more; False, changing nothing, if it is not open."""
        return self._change(
            _CANCEL_SESSION, {"session_id": session.session_id}, session, callbacks, now
        )

    def decline(self, session: Session, callbacks: Sequence[Callback], now: float) -> bool:
        """Plan what is told of a decline; False, planning nothing, once there were many."""
        values: dict[str, str | int] = {"session_id": session.session_id, "limit": MAX_DECLINES}
        return self._change(_DECLINE_PAYMENT, values, session, callbacks, now)

    def due(self, now: float, limit: int) -> list[DueCallback]:
        """The callbacks that are due, soonest first."""
        rows = self._connection.execute(_DUE_CALLBACKS, {"now": now, "limit": limit})
        return [DueCallback(*row) for row in rows.fetchall()]

    def begin_attempt(self, callback_id: int, now: float, again_at: float) -> float:
        """Note an attempt before it is made, and when to try again if nothing is heard of it.

        When the callback's first attempt was.
        """
        values = {"callback_id": callback_id, "now": now, "due_at": again_at}
        (row,) = self._connection.execute(_BEGIN_ATTEMPT, values).fetchall()
        return float(row["first_attempt_at"])

    def postpone(self, callback_id: int, due_at: float) -> None:
        """Try again at a moment."""
        values = {"callback_id": callback_id, "due_at": due_at}
        self._connection.execute(_POSTPONE_CALLBACK, values)

    def settle(self, callback_id: int, outcome: str, now: float) -> None:
        """Send it no more."""
        values = {"callback_id": callback_id, "outcome": outcome, "settled_at": now}
        self._connection.execute(_SETTLE_CALLBACK, values)

    def waiting(self) -> Waiting:
        """What is left to tell."""
        return Waiting(*self._connection.execute(_NEXT_DUE).fetchone())

    def _change(
        self,
        statement: str,
        values: dict[str, str | int],
        session: Session,
        callbacks: Sequence[Callback],
        now: float,
    ) -> bool:
        with self._transaction() as connection:
            if connection.execute(statement, values).rowcount == 0:
                return False
            self._add(session, callbacks, now)
        return True

    def _add(self, session: Session, callbacks: Sequence[Callback], now: float) -> None:
        for callback in callbacks:
            values = msgspec.structs.asdict(callback) | {
                "session_id": session.session_id,
                "url": session.callback_url,
                "created_at": now,
            }
            self._connection.execute(_ADD_CALLBACK, values)

    def _find(self, statement: str, values: dict[str, str]) -> Session | None:
        with closing(self._connection.execute(statement, values)) as rows:
            row = rows.fetchone()
        return None if row is None else msgspec.convert(dict(row), Session)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
