"""Bodies: what a client asks for, read and judged before any wallet is asked.

A body is decoded once into its typed Struct. Only where that fails is it looked at field
by field, so that the refusal can name everything that is wrong at once.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final, Generic, NoReturn, TypeVar

import msgspec

from ledger.command_handling.gate import (
    MAX_METADATA_BYTES,
    MemberNames,
    metadata_problem,
    nesting_of,
    text_problem,
)
from ledger.tenants import Environment
from ledger.tenants.redirects import problem_of_redirect
from schemas.commands import NO_METADATA, TransferTo
from schemas.http.credit_wallets import (
    CaptureRequest,
    CloseWalletRequest,
    CreateWalletRequest,
    CreditRequest,
    DebitRequest,
    FreezeWalletRequest,
    HoldRequest,
    ReverseRequest,
    ReviewWalletRequest,
    TopupRequest,
    TransferRequest,
    UnfreezeWalletRequest,
)
from schemas.identifiers import is_wallet_id
from schemas.money import is_currency
from schemas.times import moment_of
from services.gateway.fields import (
    ABSENT,
    CAPTURE_FIELDS,
    CLOSE_FIELDS,
    CREATE_FIELDS,
    DEBIT_FIELDS,
    EXPIRING_FIELDS,
    FREEZE_FIELDS,
    REVERSE_FIELDS,
    REVIEW_FIELDS,
    TOO_LARGE,
    TRANSFER_FIELDS,
    UNFREEZE_FIELDS,
    FieldCheck,
    topup_fields,
)
from services.gateway.json_objects import (
    MAX_BODY_NESTING,
    characters_of,
    is_utf8,
    members_of,
    twice,
)
from services.gateway.problems import invalid_fields
from services.gateway.requests import malformed

RequestT = TypeVar("RequestT", bound=msgspec.Struct)


class _NoRequest(msgspec.Struct, frozen=True):
    """For calls whose body says nothing: an object, if there is one at all."""


class BodyReader(Generic[RequestT]):
    """Reads the bodies of one kind of request.

    `is_sound` judges what the Struct's types cannot; `checks` say in words what it refuses.
    """

    def __init__(
        self,
        shape: type[RequestT],
        checks: dict[str, FieldCheck],
        is_sound: Callable[[RequestT], bool],
        *,
        without_body: RequestT | None = None,
    ) -> None:
        self._decoder = msgspec.json.Decoder(shape)
        self._names = MemberNames(checks)
        self._checks = checks
        self._is_sound = is_sound
        self._without_body = without_body

    def __call__(self, body: bytes) -> RequestT:
        """What the body asks for. `metadata` is a part of the body, until it is `kept`."""
        if not body and self._without_body is not None:
            return self._without_body
        asked = _decoded(self._decoder, body)
        if asked is None or not self._is_sound(asked) or self._names.twice_in(body):
            _refuse(body, self._checks, self._names)
        return asked


def kept(metadata: msgspec.Raw) -> msgspec.Raw:
    """Metadata that outlives its request: a copy, where it is a part of the body."""
    return NO_METADATA if metadata == NO_METADATA else metadata.copy()


def expiry(text: str | None) -> datetime | None:
    """The moment of an `expires_at` that was read, in UTC."""
    return None if text is None else moment_of(text)


def _is_sound_create(asked: CreateWalletRequest) -> bool:
    return is_currency(asked.currency) and _metadata_passes(asked.metadata)


def _is_sound_expiring(asked: CreditRequest | HoldRequest | TopupRequest) -> bool:
    if asked.expires_at is not None and moment_of(asked.expires_at) is None:
        return False
    return _metadata_passes(asked.metadata)


def _is_sound_told(asked: DebitRequest | CaptureRequest | ReverseRequest) -> bool:
    return _metadata_passes(asked.metadata)


def _is_sound_transfer(asked: TransferRequest) -> bool:
    # The Struct's pattern lets a line feed at the end pass, as Python's `$` does.
    return (
        is_wallet_id(asked.from_wallet_id)
        and is_wallet_id(asked.to_wallet_id)
        and _metadata_passes(asked.metadata)
    )


def _is_sound_close(asked: CloseWalletRequest) -> bool:
    wish = asked.remaining_balance
    return not isinstance(wish, TransferTo) or is_wallet_id(wish.transfer_to)


def _is_sound(_: msgspec.Struct) -> bool:
    return True


def _metadata_passes(metadata: msgspec.Raw) -> bool:
    return metadata == NO_METADATA or metadata_problem(bytes(metadata)) is None


read_create: Final = BodyReader(CreateWalletRequest, CREATE_FIELDS, _is_sound_create)
read_credit: Final = BodyReader(CreditRequest, EXPIRING_FIELDS, _is_sound_expiring)
read_debit: Final = BodyReader(DebitRequest, DEBIT_FIELDS, _is_sound_told)
read_freeze: Final = BodyReader(
    FreezeWalletRequest, FREEZE_FIELDS, _is_sound, without_body=FreezeWalletRequest()
)
read_unfreeze: Final = BodyReader(
    UnfreezeWalletRequest, UNFREEZE_FIELDS, _is_sound, without_body=UnfreezeWalletRequest()
)
read_review: Final = BodyReader(ReviewWalletRequest, REVIEW_FIELDS, _is_sound)
read_close: Final = BodyReader(
    CloseWalletRequest, CLOSE_FIELDS, _is_sound_close, without_body=CloseWalletRequest()
)
read_hold: Final = BodyReader(HoldRequest, EXPIRING_FIELDS, _is_sound_expiring)
read_capture: Final = BodyReader(
    CaptureRequest, CAPTURE_FIELDS, _is_sound_told, without_body=CaptureRequest()
)
read_transfer: Final = BodyReader(TransferRequest, TRANSFER_FIELDS, _is_sound_transfer)
read_reverse: Final = BodyReader(ReverseRequest, REVERSE_FIELDS, _is_sound_told)
read_nothing: Final = BodyReader(_NoRequest, {}, _is_sound, without_body=_NoRequest())


@lru_cache(maxsize=1024)
def topup_reader(
    environment: Environment, redirect_origins: frozenset[str]
) -> BodyReader[TopupRequest]:
    """Reads the bodies of top-ups of tenants that may redirect as this says."""

    def redirect_problem(url: str) -> str | None:
        return problem_of_redirect(url, environment, redirect_origins)

    def is_sound(asked: TopupRequest) -> bool:
        urls = (asked.redirect_url, asked.cancel_url)
        allowed = all(url is None or redirect_problem(url) is None for url in urls)
        return allowed and _is_sound_expiring(asked)

    return BodyReader(TopupRequest, topup_fields(redirect_problem), is_sound)


def _decoded(decoder: "msgspec.json.Decoder[RequestT]", body: bytes) -> RequestT | None:
    """The body's Struct, or None where anything about it needs a closer look."""
    # msgspec skips over what a field keeps raw, so these are checked on the whole text.
    if nesting_of(body) > MAX_BODY_NESTING or not is_utf8(body):
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


def _refuse(body: bytes, checks: dict[str, FieldCheck], names: MemberNames) -> NoReturn:
    """Say why a body is not taken: a 400 for its form, else a 422 with every offending field."""
    members = members_of(body, names)
    for name in checks:
        text = members.get(name)
        if isinstance(text, str) and (what := text_problem(text)):
            raise malformed(what, param=name)
    if "metadata" in checks and isinstance(members.get("metadata"), dict):
        metadata = bytes(characters_of(body)["metadata"])
        if len(metadata) > MAX_METADATA_BYTES:
            members["metadata"] = TOO_LARGE
        elif what := metadata_problem(metadata):
            raise malformed(what, param="metadata")
    found = [check(members.get(name, ABSENT)) for name, check in checks.items()]
    problems = [problem for problem in found if problem is not None]
    if not problems:
        # What is left is one of a receiver's that stands there twice, once of them wrongly.
        raise twice(None)
    raise invalid_fields(problems)
