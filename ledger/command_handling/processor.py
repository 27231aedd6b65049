"""The batching processor: one batch of commands at a time, one append per batch.

Commands that arrive while an append is under way form the next batch. When many wait, it is
decided ahead, on the state after the append under way, and discarded if that one fails. A
reply leaves only when its append is durable. No request can cancel an append, and none waits for
ever: see `patience`.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from ledger.command_handling.batch import Plan
from ledger.command_handling.clock import LogClock
from ledger.command_handling.deciding import Deciding
from ledger.command_handling.environment import Environment
from ledger.command_handling.errors import (
    CommandHandlingError,
    LedgerUnavailableError,
    OutcomeUnknownError,
    OverloadedError,
    PoisonCommandError,
)
from ledger.command_handling.observer import NO_OBSERVER, ProcessorObserver
from ledger.command_handling.patience import Patience
from ledger.command_handling.rules import NO_RULES, Rules
from ledger.command_handling.snapshot_keeper import SnapshotKeeper
from ledger.command_handling.submission import Settled, Submission, Together
from ledger.command_handling.tickets import Ticket, are_together, middle_of, refuse
from ledger.command_handling.wallet_cache import Known, WalletCache
from ledger.event_log.interface import (
    Append,
    Appended,
    AppendRefusedError,
    CommitUnclearError,
    EventLog,
    Head,
    LogDivergedError,
    LogUnavailableError,
    Turn,
)
from schemas.commands import MAX_BATCH_COMMANDS
from schemas.identifiers import StreamKey

MAX_WAITING_COMMANDS = 20_000
GATHER_COMMANDS = 32
"""If several clients are active, a batch smaller than this waits a little for more."""
GATHER_S = 0.003
SEVERAL_CLIENTS = 3
"""This many commands in one batch come from several clients, and more will follow."""
AHEAD_FROM_COMMANDS = 250
"""Fewer wait until the append is done: by then more have arrived to share the next."""
GIVE_UP_AFTER_S = 5.0
CACHED_WALLETS = 50_000
_RETRY_AFTER_S = 0.1

_log = structlog.get_logger(__name__)


class _Ahead(NamedTuple):
    """A batch that was decided while the append before it is under way."""

    tickets: Sequence[Ticket]
    plan: Plan


class _Unclear(NamedTuple):
    """A plan whose commit may have happened."""

    plan: Plan


class CommandProcessor:
    """Settles commands against one event log. One per process; `start` before use."""

    def __init__(
        self,
        log: EventLog,
        environment: Environment,
        *,
        observer: ProcessorObserver = NO_OBSERVER,
        cached_wallets: int = CACHED_WALLETS,
        rules: Rules = NO_RULES,
    ) -> None:
        self._log = log
        self._environment = environment
        self._observer = observer
        self._cache = WalletCache(cached_wallets)
        clock = LogClock(environment, observer)
        self._deciding = Deciding(log, environment, self._cache, clock, rules)
        self._head: Head | None = None
        self._waiting: deque[Ticket] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._contended = True
        """Whether others append too: then wait for the turn rather than lose again."""
        self._ahead: _Ahead | None = None
        self.patience = Patience(environment.monotonic, self._answer_without_the_log)
        self._last_size = 0
        self._snapshots = SnapshotKeeper(log, environment, self._cache)
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop

    async def start(self) -> None:
        """Start working. Commands may wait until the log is reachable."""
        # Kept, because asking asyncio for it would cost a system call per command.
        self._loop = asyncio.get_running_loop()
        self._tasks = [
            self._environment.spawn(self._work()),
            self._environment.spawn(self._snapshots.run()),
        ]

    async def stop(self) -> None:
        """Settle what has arrived, accept nothing more, and end."""
        self._stopping = True
        self._arrived.set()
        if self._tasks:
            worker, keeper = self._tasks
            await worker
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        self._tasks = []

    @property
    def waiting_commands(self) -> int:
        """The number of commands that wait for a batch."""
        return len(self._waiting)

    async def submit(self, submission: Submission) -> Settled:
        """Settle one command. Raises the errors of `ledger.command_handling.errors`."""
        return await self.enqueue(submission)

    def enqueue(self, submission: Submission) -> asyncio.Future[Settled]:
        """The same without waiting: commands are decided in the order of these calls."""
        if self._stopping:
            raise OverloadedError("the process is stopping; try again shortly")
        if self.patience.is_lost:
            raise self.patience.refusal_of(submission)
        if len(self._waiting) >= MAX_WAITING_COMMANDS:
            raise OverloadedError("too many commands are waiting; try again shortly")
        settled: asyncio.Future[Settled] = self._loop.create_future()
        self._waiting.append(Ticket(submission, settled))
        self._arrived.set()
        return settled

    def enqueue_together(self, submissions: Sequence[Submission]) -> list[asyncio.Future[Settled]]:
        """Hand in commands that are applied all or none, at most as many as one batch holds."""
        if len(submissions) > MAX_BATCH_COMMANDS:
            message = f"{len(submissions)} commands together; {MAX_BATCH_COMMANDS} at most"
            raise ValueError(message)
        if len(self._waiting) + len(submissions) > MAX_WAITING_COMMANDS:
            raise OverloadedError("too many commands are waiting; try again shortly")
        together = Together()
        return [self.enqueue(replace(each, together=together)) for each in submissions]

    async def _work(self) -> None:
        while True:
            if not self._waiting:
                if self._stopping:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                continue
            if len(self._waiting) < GATHER_COMMANDS and self._last_size >= SEVERAL_CLIENTS:
                await self._environment.sleep(GATHER_S)
            tickets: Sequence[Ticket] = self._take()
            with self.patience.over(tickets):
                failure = await self._settle(tickets)
            while failure is None and self._ahead is not None:
                (tickets, plan), self._ahead = self._ahead, None
                with self.patience.over(tickets):
                    failure = await self._settle(tickets, plan)
            if failure is not None:
                waiting, self._waiting = self._waiting, deque()
                message = f"an earlier command could not be settled: {failure}"
                refuse(waiting, LedgerUnavailableError(message))

    def _answer_without_the_log(self, tickets: Sequence[Ticket]) -> None:
        """Nobody knows what becomes of these; of those behind them, nothing has."""
        _log.error("log_does_not_answer", commands=len(tickets), waiting=len(self._waiting))
        refuse(tickets, OutcomeUnknownError("the log does not answer"))
        self._undo_ahead()
        waiting, self._waiting = self._waiting, deque()
        for ticket in waiting:
            refuse([ticket], self.patience.refusal_of(ticket.submission))

    def _take(self) -> list[Ticket]:
        self._last_size = min(len(self._waiting), MAX_BATCH_COMMANDS)
        tickets = [self._waiting.popleft() for _ in range(self._last_size)]
        while self._waiting and tickets and are_together(tickets[-1], self._waiting[0]):
            tickets.append(self._waiting.popleft())
        return tickets

    async def _settle(
        self, tickets: Sequence[Ticket], decided_ahead: Plan | None = None
    ) -> CommandHandlingError | None:
        """Settle these commands, whatever happens: each future gets a result or an error.

        Returns why the log could not be used, if so: then nothing may overtake the retry.
        """
        started = self._environment.monotonic()
        try:
            submissions = [ticket.submission for ticket in tickets]
            plan = await self._decide_and_append(submissions, decided_ahead)
        except CommandHandlingError as error:
            refuse(tickets, error)
            return error
        except AppendRefusedError as error:
            return await self._isolate(tickets, error)
        except Exception as error:  # noqa: BLE001 - one broken wallet must not stop the others
            # Cached states may be half updated, so none of them can be trusted.
            self._forget()
            return await self._isolate(tickets, error)
        for ticket, settled in zip(tickets, plan.settled, strict=True):
            if not ticket.settled.done():
                ticket.settled.set_result(settled)
        self._observer.settled(plan, self._environment.monotonic() - started)
        return None

    async def _isolate(
        self, tickets: Sequence[Ticket], error: Exception
    ) -> CommandHandlingError | None:
        """Halve a batch that cannot be settled until the command at fault stands alone.

        Commands that are applied all or none stand or fall together.
        """
        self._undo_ahead()
        middle = middle_of(tickets)
        if middle == 0:
            self._observer.poisoned()
            # Not the error's own text: PostgreSQL quotes the row in it.
            cause = error.__cause__ or error
            _log.error("poison_command", who=tickets[0].submission.who, error=type(cause).__name__)
            refuse(tickets, PoisonCommandError("this command cannot be settled"))
            return None
        failure = await self._settle(tickets[:middle])
        # A batch decided ahead after the first half belongs after the second: it waits again.
        self._undo_ahead()
        if failure is not None:
            refuse(tickets[middle:], failure)
            return failure
        return await self._settle(tickets[middle:])

    async def _decide_and_append(
        self, submissions: Sequence[Submission], decided_ahead: Plan | None
    ) -> Plan:
        try:
            await self._deciding.bring_originals(submissions)
        except LogUnavailableError as error:
            _log.warning("log_unavailable", error=str(error))
            raise LedgerUnavailableError("the log cannot be reached") from error
        unclear = None
        if not self._contended and self._head is not None:
            outcome = await self._without_turn(submissions, self._head, decided_ahead)
            if isinstance(outcome, Plan):
                return outcome
            unclear = None if outcome is None else outcome.plan
            self._contended = True
        return await self._in_turn(submissions, unclear)

    async def _without_turn(
        self, submissions: Sequence[Submission], head: Head, decided_ahead: Plan | None
    ) -> Plan | _Unclear | None:
        """The fast path: a durable plan, an unclear one, or none if it has to be done in turn."""
        plan = decided_ahead
        try:
            if plan is None:
                plan = self._deciding.guess(submissions, head, {})
            if plan is not None and await self._is_written(plan):
                return plan
            findings = await self._log.look_up(self._deciding.question_of(submissions))
            # The hash too: a log restored to an earlier point may have grown back to the number.
            if (findings.head_number, findings.head_hash) == (head.number, head.hash):
                plan = await self._deciding.decide(submissions, head, findings)
                if await self._is_written(plan):
                    return plan
        except CommitUnclearError as error:
            _log.warning("commit_unclear", error=str(error))
            self._observer.commit_unclear()
            assert plan is not None, "only an append is unclear"
            return _Unclear(plan)
        except LogUnavailableError as error:
            _log.warning("log_unavailable", error=str(error))
            return None
        self._observer.lost_race()
        return None

    async def _in_turn(self, submissions: Sequence[Submission], unclear: Plan | None) -> Plan:
        """The contended path, repeated for a while if the log stays away."""
        started = self._environment.monotonic()
        while True:
            plan = None
            try:
                # Already known, unless the log has turned out to be another one.
                await self._deciding.bring_originals(submissions)
                async with self._log.exclusively() as turn:
                    head = await self._catch_up(turn)
                    if unclear is not None and await _was_committed(turn, unclear):
                        return unclear
                    findings = await turn.look_up(self._deciding.question_of(submissions))
                    plan = await self._deciding.decide(submissions, head, findings)
                    is_written = plan.append is None or (await turn.append(plan.append)).is_written
                if is_written:
                    self._remember(plan)
                    return plan
            except CommitUnclearError as error:
                unclear = plan
                _log.warning("commit_unclear", error=str(error))
                self._observer.commit_unclear()
            except LogDivergedError as error:
                _log.error("log_diverged", error=str(error))
                self._observer.diverged()
                self._forget()
            except LogUnavailableError as error:
                _log.warning("log_unavailable", error=str(error))
            if self._environment.monotonic() - started > GIVE_UP_AFTER_S:
                if unclear is not None:
                    raise OutcomeUnknownError("the fate of the commit is unknown")
                raise LedgerUnavailableError("the log cannot be reached")
            await self._environment.sleep(_RETRY_AFTER_S)

    async def _catch_up(self, turn: Turn) -> Head:
        """Bring the cache up to the newest append, and see whether others append too."""
        news = await turn.catch_up(self._head)
        self._contended = self._head is None or news.head.number != self._head.number
        if news.events is None:
            self._cache.clear()
        else:
            self._cache.apply(news.events)
        self._head = news.head
        return news.head

    async def _is_written(self, plan: Plan) -> bool:
        """Append the plan and keep what it leads to; False if nothing was written."""
        if plan.append is not None:
            appended = await self._append(plan, plan.append)
            self._deciding.clock.note(appended.now)
            if not appended.is_written:
                self._deciding.guess_was_wrong()
                self._undo_ahead()
                return False
        self._remember(plan)
        return True

    async def _append(self, plan: Plan, append: Append) -> Appended:
        """Append, and meanwhile decide the next batch if it is large enough to gain from that."""
        assert self._ahead is None, "what was decided ahead before is settled now, or waits again"
        if len(self._waiting) < AHEAD_FROM_COMMANDS:
            return await self._log.append(append)
        appending = self._environment.spawn(self._log.append(append))
        # The statement goes out first: while deciding, nothing else runs.
        await self._environment.sleep(0)
        self._decide_ahead(append.head, plan.wallets)
        try:
            return await appending
        except BaseException:
            self._undo_ahead()
            raise

    def _decide_ahead(self, head: Head, wallets: Mapping[StreamKey, Known]) -> None:
        tickets = self._take()
        try:
            plan = self._deciding.guess([ticket.submission for ticket in tickets], head, wallets)
        except Exception:  # noqa: BLE001 - what is wrong shows again, and is dealt with, in its turn
            plan = None
        if plan is None:
            self._waiting.extendleft(reversed(tickets))
        else:
            self._ahead = _Ahead(tickets, plan)

    def _undo_ahead(self) -> None:
        """Let the batch that was decided ahead wait again: the append it builds on failed."""
        if self._ahead is not None:
            self._waiting.extendleft(reversed(self._ahead.tickets))
            self._ahead = None

    def _remember(self, plan: Plan) -> None:
        """Merge the new states into the cache; only called when the append is durable."""
        if plan.append is not None:
            self._head = plan.append.head
        for key, known in plan.wallets.items():
            self._cache.put(key, known)
            self._snapshots.note(key, known)

    def _forget(self) -> None:
        self._cache.clear()
        self._deciding.forget_originals()
        self._snapshots.forget()
        self._head = None
        self._contended = True


async def _was_committed(turn: Turn, plan: Plan) -> bool:
    assert plan.append is not None, "only an append is unclear"
    return await turn.find_append(plan.append.append_id, plan.append.head.number - 1)
