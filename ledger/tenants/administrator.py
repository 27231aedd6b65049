"""An administrator's changes of merchants and credentials: each is one append, with its event.

Secrets are made here; what is kept is a hash, which only the table of credentials has. Every
change is made in a turn, so nobody else changes the same meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import structlog

from ledger.command_handling.environment import Environment
from ledger.event_log.hashing import append_hash, event_hash, unix_us
from ledger.event_log.interface import (
    GENESIS_HASH,
    Append,
    CommitUnclearError,
    EventLog,
    Head,
    LogUnavailableError,
    Question,
    Turn,
)
from ledger.event_log.tenancy import MerchantRow, StreamHead, TenancyFindings, TenancyQuestion
from ledger.tenants import changes
from ledger.tenants.changes import Change, NewKey
from ledger.tenants.errors import OutcomeUnknownError, UnknownCredentialError
from ledger.tenants.limits import RateLimit
from ledger.tenants.store import (
    SCOPES,
    Merchant,
    Secret,
    hash_secret,
    is_key_id,
    new_secret,
    spelled_origin,
)
from schemas.events import (
    SCHEMA_VERSION,
    EventMetadata,
    RecordedEvent,
    VaultMaintenanceBegun,
    encode_event,
    type_of,
)
from schemas.identifiers import (
    NOBODYS_TENANT,
    RANDOM_BYTES_PER_UUID7,
    tenant_stream,
    uuid7s,
)

MAX_OVERLAP: Final = timedelta(days=365)
_MAX_CHARACTERS: Final = 255
_GIVE_UP_AFTER_S: Final = 5.0
_RETRY_AFTER_S: Final = 0.1
_UUID_BYTES: Final = 16

_Decide = Callable[[TenancyFindings, datetime, int], Change | None]
"""What the change comes to, by what is known, the time, and the first new event's position."""

_encode_metadata = msgspec.json.Encoder().encode
_log = structlog.get_logger(__name__)


class Rotated(NamedTuple):
    """A credential in another's place, and when that one stops."""

    secret: Secret
    ends_at: datetime


class Administrator:
    """Changes tenants on one event log, in the name of `who`; one thing at a time.

    All of it raises `LogUnavailableError`, `OutcomeUnknownError`, and `ValueError` for a text
    that is no name or reason: up to 255 printable characters.
    """

    def __init__(self, log: EventLog, environment: Environment, who: str) -> None:
        self._log = log
        self._environment = environment
        self._who = _printable("who did it", who)
        self._working = asyncio.Lock()

    async def create_merchant(self, name: str, reason: str | None = None) -> Merchant:
        """Make a merchant with a live and a sandbox tenant."""
        row = MerchantRow(self._uuid4(), _printable("a name", name), self._uuid4(), self._uuid4())
        change = changes.create_merchant(row, _reason(reason))
        asked = TenancyQuestion()
        await self._append(asked, lambda *_: change)
        return Merchant(
            merchant_id=row.merchant_id,
            live_tenant_id=row.live_tenant_id,
            sandbox_tenant_id=row.sandbox_tenant_id,
        )

    async def create_credential(
        self, tenant_id: str, scopes: Iterable[str], reason: str | None = None
    ) -> Secret:
        """Make a credential. The secret is in the answer and nowhere else.

        Raises `ValueError` for a scope that there is not, `UnknownTenantError`.
        """
        wanted = set(scopes)
        if not wanted or not wanted <= SCOPES:
            message = f"scopes must be some of {', '.join(sorted(SCOPES))}"
            raise ValueError(message)
        made, key = self._new_key()
        because = _reason(reason)

        def decide(found: TenancyFindings, _: datetime, position: int) -> Change:
            return changes.create_credential(
                found,
                position,
                tenant_id=tenant_id,
                key=key,
                scopes=sorted(wanted),
                reason=because,
            )

        await self._append(TenancyQuestion(tenant_ids=_uuids(tenant_id)), decide)
        return made

    async def rotate_credential(
        self, key_id: str, overlap: timedelta, reason: str | None = None
    ) -> Rotated:
        """Make a credential of the same scopes and limit; the old one stops after the overlap.

        Raises `ValueError` for an overlap that is not from nothing to a year,
        `UnknownCredentialError`, `CredentialEndedError`.
        """
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            message = f"an overlap is from 0 s to {MAX_OVERLAP.days} days"
            raise ValueError(message)
        made, key = self._new_key()
        because = _reason(reason)
        ends: list[datetime] = []

        def decide(found: TenancyFindings, now: datetime, position: int) -> Change:
            ends[:] = [now + overlap]
            return changes.rotate_credential(
                found, position, now, key_id=key_id, key=key, overlap=overlap, reason=because
            )

        await self._append(_about(key_id), decide)
        return Rotated(made, ends[0])

    async def revoke_credential(self, key_id: str, reason: str | None = None) -> bool:
        """Revoke a credential; False if there is none of this id. Repeating it is harmless."""
        because = _reason(reason)

        def decide(found: TenancyFindings, now: datetime, position: int) -> Change | None:
            return changes.revoke_credential(found, position, now, key_id=key_id, reason=because)

        try:
            await self._append(_about(key_id), decide)
        except UnknownCredentialError:
            return False
        return True

    async def limit_credential(
        self, key_id: str, limit: RateLimit | None, reason: str | None = None
    ) -> bool:
        """Say what a credential may ask for, none: what all may; False if there is none of this id.

        It counts at every gateway within a second. Repeating it is harmless.
        """
        because = _reason(reason)

        def decide(found: TenancyFindings, _: datetime, position: int) -> Change | None:
            return changes.limit_credential(
                found, position, key_id=key_id, limit=limit, reason=because
            )

        try:
            await self._append(_about(key_id), decide)
        except UnknownCredentialError:
            return False
        return True

    async def allow_redirect(
        self, merchant_id: UUID, origin: str, reason: str | None = None
    ) -> str:
        """Put an origin on a merchant's list, for live and sandbox; how it is spelled there.

        Raises `ValueError` for what is no origin, `UnknownMerchantError`.
        """
        spelled, because = spelled_origin(origin), _reason(reason)
        merchant = str(merchant_id)
        await self._append(
            TenancyQuestion(merchant_ids=[merchant]),
            lambda found, *_: changes.allow_redirect(
                found, merchant_id=merchant, origin=spelled, reason=because
            ),
        )
        return spelled

    async def disallow_redirect(
        self, merchant_id: UUID, origin: str, reason: str | None = None
    ) -> bool:
        """Take an origin off a merchant's list; False if it was not on it. Raises `ValueError`."""
        spelled, because = spelled_origin(origin), _reason(reason)
        merchant = str(merchant_id)
        change = await self._append(
            TenancyQuestion(merchant_ids=[merchant]),
            lambda found, *_: changes.disallow_redirect(
                found, merchant_id=merchant, origin=spelled, reason=because
            ),
        )
        return change is not None

    async def begin_vault_maintenance(self, work: str, reason: str | None = None) -> None:
        """Tell that the vault is about to be worked on, which is not part of the log."""
        event = VaultMaintenanceBegun(work=work, reason=_reason(reason))
        change = Change(events=[(NOBODYS_TENANT, event)])
        await self._append(TenancyQuestion(stream_tenant_ids=[NOBODYS_TENANT]), lambda *_: change)

    def _uuid4(self) -> str:
        return str(UUID(bytes=self._environment.random_bytes(_UUID_BYTES), version=4))

    def _new_key(self) -> tuple[Secret, NewKey]:
        made = new_secret(self._environment.random_bytes)
        return made, NewKey(key_id=made.key_id, secret_hash=hash_secret(made.secret))

    async def _append(self, asked: TenancyQuestion, decide: _Decide) -> Change | None:
        # A log is for one writer at a time.
        async with self._working:
            return await self._append_in_turn(asked, decide)

    async def _append_in_turn(self, asked: TenancyQuestion, decide: _Decide) -> Change | None:
        """Decide and append, again where the commit's fate is not known."""
        started = self._environment.monotonic()
        unclear: Append | None = None
        change: Change | None = None
        while True:
            append = None
            try:
                async with self._log.exclusively() as turn:
                    head = (await turn.catch_up(None)).head
                    if unclear is not None and await _was_committed(turn, unclear):
                        return change
                    findings = await turn.look_up(Question(tenancy=asked))
                    # Time never goes back along the positions.
                    now = max(findings.now, head.recorded_at)
                    change = decide(findings.tenancy, now, head.last_position + 1)
                    if change is None:
                        return None
                    append = self._append_of(change, head, findings.tenancy, now)
                    appended = await turn.append(append)
                    assert appended.is_written, "in a turn nobody else was first"
            except CommitUnclearError as error:
                unclear = append
                _log.warning("commit_unclear", error=str(error))
            except LogUnavailableError as error:
                if unclear is None:
                    raise
                _log.warning("log_unavailable", error=str(error))
            else:
                return change
            if self._environment.monotonic() - started > _GIVE_UP_AFTER_S:
                message = "the connection broke during the commit: see `ledger audit` for whether"
                raise OutcomeUnknownError(f"{message} it was done")
            await self._environment.sleep(_RETRY_AFTER_S)

    def _append_of(
        self, change: Change, head: Head, found: TenancyFindings, now: datetime
    ) -> Append:
        events = list(self._recorded(change, head, found, now))
        return Append(
            append_id=next(self._ids(now, 1)),
            head=Head(
                number=head.number + 1,
                hash=append_hash(head.hash, (event.hash for event in events)),
                last_position=head.last_position + len(events),
                recorded_at=now,
            ),
            previous_hash=head.hash,
            events=events,
            outcomes=(),
            references=(),
            wallets=(),
            closures=(),
            tenancy=change.rows,
        )

    def _recorded(
        self, change: Change, head: Head, found: TenancyFindings, now: datetime
    ) -> Iterator[RecordedEvent]:
        """The events as they will stand in the log, each behind the newest of its stream."""
        heads = dict(found.heads)
        metadata = _encode_metadata(EventMetadata(who=self._who)).decode()
        ids = self._ids(now, len(change.events))
        for place, ((tenant_id, event), event_id) in enumerate(
            zip(change.events, ids, strict=True), start=1
        ):
            before = heads.get(tenant_id, StreamHead(0, GENESIS_HASH))
            unhashed = RecordedEvent(
                position=head.last_position + place,
                tenant_id=tenant_id,
                stream_id=tenant_stream(tenant_id),
                version=before.version + 1,
                event_id=event_id,
                type=type_of(event),
                schema_version=SCHEMA_VERSION,
                data=encode_event(event).decode(),
                metadata=metadata,
                recorded_at=now,
                hash=GENESIS_HASH,
            )
            recorded = msgspec.structs.replace(unhashed, hash=event_hash(before.hash, unhashed))
            heads[tenant_id] = StreamHead(recorded.version, recorded.hash)
            yield recorded

    def _ids(self, now: datetime, count: int) -> Iterator[str]:
        random = self._environment.random_bytes(RANDOM_BYTES_PER_UUID7 * count)
        return uuid7s(unix_us(now) // 1000, random)


async def _was_committed(turn: Turn, append: Append) -> bool:
    return await turn.find_append(append.append_id, append.head.number - 1)


def _about(key_id: str) -> TenancyQuestion:
    # What is no key id is not asked for: PostgreSQL takes no NUL in a text, for one.
    return TenancyQuestion(key_ids=[key_id] if is_key_id(key_id) else [])


def _uuids(text: str) -> list[str]:
    try:
        return [str(UUID(text))]
    except ValueError:
        return []


def _reason(text: str | None) -> str | None:
    return None if text is None else _printable("a reason", text)


def _printable(what: str, text: str) -> str:
    if not 0 < len(text) <= _MAX_CHARACTERS or not text.isprintable():
        message = f"{what} is of 1 to {_MAX_CHARACTERS} printable characters"
        raise ValueError(message)
    return text
