"""The intake's pipeline: read a batch, let the ledger settle it, answer it, commit its offsets.

While one batch is being answered the next is being settled, another waits at the ledger so
that this need not wait for it, and one more is being read. Nothing is handed to the ledger
after a command that has to be tried again, until that is settled: so commands of one
partition are decided in their order.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import structlog
from aiokafka.errors import KafkaError

from ledger.command_handling.errors import (
    CommandHandlingError,
    PoisonCommandError,
)
from ledger.command_handling.submission import Settled, Submission
from services.intake import metrics
from services.intake.batch import Batch, ReadCommand, read_batch
from services.intake.consumer import CommandConsumer
from services.intake.publisher import ReplyPublisher
from services.intake.results import EVENT_ID_BYTES
from services.intake.tenants import KnownTenants
from services.runtime.environment import SystemEnvironment
from services.runtime.postgres import LOST, limited

BATCH_MESSAGES_MAX = 1000
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_FINISH_LIMIT_S = 6.0
"""How long a rebalance or the end of the process waits for what is under way."""

log = structlog.get_logger()


class Processor(Protocol):
    """The part of `CommandProcessor` that the intake uses."""

    def enqueue(self, submission: Submission) -> asyncio.Future[Settled]:
        """Hand a command in; commands are decided in the order in which they are handed in."""


class _HandedIn(NamedTuple):
    """A batch that the ledger has, as far as it took it."""

    batch: Batch
    futures: list[asyncio.Future[Settled]]
    failure: CommandHandlingError | None
    """Why it did not take all."""

    def has_failed(self) -> bool:
        """Whether some command has to be tried again, as far as is known yet."""
        return self.failure is not None or any(
            future.done() and isinstance(future.exception(), CommandHandlingError)
            for future in self.futures
        )


class Intake:
    """Applies the commands of the partitions that are assigned to it."""

    def __init__(
        self,
        *,
        consumer: CommandConsumer,
        processor: Processor,
        tenants: KnownTenants,
        publisher: ReplyPublisher,
        environment: SystemEnvironment,
        results_topic: str,
        rejected_topic: str,
    ) -> None:
        """All of them are started and stopped by whoever made them."""
        self._consumer = consumer
        self._processor = processor
        self._tenants = tenants
        self._publisher = publisher
        self._environment = environment
        self._results_topic = results_topic
        self._rejected_topic = rejected_topic
        self._to_settle: asyncio.Queue[Batch] = asyncio.Queue(maxsize=1)
        self._handed_in: asyncio.Queue[_HandedIn] = asyncio.Queue(maxsize=1)
        self._at_the_ledger: deque[_HandedIn] = deque()
        self._one_settled = asyncio.Event()
        self._to_answer: asyncio.Queue[Batch] = asyncio.Queue(maxsize=1)
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._finishing = 0
        """How many wait for the end of what is under way: a rebalance, the process's end."""
        self._trouble: dict[str, str] = {}

    def reasons_not_ready(self) -> list[str]:
        """Why commands are not being applied just now; empty when they are."""
        reasons = list(self._trouble.values())
        if not self._consumer.assigned:
            reasons.append("the consumer group has not assigned partitions")
        if self._publisher.trouble is not None:
            reasons.append(self._publisher.trouble)
        return reasons

    async def run(self) -> None:
        """Work until cancelled; then finish what is under way, within limits."""
        stages = [
            asyncio.create_task(stage, name=name)
            for name, stage in (
                ("read", self._read()),
                ("hand in", self._hand_in_batches()),
                ("settle", self._settle_batches()),
                ("answer", self._answer_batches()),
            )
        ]
        try:
            await asyncio.wait(stages, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not any(stage.done() for stage in stages):
                await self.finish_batches()
            for stage in stages:
                stage.cancel()
            outcomes = await asyncio.gather(*stages, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def finish_batches(self) -> None:
        """Take nothing new to the ledger, and wait until all that it has is answered.

        What is not finished in time is left uncommitted: whoever reads it next gets the
        same results for it.
        """
        self._finishing += 1
        try:
            # Not `asyncio.timeout`: see `services.client.publisher`.
            await asyncio.wait_for(self._idle.wait(), _FINISH_LIMIT_S)
        except TimeoutError:
            log.warning("batches_left_unfinished", batches=self._under_way)
        finally:
            self._finishing -= 1

    async def watch_database(self, every_s: float) -> None:
        """Keep readiness truthful also while no command comes."""
        while True:
            try:
                async with limited(every_s):
                    await self._tenants.reach()
            except LOST as error:
                self._trouble["database"] = f"the database is away: {type(error).__name__}"
            else:
                self._trouble.pop("database", None)
            await self._environment.sleep(every_s)

    async def watch_kafka(self, every_s: float) -> None:
        """Keep readiness truthful also while Kafka is away and nothing is to be answered.

        aiokafka tries again by itself and reads nothing meanwhile, as if there were no commands.
        """
        while True:
            if await self._consumer.answers():
                self._trouble.pop("kafka", None)
            else:
                self._trouble["kafka"] = "Kafka does not answer"
            await self._environment.sleep(every_s)

    async def _read(self) -> None:
        """First stage: messages become commands or refusals."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                records = await self._consumer.read(BATCH_MESSAGES_MAX)
            except KafkaError as error:
                self._trouble["commands"] = f"commands cannot be read: {type(error).__name__}"
                await self._pause("commands", pause_s, error)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                continue
            self._trouble.pop("commands", None)
            pause_s = _FIRST_PAUSE_S
            if not records:
                continue
            batch = read_batch(
                records,
                generation=self._consumer.generation,
                read_at=self._environment.monotonic(),
            )
            metrics.CONSUMED.inc(len(batch.commands) + len(batch.refused))
            await self._ask_for_tenants(batch)
            await self._to_settle.put(batch)

    async def _ask_for_tenants(self, batch: Batch) -> None:
        """Refuse the commands of unknown tenants, and redirects that a tenant forbids."""
        pause_s = _FIRST_PAUSE_S
        named = {command.submission.tenant_id for command in batch.commands}
        while True:
            try:
                unknown = await self._tenants.unknown_of(named)
                redirecting = batch.redirecting_tenants() - unknown
                rules = await self._tenants.redirect_rules(redirecting)
            except LOST as error:
                await self._pause("tenants", pause_s, error)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                if unknown:
                    batch.refuse_tenants(unknown)
                if redirecting:
                    batch.refuse_redirects(rules)
                return

    async def _hand_in_batches(self) -> None:
        """Second stage: the ledger gets the commands, in order."""
        while True:
            batch = await self._to_settle.get()
            while any(each.has_failed() for each in self._at_the_ledger):
                self._one_settled.clear()
                await self._one_settled.wait()
            if self._is_abandoned(batch):
                continue
            self._under_way += 1
            self._idle.clear()
            handed_in = _HandedIn(batch, *self._hand_in(batch.commands))
            self._at_the_ledger.append(handed_in)
            await self._handed_in.put(handed_in)

    async def _settle_batches(self) -> None:
        """Third stage: the ledger decides and appends."""
        while True:
            handed_in = await self._handed_in.get()
            is_settled = await self._settle(handed_in)
            self._at_the_ledger.popleft()
            self._one_settled.set()
            if is_settled:
                await self._to_answer.put(handed_in.batch)
            else:
                self._done()

    async def _settle(self, handed_in: "_HandedIn") -> bool:
        """Whether every command of the batch has its result; if not, the batch is abandoned."""
        pause_s = _FIRST_PAUSE_S
        batch, futures, failure = handed_in
        waiting: list[ReadCommand] = batch.commands
        while True:
            await _all_done(futures)
            failed: list[ReadCommand] = []
            for command, future in zip(waiting, futures, strict=False):
                match future.exception():
                    case None:
                        batch.settled.append((command.submission, future.result()))
                    case PoisonCommandError():
                        batch.refuse_poison(command)
                    case CommandHandlingError() as error:
                        failed.append(command)
                        failure = error
                    case unexpected:
                        raise unexpected
            failed += waiting[len(futures) :]
            if failure is None:
                self._trouble.pop("ledger", None)
                return True
            self._trouble["ledger"] = f"the ledger does not settle: {type(failure).__name__}"
            await self._pause("ledger", pause_s, failure)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            if self._is_abandoned(batch):
                return False
            waiting = failed
            futures, failure = self._hand_in(waiting)

    def _hand_in(
        self, commands: Sequence[ReadCommand]
    ) -> tuple[list[asyncio.Future[Settled]], CommandHandlingError | None]:
        """Hand commands in, in order, up to the first that the ledger does not take."""
        futures: list[asyncio.Future[Settled]] = []
        for command in commands:
            try:
                futures.append(self._processor.enqueue(command.submission))
            except CommandHandlingError as error:
                return futures, error
        return futures, None

    async def _answer_batches(self) -> None:
        """Fourth stage: replies go out, then the offsets are committed."""
        while True:
            batch = await self._to_answer.get()
            random_bytes = self._environment.random_bytes
            results = batch.result_replies(random_bytes(EVENT_ID_BYTES * len(batch.settled)))
            rejected = batch.rejected_replies(random_bytes(EVENT_ID_BYTES * len(batch.refused)))
            await self._publisher.publish(
                {self._results_topic: results, self._rejected_topic: rejected}
            )
            await self._consumer.commit(batch.offsets, batch.generation)
            self._count(batch)
            self._done()

    def _count(self, batch: Batch) -> None:
        replayed = accepted = 0
        for _, settled in batch.settled:
            replayed += settled.replayed
            accepted += settled.result.status == "accepted"
        metrics.RESULTS.labels("accepted").inc(accepted)
        metrics.RESULTS.labels("declined").inc(len(batch.settled) - accepted)
        metrics.REPLAYED.inc(replayed)
        for refusal, place, _ in batch.refused:
            metrics.REJECTED.labels(refusal.reason).inc()
            tell = log.error if refusal.reason == "poison_command" else log.warning
            tell(
                "message_rejected",
                reason=refusal.reason,
                detail=refusal.detail,
                partition=place.partition,
                offset=place.offset,
                tenant_id=refusal.tenant_id,
                command_id=refusal.command_id,
                correlation_id=refusal.correlation_id,
            )
        metrics.BATCH_SECONDS.observe(self._environment.monotonic() - batch.read_at)

    def _is_abandoned(self, batch: Batch) -> bool:
        return self._finishing > 0 or batch.generation != self._consumer.generation

    def _done(self) -> None:
        self._under_way -= 1
        if self._under_way == 0:
            self._idle.set()

    async def _pause(self, what: str, pause_s: float, error: Exception) -> None:
        metrics.RETRIES.labels(what).inc()
        log.warning("tried_again", what=what, error=repr(error), again_in_s=pause_s)
        await self._environment.sleep(pause_s)


async def _all_done(futures: Iterable[asyncio.Future[Settled]]) -> None:
    """Wait for all of them, whatever they come to, and cancel none when cancelled oneself."""
    for future in futures:
        if not future.done():
            await asyncio.wait((future,))
