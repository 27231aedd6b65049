"""Members of a batch: each is read, handed in and answered as its own call would be."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import structlog

from ledger.command_handling.errors import CommandHandlingError
from ledger.command_handling.gate import nesting_of
from ledger.command_handling.submission import Settled
from schemas.commands import Command
from schemas.http.batches import BatchResult
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.permissions import check_permitted
from services.gateway.credit_wallets.settlement import Settlement, answer_of
from services.gateway.credit_wallets.wishes import read_wish
from services.gateway.json_objects import MAX_BODY_NESTING
from services.gateway.problems import ReadsUnavailableError, RefusedError, problem_of_error
from services.gateway.requests import MAX_BODY_BYTES, malformed

_MADE_UNDER: Final = {
    "create": "/v1/wallets",
    "hold": "/v1/holds",
    "transfer": "/v1/transfers",
}
"""Where that is which a member makes: its own call would answer 201."""

_EXPECTED: Final = (RefusedError, CommandHandlingError, ReadsUnavailableError)

_log = structlog.get_logger(__name__)


class Member(NamedTuple):
    """One command of a batch that was read."""

    type: str
    command: Command


class Pending(NamedTuple):
    """A member that was handed in, or why it was not."""

    place: int
    member: Member | None
    outcome: asyncio.Future[Settled] | Exception


def member_id(key: str | None, index: int) -> str | None:
    """The command id of a member: the call's Idempotency-Key, a slash, and its place."""
    return None if key is None else f"{key}/{index}"


def read_member(call: Call, body: bytes) -> Member:
    """Read a member. Raises `RefusedError`, also where the sender may not ask for it."""
    if len(body) > MAX_BODY_BYTES:
        raise too_large()
    if nesting_of(body) > MAX_BODY_NESTING:
        raise malformed(f"it nests deeper than {MAX_BODY_NESTING} levels")
    member = Member(*read_wish(body))
    check_permitted(member.command, call.principal.scopes)
    return member


def too_large() -> RefusedError:
    """The 413 for a member that is larger than the body of its own call may be."""
    return RefusedError("payload_too_large", f"the command is over {MAX_BODY_BYTES} bytes")


def hand_in(
    settlement: Settlement, call: Call, bodies: Sequence[bytes | None], first: int, key: str | None
) -> list[Pending]:
    """Hand in members, each by itself, in their order. None stands for one too large.

    `first` is the place of the first of them in the batch.
    """
    pending: list[Pending] = []
    for index, body in enumerate(bodies, first):
        member = None
        outcome: asyncio.Future[Settled] | Exception
        try:
            if body is None:
                raise too_large()
            member = read_member(call, body)
            outcome = settlement.hand_in(call, member.command, member_id(key, index))
        except (RefusedError, CommandHandlingError) as error:
            outcome = error
        pending.append(Pending(index, member, outcome))
    return pending


async def results_of(call: Call, pending: Sequence[Pending]) -> list[BatchResult]:
    """Wait for members that were handed in, and say what each came to."""
    waiting = [each.outcome for each in pending if isinstance(each.outcome, asyncio.Future)]
    if waiting:
        await asyncio.wait(waiting)
    return [_result(call, each) for each in pending]


def _result(call: Call, pending: Pending) -> BatchResult:
    place, member, outcome = pending
    if isinstance(outcome, Exception):
        return failed(call, place, outcome)
    error = outcome.exception()
    if isinstance(error, Exception):
        return failed(call, place, error)
    assert member is not None, "only what was read was handed in"
    return settled(call, place, member, outcome.result())


def settled(call: Call, index: int, member: Member, outcome: Settled) -> BatchResult:
    """What a member came to that was decided, declined or not."""
    answer = answer_of(call, member.command, outcome, makes=_MADE_UNDER.get(member.type))
    return _result_of(index, answer, replayed=outcome.replayed)


def failed(call: Call, index: int, error: Exception) -> BatchResult:
    """What a member came to that was refused or not settled."""
    if not isinstance(error, _EXPECTED):
        _log.error("batch_member_failed", request_id=call.request_id, exc_info=error)
    return _result_of(index, problem_of_error(error, call.request_id), replayed=False)


def _result_of(index: int, answer: Answer, *, replayed: bool) -> BatchResult:
    return BatchResult(
        index=index,
        status=answer.status,
        replayed=replayed,
        body=msgspec.Raw(answer.body_bytes),
    )
