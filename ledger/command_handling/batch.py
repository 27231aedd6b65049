"""Decides a batch of commands in arrival order, in memory, against one look at the log.

Pure: no I/O, no clock, no randomness but what comes in. What the batch changes is in an
overlay, so that later commands of it see earlier ones; the overlay counts only when the
append that `plan` makes of it was committed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from ledger.command_handling.fingerprint import fingerprint
from ledger.command_handling.results import (
    encode_outcome,
    result_of_event,
    result_of_record,
    wallet_view,
)
from ledger.command_handling.submission import Settled, Submission
from ledger.command_handling.wallet_cache import NOTHING_KNOWN, Known, WalletCache
from ledger.domain.wallet import Decision, Facts, decide, evolve
from ledger.event_log.hashing import append_hash, event_hash_of_parts, unix_us
from ledger.event_log.interface import (
    Append,
    ClosureRow,
    CommandKey,
    CustomerKey,
    Findings,
    Head,
    OutcomeRow,
    Question,
    Record,
    ReferenceRow,
    WalletKey,
    WalletRow,
)
from schemas.commands import CreateWallet, CreditWallet, DebitWallet
from schemas.events import (
    SCHEMA_VERSION,
    EventMetadata,
    RecordedEvent,
    WalletClosed,
    WalletEvent,
    encode_event,
    type_of,
)
from schemas.identifiers import RANDOM_BYTES_PER_UUID7, user_id_of, uuid7s, wallet_id
from schemas.rejections import ReferenceReused, Rejection, WalletUnknown
from schemas.results import CommandResult

_MOST_IDS_PER_COMMAND = 3
"""Two events, or a wallet and its first event."""

_MOVEMENTS = (DebitWallet, CreditWallet)
"""The commands with a reference. Not a union: that would be made anew with every command."""

LOOKED_UP = Question()
"""What an append has to guard against where everything was looked up before: nothing."""

_encode_metadata = msgspec.json.Encoder().encode


class Plan(Struct, frozen=True, kw_only=True):
    """What a batch came to. Nothing of it may be said or kept before the append is durable."""

    append: Append | None
    """None where the batch writes nothing: repeats, and refusals without a trace."""
    settled: Sequence[Settled]
    """One for each submission, in order."""
    wallets: Mapping[WalletKey, Known]
    """The states that the append leads to."""


def random_bytes_for(commands: int) -> int:
    """How many random bytes a batch of so many commands can need."""
    return RANDOM_BYTES_PER_UUID7 * (_MOST_IDS_PER_COMMAND * commands + 1)


def question_of(submissions: Sequence[Submission], cache: WalletCache) -> Question:
    """What must be read before these submissions can be decided."""
    command_ids: dict[CommandKey, None] = {}
    references: dict[CommandKey, None] = {}
    wallets: dict[WalletKey, None] = {}
    customers: dict[CustomerKey, None] = {}
    for submission in submissions:
        tenant_id, command = submission.tenant_id, submission.command
        if submission.command_id is not None:
            command_ids[CommandKey(tenant_id, submission.command_id)] = None
        if isinstance(command, CreateWallet):
            customers[CustomerKey(tenant_id, command.customer_id, command.currency)] = None
            continue
        if isinstance(command, _MOVEMENTS):
            references[CommandKey(tenant_id, command.reference)] = None
        key = WalletKey(tenant_id, command.wallet_id)
        if key not in cache:
            wallets[key] = None
    return Question(
        command_ids=list(command_ids),
        references=list(references),
        wallets=list(wallets),
        customers=list(customers),
    )


def nothing_found(head: Head, now: datetime) -> Findings:
    """What a look-up finds for commands that are all new, on wallets that are all cached."""
    return Findings(
        head_number=head.number,
        head_hash=head.hash,
        now=now,
        command_outcomes={},
        references={},
        wallets={},
        open_wallets={},
        user_id_owners={},
    )


class Batch:
    """One batch under decision. Use once: `decide_all`, which returns the plan."""

    def __init__(
        self,
        *,
        head: Head,
        findings: Findings,
        now: datetime,
        known: Mapping[WalletKey, Known],
        cache: WalletCache,
        randomness: bytes,
        unless_known: Question = LOOKED_UP,
    ) -> None:
        self._head = head
        self._unless_known = unless_known
        self._now = now
        self._known = known
        self._cache = cache
        self._recorded = findings.command_outcomes
        self._consumed = findings.references
        self._open_wallets: dict[CustomerKey, str | None] = dict(findings.open_wallets)
        self._user_id_owners = dict(findings.user_id_owners)
        self._recorded_us = unix_us(now)
        self._ids = uuid7s(self._recorded_us // 1000, randomness)
        self._changed: dict[WalletKey, Known] = {}
        self._events: list[RecordedEvent] = []
        self._outcomes: list[OutcomeRow] = []
        self._references: list[ReferenceRow] = []
        self._wallets: list[WalletRow] = []
        self._closures: list[ClosureRow] = []

    def decide_all(self, submissions: Sequence[Submission]) -> Plan:
        """Decide every submission, in order."""
        settled = [self._settle(submission) for submission in submissions]
        append = self._append() if self._events or self._outcomes else None
        return Plan(append=append, settled=settled, wallets=self._changed)

    def _append(self) -> Append:
        return Append(
            append_id=next(self._ids),
            head=Head(
                number=self._head.number + 1,
                hash=append_hash(self._head.hash, (event.hash for event in self._events)),
                last_position=self._head.last_position + len(self._events),
                recorded_at=self._now,
            ),
            previous_hash=self._head.hash,
            events=self._events,
            outcomes=self._outcomes,
            references=self._references,
            wallets=self._wallets,
            closures=self._closures,
            unless_known=self._unless_known,
        )

    def _settle(self, submission: Submission) -> Settled:
        """Command id first, then reference, then the wallet's own decision."""
        asked = fingerprint(submission.command)
        if submission.command_id is not None:
            key = CommandKey(submission.tenant_id, submission.command_id)
            record = self._recorded.get(key)
            if record is not None:
                return _replay(record, asked, ReferenceReused(what="idempotency_key"))
        command = submission.command
        if isinstance(command, _MOVEMENTS):
            record = self._consumed.get(CommandKey(submission.tenant_id, command.reference))
            if record is not None:
                settled = _replay(record, asked, ReferenceReused(what="reference"))
                if settled.replayed:
                    self._freeze(submission, record)
                return settled
        if isinstance(command, CreateWallet):
            return self._create(submission, command, asked)
        return self._change(submission, command.wallet_id, asked)

    def _create(self, submission: Submission, command: CreateWallet, asked: bytes) -> Settled:
        slot = CustomerKey(submission.tenant_id, command.customer_id, command.currency)
        user_id = user_id_of(submission.tenant_id, command.customer_id)
        owner = (submission.tenant_id, user_id)
        facts = Facts(
            user_id=user_id,
            open_wallet_id=self._open_wallets.get(slot),
            user_id_owner=self._user_id_owners.get(owner),
        )
        decision = decide(None, command, facts)
        key = WalletKey(submission.tenant_id, wallet_id(next(self._ids)))
        result = self._record(submission, key, NOTHING_KNOWN, decision, asked)
        if decision.rejection is None:
            self._open_wallets[slot] = key.wallet_id
            self._user_id_owners[owner] = command.customer_id
            self._wallets.append(
                WalletRow(
                    tenant_id=submission.tenant_id,
                    wallet_id=key.wallet_id,
                    customer_id=command.customer_id,
                    user_id=user_id,
                    currency=command.currency,
                    position=self._events[-1].position,
                )
            )
        return Settled(result, replayed=False)

    def _change(self, submission: Submission, wallet: str, asked: bytes) -> Settled:
        key = WalletKey(submission.tenant_id, wallet)
        known = self._changed.get(key) or self._known.get(key) or self._cache.get(key)
        if known is None or known.wallet is None:
            unknown = CommandResult(status="declined", rejection=WalletUnknown())
            return Settled(unknown, replayed=False)
        decision = decide(known.wallet, submission.command)
        result = self._record(submission, key, known, decision, asked)
        if decision.events and isinstance(decision.events[-1], WalletClosed):
            slot = CustomerKey(key.tenant_id, known.wallet.customer_id, known.wallet.currency)
            self._open_wallets[slot] = None
            position = self._events[-1].position
            self._closures.append(ClosureRow(key.tenant_id, key.wallet_id, position))
        return Settled(result, replayed=False)

    def _record(
        self,
        submission: Submission,
        key: WalletKey,
        known: Known,
        decision: Decision,
        asked: bytes,
    ) -> CommandResult:
        """Turn a decision into events and decision rows, and say what it came to."""
        metadata = _encode_metadata(
            EventMetadata(
                who=submission.who,
                correlation_id=submission.correlation_id,
                causation_id=submission.command_id,
            )
        ).decode()
        for event in decision.events:
            known = self._record_event(key, known, event, metadata)
        command = submission.command
        is_movement = isinstance(command, _MOVEMENTS)
        if is_movement or (decision.rejection is not None and decision.events):
            result = result_of_event(self._events[-1], decision.events[-1])
            record = Record(
                fingerprint=asked,
                position=self._events[-1].position,
                outcome=None,
                event=self._events[-1],
            )
        else:
            result = _result_without_event_of_its_own(known, decision, self._events)
            record = Record(
                fingerprint=asked,
                position=result.position,
                outcome=encode_outcome(result),
                event=None,
            )
        if isinstance(command, _MOVEMENTS) and decision.rejection is None:
            self._consume(submission.tenant_id, command.reference, record)
        self._freeze(submission, record)
        return result

    def _record_event(
        self, key: WalletKey, known: Known, event: WalletEvent, metadata: str
    ) -> Known:
        version = known.version + 1
        event_id, type_name = next(self._ids), type_of(event)
        data = encode_event(event).decode()
        envelope = (
            f"{key.wallet_id}\n{version}\n{event_id}\n{type_name}\n"
            f"{SCHEMA_VERSION}\n{key.tenant_id}\n{self._recorded_us}"
        )
        digest = event_hash_of_parts(known.hash, envelope, data, metadata)
        self._events.append(
            RecordedEvent(
                position=self._head.last_position + len(self._events) + 1,
                tenant_id=key.tenant_id,
                stream_id=key.wallet_id,
                version=version,
                event_id=event_id,
                type=type_name,
                schema_version=SCHEMA_VERSION,
                data=data,
                metadata=metadata,
                recorded_at=self._now,
                hash=digest,
            )
        )
        wallet = evolve(known.wallet, event, wallet_id=key.wallet_id, version=version, at=self._now)
        known = Known(wallet, digest, known.snapshot_version)
        self._changed[key] = known
        return known

    def _consume(self, tenant_id: str, reference: str, record: Record) -> None:
        assert record.position is not None, "a success has an event"
        self._consumed[CommandKey(tenant_id, reference)] = record
        self._references.append(
            ReferenceRow(tenant_id, reference, record.fingerprint, record.position)
        )

    def _freeze(self, submission: Submission, record: Record) -> None:
        if submission.command_id is None:
            return
        key = CommandKey(submission.tenant_id, submission.command_id)
        self._recorded[key] = record
        self._outcomes.append(OutcomeRow(*key, record.fingerprint, record.position, record.outcome))


def _replay(record: Record, asked: bytes, reused: Rejection) -> Settled:
    if record.fingerprint != asked:
        return Settled(CommandResult(status="declined", rejection=reused), replayed=False)
    return Settled(result_of_record(record.outcome, record.event), replayed=True)


def _result_without_event_of_its_own(
    known: Known, decision: Decision, events: Sequence[RecordedEvent]
) -> CommandResult:
    """The answer of create, freeze, unfreeze and close: the wallet, or why there is none."""
    if decision.rejection is not None:
        return CommandResult(status="declined", rejection=decision.rejection)
    assert known.wallet is not None, "an accepted command leaves a wallet"
    return CommandResult(
        status="accepted",
        wallet=wallet_view(known.wallet),
        position=events[-1].position if decision.events else None,
        version=known.version,
    )
