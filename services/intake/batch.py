"""A batch: what one reading of the commands topic brought, on its way to being answered."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition
from msgspec import Struct

from ledger.command_handling.submission import Settled, Submission
from ledger.tenants.redirects import problem_of_redirect
from schemas.commands import CreateTopup
from services.intake.consumer import Records, UnreadableRecord
from services.intake.messages import Refusal, RefusalReason, read_message
from services.intake.results import EVENT_ID_BYTES, Place, Reply, rejected_reply, result_reply
from services.intake.tenants import RedirectRule


class RefusedMessage(NamedTuple):
    """A message that is not applied, with what the rejection says of it."""

    refusal: Refusal
    place: Place
    value: bytes | None


class ReadCommand(NamedTuple):
    """A command that could be read, and where it stood."""

    submission: Submission
    place: Place
    value: bytes


class Batch(Struct, kw_only=True):
    """Messages of several partitions, each partition's in order."""

    generation: int
    """The assignment under which they were read."""
    read_at: float
    """On the monotonic clock, in seconds."""
    offsets: dict[TopicPartition, int]
    """Where the group goes on when all of this has been answered."""
    commands: list[ReadCommand]
    refused: list[RefusedMessage]
    settled: list[tuple[Submission, Settled]]

    def refuse(self, command: ReadCommand, refusal: Refusal) -> None:
        """Note that a command that could be read is not applied all the same."""
        self.refused.append(RefusedMessage(refusal, command.place, command.value))

    def refuse_tenants(self, unknown: set[str]) -> None:
        """Take out the commands of tenants that do not exist."""
        kept = []
        for command in self.commands:
            submission = command.submission
            if submission.tenant_id in unknown:
                detail = "ce_tenantid: there is no such tenant"
                self.refuse(command, _refusal_of(submission, "unknown_tenant", detail))
            else:
                kept.append(command)
        self.commands = kept

    def redirecting_tenants(self) -> set[str]:
        """Whose commands would send a browser somewhere."""
        return {
            command.submission.tenant_id
            for command in self.commands
            if isinstance(command.submission.command, CreateTopup)
        }

    def refuse_redirects(self, rules: Mapping[str, RedirectRule]) -> None:
        """Take out the commands that would send a browser where their tenant forbids it."""
        kept = []
        for command in self.commands:
            submission = command.submission
            wish = submission.command
            problems: list[str] = []
            if isinstance(wish, CreateTopup):
                problems = _redirect_problems(wish, rules[submission.tenant_id])
            if problems:
                self.refuse(
                    command, _refusal_of(submission, "invalid_command", "; ".join(problems))
                )
            else:
                kept.append(command)
        self.commands = kept

    def refuse_poison(self, command: ReadCommand) -> None:
        """Note that the log does not take this command's content."""
        detail = "the ledger could not record this command; its operator has been told"
        self.refuse(command, _refusal_of(command.submission, "poison_command", detail))

    def result_replies(self, randomness: bytes) -> list[Reply]:
        """A reply to each settled command, from `EVENT_ID_BYTES` random bytes each."""
        slices = _slices(randomness)
        return [
            result_reply(
                submission, settled.result, replayed=settled.replayed, random_bytes=next(slices)
            )
            for submission, settled in self.settled
        ]

    def rejected_replies(self, randomness: bytes) -> list[Reply]:
        """A reply to each refused message, from `EVENT_ID_BYTES` random bytes each."""
        slices = _slices(randomness)
        return [
            rejected_reply(refusal, place, value, random_bytes=next(slices))
            for refusal, place, value in self.refused
        ]


def read_batch(records: Records, *, generation: int, read_at: float) -> Batch:
    """Read every message; those that cannot be read stand in `refused`."""
    batch = Batch(
        generation=generation, read_at=read_at, offsets={}, commands=[], refused=[], settled=[]
    )
    for partition, its_records in records.items():
        batch.offsets[partition] = its_records[-1].offset + 1
        for record in its_records:
            place = Place(partition.topic, partition.partition, record.offset)
            if isinstance(record, UnreadableRecord):
                refusal = Refusal(reason="unreadable", detail=record.detail)
                batch.refused.append(RefusedMessage(refusal, place, None))
                continue
            read = read_message(record.headers, record.value)
            if isinstance(read, Refusal):
                batch.refused.append(RefusedMessage(read, place, record.value))
            else:
                batch.commands.append(ReadCommand(read, place, record.value))
    return batch


def _redirect_problems(wish: CreateTopup, rule: RedirectRule) -> list[str]:
    urls = {"redirect_url": wish.redirect_url, "cancel_url": wish.cancel_url}
    return [
        f"{name}: {what}"
        for name, url in urls.items()
        if url is not None
        and (what := problem_of_redirect(url, rule.environment, rule.allowed_origins))
    ]


def _slices(randomness: bytes) -> Iterator[bytes]:
    for start in range(0, len(randomness), EVENT_ID_BYTES):
        yield randomness[start : start + EVENT_ID_BYTES]


def _refusal_of(submission: Submission, reason: RefusalReason, detail: str) -> Refusal:
    return Refusal(
        reason=reason,
        detail=detail,
        command_id=submission.command_id,
        tenant_id=submission.tenant_id,
        correlation_id=submission.correlation_id,
    )
