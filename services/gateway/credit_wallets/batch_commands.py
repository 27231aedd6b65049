"""`POST /v1/batch`: many commands in one call, each by itself or all or none."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from ledger.command_handling.gate import json_problem
from schemas.commands import MAX_BATCH_COMMANDS
from schemas.http.batches import BatchAnswer, BatchResult
from schemas.http.problems import FieldProblem
from schemas.rejections import BatchDeclined, Rejection
from services.gateway.answers import JSON, Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.batch_lines import LineBatches
from services.gateway.credit_wallets.members import (
    Member,
    hand_in,
    member_id,
    read_member,
    results_of,
    settled,
)
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.problems import RefusedError, invalid_fields, problem
from services.gateway.requests import has_lines, idempotency_key, malformed

MAX_BATCH_BYTES: Final = 8 * 1024 * 1024
MAX_KEY_CHARACTERS: Final = 248
"""With a slash and a place behind it, the key is still no longer than a command id may be."""


class _Batch(msgspec.Struct, frozen=True):
    """The envelope; what is in it is read one by one, so that one can be refused alone."""

    commands: Annotated[
        list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MAX_BATCH_COMMANDS)
    ]
    atomic: bool = False


_read_batch: Final = msgspec.json.Decoder(_Batch).decode
_read_anything: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode: Final = msgspec.json.Encoder().encode


class BatchCommands:
    """The handler of the one call, whichever form the batch has."""

    def __init__(self, settlement: Settlement, stopping: asyncio.Event) -> None:
        self._settlement = settlement
        self._lines = LineBatches(settlement, stopping)

    async def batch(self, call: Call) -> Answer:
        """`POST /batch`: 200 and what each command came to, in order."""
        key = idempotency_key(call.request)
        if key is not None and len(key) > MAX_KEY_CHARACTERS:
            raise RefusedError(
                "invalid_idempotency_key",
                f"must not be longer than {MAX_KEY_CHARACTERS} characters with a batch",
                param="Idempotency-Key",
            )
        if has_lines(call.request):
            return await self._lines.answer(call, key)
        asked = _read(await call.body(MAX_BATCH_BYTES))
        call.allowed.take_commands(len(asked.commands))
        if asked.atomic:
            return await self._together(call, asked, key)
        bodies = [bytes(body) for body in asked.commands]
        pending = hand_in(self._settlement, call, bodies, 0, key)
        return _answer(await results_of(call, pending), atomic=False)

    async def _together(self, call: Call, asked: _Batch, key: str | None) -> Answer:
        members = _read_all(call, asked)
        outcomes = await asyncio.gather(
            *self._settlement.hand_in_together(
                call,
                [(each.command, member_id(key, index)) for index, each in enumerate(members)],
            )
        )
        results = [
            settled(call, index, member, outcome)
            for index, (member, outcome) in enumerate(zip(members, outcomes, strict=True))
        ]
        index = _declined_at([outcome.result.rejection for outcome in outcomes])
        if index is not None:
            told = "so none of the batch was applied"
            if any(each.replayed and each.result.rejection is None for each in outcomes):
                # Sent before under the same key, each by itself.
                told = "and only what is marked replayed and succeeded is applied: it was before"
            return problem(
                "batch_declined",
                f"command {index} was declined, {told}",
                call.request_id,
                context={"index": index},
                results=results,
            )
        return _answer(results, atomic=True)


def _declined_at(rejections: Sequence[Rejection | None]) -> int | None:
    """Which command was declined; none if all were accepted. The others only say which it was."""
    told: int | None = None
    for index, rejection in enumerate(rejections):
        if isinstance(rejection, BatchDeclined):
            told = rejection.index
        elif rejection is not None:
            return index
    return told


def _answer(results: list[BatchResult], *, atomic: bool) -> Answer:
    return Answer(200, JSON, _encode(BatchAnswer(atomic=atomic, results=results)))


def _read(body: bytes) -> _Batch:
    """The envelope. Raises `RefusedError` with all that is wrong with it."""
    try:
        body.decode()
        return _envelope_of(body)
    except UnicodeDecodeError:
        raise malformed("the body is not UTF-8") from None
    except RecursionError:
        # What is raised instead of a deeper look; counting levels takes longer than reading, and
        # how deep a member may be is that one's own result. Also where it is said what is wrong.
        raise malformed("the body nests too deep") from None


def _envelope_of(body: bytes) -> _Batch:
    try:
        return _read_batch(body)
    except msgspec.MsgspecError:
        raise _explained(body) from None


def _explained(body: bytes) -> RefusedError:
    try:
        members = _read_anything(body)
    except msgspec.ValidationError:
        return malformed("the body is JSON, but not an object")
    except msgspec.MsgspecError:
        return malformed(f"the body {json_problem(body) or 'is not valid JSON'}")
    found: list[FieldProblem] = []
    # A Raw is equal to no bytes.
    if bytes(members.get("atomic", b"false")) not in (b"true", b"false"):
        detail = "must be true or false"
        found.append(FieldProblem(param="atomic", code="wrong_type", detail=detail))
    if (problem_found := _commands_problem(members.get("commands"))) is not None:
        found.append(problem_found)
    if not found:
        return malformed("the body has a member twice")
    return invalid_fields(found)


def _commands_problem(commands: msgspec.Raw | None) -> FieldProblem | None:
    if commands is None:
        return FieldProblem(param="commands", code="missing", detail="is required")
    try:
        count = len(msgspec.json.decode(commands, type=list[msgspec.Raw]))
    except msgspec.MsgspecError:
        return FieldProblem(param="commands", code="wrong_type", detail="must be an array")
    if count == 0:
        return FieldProblem(param="commands", code="too_short", detail="must not be empty")
    if count > MAX_BATCH_COMMANDS:
        detail = f"must not have more than {MAX_BATCH_COMMANDS} commands"
        return FieldProblem(param="commands", code="too_long", detail=detail)
    return None


def _read_all(call: Call, asked: _Batch) -> list[Member]:
    """Every member. Raises one `RefusedError` for all that cannot be read."""
    members: list[Member] = []
    refused: list[tuple[int, RefusedError]] = []
    for index, body in enumerate(asked.commands):
        try:
            members.append(read_member(call, bytes(body)))
        except RefusedError as error:
            refused.append((index, error))
    if refused:
        raise _first_of(refused)
    return members


_ORDER: Final = ("payload_too_large", "malformed_request", "validation_failed", "forbidden")
"""Which refusal comes first where members are refused for different reasons."""


def _first_of(refused: list[tuple[int, RefusedError]]) -> RefusedError:
    code = min((error.code for _, error in refused), key=_ORDER.index)
    alike = [(index, error) for index, error in refused if error.code == code]
    if code == "validation_failed":
        return invalid_fields(
            [
                msgspec.structs.replace(found, param=f"commands[{index}].{found.param}")
                for index, error in alike
                for found in error.errors
            ]
        )
    index, error = alike[0]
    if error.param is not None:
        return RefusedError(code, error.detail, param=f"commands[{index}].{error.param}")
    return RefusedError(code, f"is refused: {error.detail}", param=f"commands[{index}]")
