"""Messages: reads a CloudEvents message in binary mode as a command, or says why not. Pure.

What a refusal says names headers and fields, never what stood in them.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from ledger.command_handling.gate import (
    MAX_NESTING,
    MemberNames,
    json_problem,
    metadata_problem,
    nesting_of,
    text_problem,
)
from ledger.command_handling.submission import Submission
from schemas.commands import COMMAND_TYPES, NO_METADATA, Command
from schemas.money import is_currency
from services.intake.field_problems import (
    IDS,
    MEMBERS,
    can_be_kept,
    names_a_wallet,
    problems_of,
    readable,
)

MAX_VALUE_BYTES = 64 * 1024
MAX_COMMAND_ID_LENGTH = 255
MAX_SOURCE_LENGTH = 255
MAX_CORRELATION_ID_LENGTH = 255

RefusalReason = Literal[
    "missing_command_id",
    "invalid_command_id",
    "missing_tenant",
    "unreadable",
    "unknown_type",
    "too_large",
    "invalid_command",
    "unknown_tenant",
    "poison_command",
]
"""Stable codes. Of several that apply the first that is looked for is given: the ids, the
envelope, the type, the size, the JSON, its fields; whether the tenant exists, and allows a
redirect (`invalid_command`), is asked last.
`poison_command` is the log's own word."""

Headers = Sequence[tuple[str, bytes | None]]


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a message is not applied, and whose it is as far as that can be read."""

    reason: RefusalReason
    detail: str
    command_id: str | None = None
    tenant_id: str | None = None
    correlation_id: str | None = None


class _RefusedError(Exception):
    """Carries a reason and a detail to where the rest of the refusal is known."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason: RefusalReason = reason
        self.detail = detail


_ATTRIBUTES = frozenset(
    {
        "ce_specversion",
        "ce_id",
        "ce_type",
        "ce_source",
        "ce_tenantid",
        "ce_correlationid",
        "content-type",
    }
)
_TENANT = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NULL = Raw(b"null")
_LONGEST_IN_UTC = len("2030-01-01T00:00:00.123456Z")
_FREE_TEXTS = frozenset({"customer_id", "reference", "description", "reason", "payment_id"})


def read_message(headers: Headers, value: bytes | None) -> Submission | Refusal:
    """The command that a message asks for, or why it is refused."""
    attributes: Mapping[str, bytes | None] = dict(headers)
    command_id = tenant_id = correlation_id = None
    try:
        # The ids come first, so that whatever else is wrong can be told to whoever waits.
        if len(attributes) != len(headers):
            _check_repeated(headers)
        command_id = _command_id(attributes.get("ce_id"))
        tenant_id = _tenant_id(attributes.get("ce_tenantid"))
        raw_correlation = attributes.get("ce_correlationid")
        if raw_correlation is not None:
            correlation_id = _header_text(
                "ce_correlationid", raw_correlation, MAX_CORRELATION_ID_LENGTH, "unreadable"
            )
        _check_envelope(attributes.get("ce_specversion"), attributes.get("content-type"))
        who = _who(attributes.get("ce_source"))
        command = _reader(attributes.get("ce_type")).read(value)
    except _RefusedError as refused:
        return Refusal(
            reason=refused.reason,
            detail=refused.detail,
            command_id=command_id,
            tenant_id=tenant_id,
            correlation_id=correlation_id,
        )
    return Submission(
        tenant_id=tenant_id,
        command=command,
        command_id=command_id,
        who=who,
        correlation_id=correlation_id,
    )


def _check_repeated(headers: Headers) -> None:
    names = [name for name, _ in headers if name in _ATTRIBUTES]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise _RefusedError("unreadable", f"{', '.join(repeated)}: must stand there once")


def _header_text(name: str, raw: bytes, max_length: int, reason: RefusalReason) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _RefusedError(reason, f"{name}: must be valid UTF-8") from None
    if not text or len(text) > max_length:
        raise _RefusedError(reason, f"{name}: must have 1 to {max_length} characters")
    if problem := text_problem(text):
        raise _RefusedError(reason, f"{name}: {problem}")
    return text


def _command_id(raw: bytes | None) -> str:
    if raw is None:
        raise _RefusedError(
            "missing_command_id", "ce_id: is required, it makes repeating the command safe"
        )
    return _header_text("ce_id", raw, MAX_COMMAND_ID_LENGTH, "invalid_command_id")


@lru_cache(maxsize=4096)
def _tenant_id(raw: bytes | None) -> str:
    if raw is None:
        raise _RefusedError("missing_tenant", "ce_tenantid: is required")
    if _TENANT.fullmatch(raw) is None:
        raise _RefusedError("unknown_tenant", "ce_tenantid: must be a UUID in lower case")
    return raw.decode()


@lru_cache(maxsize=4096)
def _who(raw: bytes | None) -> str:
    """Who says that it sends the command. Nothing here proves it; the brokers' ACLs do."""
    if raw is None:
        return "kafka:unnamed"
    return "kafka:" + _header_text("ce_source", raw, MAX_SOURCE_LENGTH, "unreadable")


@lru_cache(maxsize=64)
def _check_envelope(spec_version: bytes | None, content_type: bytes | None) -> None:
    if spec_version not in (None, b"1.0"):
        raise _RefusedError("unreadable", "ce_specversion: must be 1.0")
    media_type = b"application/json" if content_type is None else content_type
    if media_type.split(b";")[0].strip().lower() != b"application/json":
        raise _RefusedError(
            "unreadable",
            "content-type: must be application/json (CloudEvents in binary mode)",
        )


def _reader(raw: bytes | None) -> "_CommandReader":
    reader = _READERS.get(raw)
    if reader is None:
        raise _RefusedError(
            "unknown_type", "ce_type: must be one of " + ", ".join(sorted(COMMAND_NAMES))
        )
    return reader


class _CommandReader:
    """Reads the value of one type of command, every refusal of it included."""

    def __init__(self, command_type: type[Command]) -> None:
        self._type = command_type
        self._decode = msgspec.json.Decoder(command_type).decode
        names = [field.name for field in msgspec.structs.fields(command_type)]
        self._members = frozenset(names) | {"type"}
        self._names = MemberNames(self._members)
        self._texts = [name for name in names if name in _FREE_TEXTS]
        self._ids = [(name, IDS[name][1]) for name in names if name in IDS]
        self._has_moment = "expires_at" in names
        self._has_receiver = "remaining_balance" in names
        self._has_metadata = "metadata" in names
        self._has_currency = "currency" in names

    def read(self, value: bytes | None) -> Command:
        """The command. Raises `_RefusedError`."""
        if value is None:
            raise _RefusedError("unreadable", "value: is required")
        if len(value) > MAX_VALUE_BYTES:
            raise _RefusedError("too_large", f"value: must not exceed {MAX_VALUE_BYTES} bytes")
        # The command is an object itself, one level around its metadata.
        if nesting_of(value) > MAX_NESTING + 1:
            raise _RefusedError(
                "unreadable", f"value: must not nest deeper than {MAX_NESTING} levels"
            )
        try:
            # Msgspec ignores members that it does not know. Money must not: a credit that
            # was meant to expire, by a field of a later release, would never expire.
            members = MEMBERS.decode(value)
            is_read = _with_readable_moment(members, value) if self._has_moment else value
            command = self._decode(is_read)
        except UnicodeDecodeError:
            raise _RefusedError("unreadable", "value: must be valid UTF-8") from None
        except msgspec.ValidationError:
            pass
        except (msgspec.DecodeError, RecursionError):
            what = json_problem(value) or "is not valid JSON"
            raise _RefusedError("unreadable", f"value: {what}") from None
        else:
            # Each member has a colon, so with no more of these none comes twice.
            is_once = value.count(b":") == len(members) or self._names.twice_in(value) is None
            if is_once and members.keys() <= self._members and self._is_sound(command):
                return _in_utc(command) if self._has_moment else command
        problems = "; ".join(problems_of(self._type, value))
        if not problems:
            problems = f"{self._names.twice_in(value) or 'a member'}: is there twice"
        raise _RefusedError("invalid_command", problems)

    def _is_sound(self, command: Any) -> bool:
        """What the decoder does not check. `problems_of` says in words what this finds."""
        for name in self._texts:
            text = getattr(command, name)
            if text is not None and text_problem(text) is not None:
                return False
        # The Struct's pattern lets a line feed at the end pass, as Python's `$` does.
        for name, is_spelled in self._ids:
            if not is_spelled(getattr(command, name)):
                return False
        if self._has_receiver and not names_a_wallet(command.remaining_balance):
            return False
        if self._has_moment and not can_be_kept(command.expires_at):
            return False
        if self._has_currency and not is_currency(command.currency):
            return False
        if not self._has_metadata or command.metadata is NO_METADATA:
            return True
        return metadata_problem(bytes(command.metadata)) is None


def _with_readable_moment(members: dict[str, Raw], value: bytes) -> bytes:
    """The same JSON, with `expires_at` as msgspec can read it."""
    text = msgspec.json.decode(members.get("expires_at", _NULL))
    if not isinstance(text, str) or (len(text) <= _LONGEST_IN_UTC and text.endswith("Z")):
        # Nearly always: msgspec reads it as it is.
        return value
    return msgspec.json.encode(members | {"expires_at": readable(text)})


def _in_utc(command: Any) -> Command:
    """A moment counts, not its spelling: the same one is the same wish."""
    moment: datetime | None = command.expires_at
    if moment is not None and moment.tzinfo is not UTC:
        command = msgspec.structs.replace(command, expires_at=moment.astimezone(UTC))
    sound: Command = command
    return sound


COMMAND_NAMES = {f"ledger.command.{tag}.v1": command for tag, command in COMMAND_TYPES.items()}
"""Every command by its CloudEvents type."""

_READERS: dict[bytes | None, _CommandReader] = {
    name.encode(): _CommandReader(command) for name, command in COMMAND_NAMES.items()
}
