"""Deciding: turns submissions into a plan, from a look-up's findings or from a good guess.

Holds what one process knows between its batches: wallets, originals, the time.
"""

from collections.abc import Mapping, Sequence

from ledger.command_handling import question, snapshots
from ledger.command_handling.batch import Batch, Plan
from ledger.command_handling.clock import LogClock
from ledger.command_handling.environment import Environment
from ledger.command_handling.originals import Originals
from ledger.command_handling.rules import Rules
from ledger.command_handling.submission import Submission
from ledger.command_handling.wallet_cache import Known, WalletCache
from ledger.event_log.interface import EventLog, Findings, Head, Question
from schemas.identifiers import StreamKey

CACHED_ORIGINALS = 10_000
GUESS_PAUSE_S = 0.05
"""After a wrong guess: repeats and other writers seldom come alone."""


class Deciding:
    """One process's decisions. The processor keeps their result once it is durable."""

    def __init__(
        self,
        log: EventLog,
        environment: Environment,
        cache: WalletCache,
        clock: LogClock,
        rules: Rules,
    ) -> None:
        self._log = log
        self._environment = environment
        self._cache = cache
        self._originals = Originals(log, CACHED_ORIGINALS)
        self.clock = clock
        self._rules = rules
        self._no_guess_before = 0.0

    async def bring_originals(self, submissions: Sequence[Submission]) -> None:
        """Look for the events that these name. Raises `LogUnavailableError`."""
        await self._originals.bring(submissions)

    def forget_originals(self) -> None:
        """The log was restored or replaced: what was found in it may be gone."""
        self._originals.clear()

    def question_of(self, submissions: Sequence[Submission]) -> Question:
        """What must be read before these can be decided."""
        return question.question_of(submissions, self._cache, self._originals)

    async def decide(
        self, submissions: Sequence[Submission], head: Head, findings: Findings
    ) -> Plan:
        """Decide from what was found."""
        loaded = {
            key: await snapshots.load(self._log, key, stored)
            for key, stored in findings.wallets.items()
        }
        batch = Batch(
            head=head,
            findings=findings,
            now=max(self.clock.read(findings.now), head.recorded_at),
            known=loaded,
            cache=self._cache,
            originals=self._originals,
            random_bytes=self._environment.random_bytes,
            rules=self._rules,
            size=len(submissions),
        )
        plan = batch.decide_all(submissions)
        # Only now: these may evict others from a full cache, and the batch may need those.
        for key, known in loaded.items():
            self._cache.put(key, known)
        return plan

    def guess(
        self, submissions: Sequence[Submission], head: Head, known: Mapping[StreamKey, Known]
    ) -> Plan | None:
        """Decide without a look-up if nothing but a repeat could be missed.

        The append then writes only if none of the command ids and references is known.
        `known` are wallets that are newer than the cache has them.
        """
        now = self.clock.reckoned()
        if now is None or self._environment.monotonic() < self._no_guess_before:
            return None
        if self._originals.lacks(submissions):
            return None
        asked = self.question_of(submissions)
        if asked.wallets or asked.customers or asked.transactions or asked.payments:
            return None
        if asked.identities or asked.serials:
            return None
        batch = Batch(
            head=head,
            findings=question.nothing_found(head, now),
            now=max(now, head.recorded_at),
            known=known,
            cache=self._cache,
            originals=self._originals,
            random_bytes=self._environment.random_bytes,
            rules=self._rules,
            size=len(submissions),
            unless_known=asked,
        )
        plan = batch.decide_all(submissions)
        # No append would check a batch that appends nothing, so it must not rest on a guess.
        return plan if plan.append is not None else None

    def guess_was_wrong(self) -> None:
        """Look up for a while."""
        self._no_guess_before = self._environment.monotonic() + GUESS_PAUSE_S
