"""Requests: what a client sent, read and judged before any wallet is asked.

A body is decoded once into its typed Struct. Only where that fails is it looked at field
by field, so that the refusal can name everything that is wrong at once.
"""

import re
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from ledger.command_handling.gate import (
    MAX_METADATA_BYTES,
    MAX_NESTING,
    metadata_problem,
    nesting_of,
    text_problem,
)
from schemas.commands import NO_METADATA
from schemas.http.credit_wallets import (
    CloseWalletRequest,
    CreateWalletRequest,
    MoneyRequest,
)
from schemas.http.problems import FieldProblem
from schemas.money import is_currency
from services.gateway.answers import invite_body
from services.gateway.fields import (
    ABSENT,
    CLOSE_FIELDS,
    CREATE_FIELDS,
    MONEY_FIELDS,
    TOO_LARGE,
    FieldCheck,
)
from services.gateway.problems import RefusedError

MAX_BODY_BYTES: Final = 128 * 1024
MAX_BODY_NESTING: Final = MAX_NESTING + 1
"""The body is a level of its own around metadata as deep as it may be."""

_JSON_TYPE = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.ASCII | re.IGNORECASE)
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)
_TRACE_ID = re.compile(r"[!-~]{1,128}", re.ASCII)
_NOTHING: Final = msgspec.Raw(b"null")


class _MoneyBody(MoneyRequest, frozen=True, kw_only=True, gc=False):
    expires_at: msgspec.Raw = _NOTHING


class _EmptyBody(msgspec.Struct, frozen=True):
    """For calls whose body says nothing: an object, if there is one at all."""


RequestT = TypeVar("RequestT", bound=msgspec.Struct)


def trace_id(text: str | None) -> str | None:
    """A request or correlation id that the client chose, if it can stand in a log."""
    return text if text is not None and _TRACE_ID.fullmatch(text) else None


def idempotency_key(request: web.BaseRequest) -> str | None:
    """The call's Idempotency-Key, if it has one. Refuses what is not 1 to 255 visible ASCII."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(key) or len(request.headers.getall("Idempotency-Key")) > 1:
        raise RefusedError(
            "invalid_idempotency_key",
            "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters",
            param="Idempotency-Key",
        )
    return key


async def read_body(request: web.BaseRequest) -> bytes:
    """The body as it came. Refuses one that is too large, or is not said to be JSON."""
    if request.content.is_eof():
        # It came with the head, as nearly always: read it without waiting for anything.
        body = request.content.read_nowait()
    else:
        body = await _rest_of_body(request)
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    if body:
        content_type = request.headers.get("Content-Type", "")
        if content_type != "application/json" and not _JSON_TYPE.fullmatch(content_type):
            raise RefusedError(
                "unsupported_media_type", "the body must be of content type application/json"
            )
        if "Content-Encoding" in request.headers:
            raise RefusedError("unsupported_media_type", "the body must not be compressed")
    return body


async def _rest_of_body(request: web.BaseRequest) -> bytes:
    if "Expect" in request.headers:
        if (request.content_length or 0) > MAX_BODY_BYTES:
            raise _too_large()
        invite_body(request)
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large() from None
    except web.RequestPayloadError:
        raise malformed("the body is broken off or wrongly framed") from None


def read_money(body: bytes) -> MoneyRequest:
    """A debit or credit. `metadata` is a copy that does not keep the body in memory."""
    asked = _decoded(_MONEY, body)
    if asked is None or asked.expires_at != _NOTHING or not _metadata_passes(asked.metadata):
        raise _explained(body, MONEY_FIELDS)
    return asked


def read_create(body: bytes) -> CreateWalletRequest:
    """A wallet to be opened."""
    asked = _decoded(_CREATE, body)
    if asked is None or not is_currency(asked.currency) or not _metadata_passes(asked.metadata):
        raise _explained(body, CREATE_FIELDS)
    return asked


def read_close(body: bytes) -> CloseWalletRequest:
    """What becomes of the money at closing; no body says nothing about it."""
    if not body:
        return CloseWalletRequest()
    asked = _decoded(_CLOSE, body)
    if asked is None:
        raise _explained(body, CLOSE_FIELDS)
    return asked


def read_nothing(body: bytes) -> None:
    """The body of a call that takes none: nothing, or a JSON object."""
    if body and _decoded(_EMPTY, body) is None:
        raise _explained(body, {})


def kept(metadata: msgspec.Raw) -> msgspec.Raw:
    """Metadata that outlives its request: a copy, where it is a part of the body."""
    return NO_METADATA if metadata == NO_METADATA else metadata.copy()


_MONEY = msgspec.json.Decoder(_MoneyBody)
_CREATE = msgspec.json.Decoder(CreateWalletRequest)
_CLOSE = msgspec.json.Decoder(CloseWalletRequest)
_EMPTY = msgspec.json.Decoder(_EmptyBody)
_ANYTHING = msgspec.json.Decoder()
_VERBATIM = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _decoded(decoder: "msgspec.json.Decoder[RequestT]", body: bytes) -> RequestT | None:
    """The body's Struct, or None where anything about it needs a closer look."""
    # msgspec skips over what a field keeps raw, so these are checked on the whole text.
    if nesting_of(body) > MAX_BODY_NESTING or not _is_utf8(body):
        return None
    try:
        asked = decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    # The escape is the only way in for a NUL, and a literal backslash can look like one.
    if b"\\u0000" in body and _nul_problem(asked):
        return None
    return asked


def _nul_problem(asked: msgspec.Struct) -> bool:
    return any("\x00" in text for text in msgspec.structs.astuple(asked) if isinstance(text, str))


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _metadata_passes(metadata: msgspec.Raw) -> bool:
    return metadata == NO_METADATA or metadata_problem(bytes(metadata)) is None


def malformed(detail: str, param: str | None = None) -> RefusedError:
    """The 400 for what cannot be read."""
    return RefusedError("malformed_request", detail, param=param)


def _too_large() -> RefusedError:
    return RefusedError("payload_too_large", f"the body is over {MAX_BODY_BYTES} bytes")


def _explained(body: bytes, checks: dict[str, FieldCheck]) -> RefusedError:
    """Why a body was not taken: a 400 for its form, else a 422 with every offending field."""
    members = _members(body)
    if isinstance(members, RefusedError):
        return members
    for name in checks:
        text = members.get(name)
        if isinstance(text, str) and (what := text_problem(text)):
            return malformed(f"{name} {what}", param=name)
    if "metadata" in checks and isinstance(members.get("metadata"), dict):
        metadata = bytes(_VERBATIM.decode(body)["metadata"])
        if len(metadata) > MAX_METADATA_BYTES:
            members["metadata"] = TOO_LARGE
        elif what := metadata_problem(metadata):
            return malformed(f"metadata {what}", param="metadata")
    found = [check(members.get(name, ABSENT)) for name, check in checks.items()]
    problems = [problem for problem in found if problem is not None]
    assert problems, "a body was refused without a reason"
    return _invalid(problems)


def _members(body: bytes) -> dict[str, object] | RefusedError:
    """The body's members, or what is wrong with its form."""
    if not body:
        return malformed("a JSON object is expected as the body")
    if not _is_utf8(body):
        return malformed("the body is not UTF-8")
    if nesting_of(body) > MAX_BODY_NESTING:
        return malformed(f"the body nests deeper than {MAX_BODY_NESTING} levels")
    try:
        value = _ANYTHING.decode(body)
    except msgspec.MsgspecError:
        return malformed("the body is not valid JSON, or has a number that no double can hold")
    if not isinstance(value, dict):
        return malformed("the body is JSON, but not an object")
    return value


def _invalid(problems: list[FieldProblem]) -> RefusedError:
    unsupported = all(found.code == "unsupported_field" for found in problems)
    return RefusedError(
        "unsupported_field" if unsupported else "validation_failed",
        "; ".join(f"{found.param} {found.detail}" for found in problems),
        param=problems[0].param,
        errors=problems,
    )
