"""Decides a batch of commands in arrival order, in memory, against one look at the log.

Pure: no I/O, and time and randomness come in as arguments. What the batch changes is in an
overlay, so that later commands of it see earlier ones; the overlay counts only when the
append that `plan` makes from it was committed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ledger.command_handling.case import Case, as_it_stands, result_beside_the_events
from ledger.command_handling.fingerprint import fingerprint
from ledger.command_handling.originals import Originals
from ledger.command_handling.overlay import Overlay, Savepoint
from ledger.command_handling.question import LOOKED_UP, reference_of
from ledger.command_handling.results import encode_outcome, result_of_event, result_of_record
from ledger.command_handling.rules import NO_RULES, Rules, RulesNow
from ledger.command_handling.submission import Settled, Submission, refused
from ledger.command_handling.targets import Target, target_of
from ledger.command_handling.wallet_cache import NOTHING_KNOWN, Known, WalletCache
from ledger.domain.wallet import NO_FACTS, Decision, Facts, Payment, Wallet, decide
from ledger.event_log.hashing import unix_us
from ledger.event_log.interface import (
    Append,
    CommandKey,
    CustomerKey,
    Findings,
    Head,
    IdentityKey,
    Question,
    Record,
    WalletRow,
    topup_of,
)
from schemas.commands import (
    CreateWallet,
    CreditWallet,
    DebitWallet,
    EnrollCustomer,
    ExpireDue,
    FreezeWallet,
    TransferMoney,
    UnfreezeWallet,
)
from schemas.events import (
    EventMetadata,
    HoldReleased,
    RecordedEvent,
    TopupEnded,
    TransferReceived,
    TransferSent,
    WalletEvent,
    decode_event,
)
from schemas.identifiers import RANDOM_BYTES_PER_UUID7, StreamKey, user_id_of, uuid7s, wallet_id
from schemas.rejections import (
    BatchDeclined,
    CurrencyMismatch,
    ExpiryNotAhead,
    HoldUnknown,
    ReferenceReused,
    Rejection,
    SameWallet,
    TopupUnknown,
    TransactionUnknown,
    WalletUnknown,
)
from schemas.results import CommandResult

_IDS_PER_COMMAND = 2
"""Enough for most commands; if lots lapse, more are drawn."""
_MORE_IDS = 64

_UNRECORDED = (
    WalletUnknown,
    HoldUnknown,
    TopupUnknown,
    TransactionUnknown,
    CurrencyMismatch,
    SameWallet,
    ExpiryNotAhead,
)
"""Refusals that freeze nothing: the command is wrong, whatever the wallet's state."""

_TOLD_BESIDE = (HoldReleased, TopupEnded)
"""Answers that say only what is new: the request's details are in an earlier event."""

_MOVES_ONLY = frozenset({DebitWallet, CreditWallet, FreezeWallet, UnfreezeWallet, ExpireDue})
"""Commands that need no fact, and one wallet only."""

_encode_metadata = msgspec.json.Encoder().encode


class Plan(Struct, frozen=True, kw_only=True):
    """The outcome of a batch. Do not answer or keep any of it before the append is durable."""

    append: Append | None
    """None if the batch writes nothing: only repeats, and refusals that leave no trace."""
    settled: Sequence[Settled]
    """One for each submission, in order."""
    wallets: Mapping[StreamKey, Known]
    """The states after the append."""


def _endless_ids(unix_ms: int, random_bytes: Callable[[int], bytes], first: int) -> Iterator[str]:
    while True:
        yield from uuid7s(unix_ms, random_bytes(RANDOM_BYTES_PER_UUID7 * first))
        first = _MORE_IDS


class Batch:
    """One batch under decision. Use once: `decide_all`, which returns the plan."""

    def __init__(
        self,
        *,
        head: Head,
        findings: Findings,
        now: datetime,
        known: Mapping[StreamKey, Known],
        cache: WalletCache,
        originals: Originals,
        random_bytes: Callable[[int], bytes],
        size: int,
        unless_known: Question = LOOKED_UP,
        rules: Rules = NO_RULES,
    ) -> None:
        """`size` is about how many submissions will be decided."""
        self._unless_known = unless_known
        self._now = now
        self._originals = originals
        self._rules = RulesNow(rules, now)
        self._overlay = Overlay(head=head, findings=findings, now=now, known=known, cache=cache)
        self._ids = _endless_ids(unix_us(now) // 1000, random_bytes, _IDS_PER_COMMAND * size + 1)

    def decide_all(self, submissions: Sequence[Submission]) -> Plan:
        """Decide every submission, in order."""
        if any(submission.together is not None for submission in submissions):
            settled = self._settle_groups(submissions)
        else:
            settled = [self._settle(submission) for submission in submissions]
        append = self._overlay.append(next(self._ids), self._unless_known)
        return Plan(append=append, settled=settled, wallets=self._overlay.changed)

    def _settle_groups(self, submissions: Sequence[Submission]) -> list[Settled]:
        settled: list[Settled] = []
        for together, members in groupby(submissions, lambda submission: submission.together):
            if together is None:
                settled += [self._settle(member) for member in members]
            else:
                settled += self._settle_together(list(members))
        return settled

    def _settle_together(self, members: Sequence[Submission]) -> list[Settled]:
        """All of them or none: the first decline undoes the others."""
        savepoint = self._overlay.savepoint()
        settled: list[Settled] = []
        for index, member in enumerate(members):
            outcome = self._settle(member)
            if outcome.result.status == "declined":
                return self._abort(members, index, outcome, savepoint)
            settled.append(outcome)
        return settled

    def _abort(
        self, members: Sequence[Submission], index: int, outcome: Settled, savepoint: Savepoint
    ) -> list[Settled]:
        """Undo all; only the decline is written, and the outcomes of the ids.

        A refusal that leaves no trace when it is sent alone leaves none of the group either:
        the whole group may be tried again. So does one without an event that came of the others.
        """
        overlay, member, position = self._overlay, members[index], outcome.result.position
        record = self._recorded(member)
        if record is not None and record.fingerprint != fingerprint(member.command):
            record = None
        decline = None
        if position is not None and not outcome.replayed:
            decline = overlay.event_at(position)
        overlay.restore(savepoint)
        if decline is not None:
            outcome = self._record_decline(member, decline, outcome)
        is_kept = decline is not None
        if decline is None and record is not None:
            is_kept = self._settle(member) == outcome
            if not is_kept:  # Frozen, it would name for ever what never came to be.
                overlay.restore(savepoint)
        aborted = CommandResult(status="declined", rejection=BatchDeclined(index=index))
        return [
            outcome if number == index else self._aborted(each, aborted, is_kept=is_kept)
            for number, each in enumerate(members)
        ]

    def _recorded(self, submission: Submission) -> Record | None:
        """The outcome that the command's id already has, whatever it asked for."""
        if submission.command_id is None:
            return None
        return self._overlay.recorded.get(CommandKey(submission.tenant_id, submission.command_id))

    def _aborted(self, member: Submission, aborted: CommandResult, *, is_kept: bool) -> Settled:
        asked = fingerprint(member.command)
        record = self._recorded(member)
        if record is not None:
            return _replay(record, asked, ReferenceReused(what="idempotency_key"))
        if is_kept:
            outcome = encode_outcome(aborted)
            record = Record(fingerprint=asked, position=None, outcome=outcome, event=None)
            self._overlay.freeze(member, record)
        return Settled(aborted, replayed=False)

    def _record_decline(
        self, member: Submission, recorded: RecordedEvent, outcome: Settled
    ) -> Settled:
        """The decline as a fact of the wallet without the rest of its group."""
        key = StreamKey(recorded.tenant_id, recorded.stream_id)
        known = self._overlay.known_of(key)
        rejection = outcome.result.rejection
        if known is None or known.wallet is None or rejection is None:
            return outcome
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
        declined = as_it_stands(event, known.wallet)
        case = Case(member, fingerprint(member.command), Target(key), NO_FACTS)
        decision = Decision((declined,), rejection, declined)
        return Settled(self._record(case, known, decision), replayed=False)

    def _settle(self, submission: Submission) -> Settled:
        """Command id first, then reference, then the wallet's own decision."""
        asked = fingerprint(submission.command)
        record = self._recorded(submission)
        if record is not None:
            return _replay(record, asked, ReferenceReused(what="idempotency_key"))
        command = submission.command
        reference = reference_of(command)
        if reference is not None:
            record = self._overlay.consumed.get(CommandKey(submission.tenant_id, reference))
            if record is not None:
                settled = _replay(record, asked, ReferenceReused(what="reference"))
                if settled.replayed:
                    self._overlay.freeze(submission, record)
                return settled
        if isinstance(command, (CreateWallet, EnrollCustomer)):
            return self._open(submission, command, asked)
        return self._change(submission, asked)

    def _open(
        self, submission: Submission, command: CreateWallet | EnrollCustomer, asked: bytes
    ) -> Settled:
        slot = CustomerKey(submission.tenant_id, command.customer_id, command.currency)
        user_id = user_id_of(submission.tenant_id, command.customer_id)
        owner = (submission.tenant_id, user_id)
        facts = Facts(
            user_id=user_id,
            open_wallet_id=self._overlay.open_wallets.get(slot),
            user_id_owner=self._overlay.user_id_owners.get(owner),
        )
        if isinstance(command, EnrollCustomer):
            identity = IdentityKey(submission.tenant_id, command.identity_index)
            facts = replace(
                facts,
                identity_owner=self._overlay.identity_owners.get(identity),
                next_serial=self._overlay.next_serials[submission.tenant_id],
            )
        decision = decide(None, command, self._now, facts)
        key = StreamKey(submission.tenant_id, wallet_id(next(self._ids)))
        case = Case(submission, asked, Target(key), facts)
        result = self._record(case, NOTHING_KNOWN, decision)
        if decision.rejection is None:
            self._overlay.add_wallet(
                WalletRow(
                    tenant_id=submission.tenant_id,
                    wallet_id=key.stream_id,
                    customer_id=command.customer_id,
                    user_id=user_id,
                    currency=command.currency,
                    position=self._overlay.events[-1].position,
                )
            )
            if isinstance(command, EnrollCustomer):
                self._overlay.know_customer(
                    submission.tenant_id, command.customer_id, user_id, command.identity_index
                )
        return Settled(result, replayed=False)

    def _change(self, submission: Submission, asked: bytes) -> Settled:
        target = target_of(submission, self._originals)
        if not isinstance(target, Target):
            return refused(target)
        key, command = target.wallet, submission.command
        known = self._overlay.known_of(key)
        if known is None or known.wallet is None:
            is_one_of_two = isinstance(command, TransferMoney)
            return refused(WalletUnknown(wallet_id=key.stream_id if is_one_of_two else None))
        if type(command) not in _MOVES_ONLY:
            facts = self._facts(target, known.wallet)
        elif known.wallet.profile is None:
            facts = NO_FACTS
        else:
            limits = self._rules.limits_of(known.wallet)
            facts = Facts(limits=limits, day=self._rules.day_of(known.wallet))
        decision = decide(known.wallet, command, self._now, facts)
        if isinstance(decision.rejection, _UNRECORDED):
            return refused(decision.rejection)
        result = self._record(Case(submission, asked, target, facts), known, decision)
        if result.transfer is None:
            return Settled(result, replayed=False)
        received = self._overlay.event_named(facts.other_event_id)
        return Settled(result, replayed=False, received=received)

    def _facts(self, target: Target, wallet: Wallet) -> Facts:
        known = None if target.other is None else self._overlay.known_of(target.other)
        other = None if known is None else known.wallet
        reversed_amount = 0
        if target.reversed_key is not None:
            reversed_amount = self._overlay.reversed_amounts.get(target.reversed_key, 0)
        payments: tuple[Payment, ...] = ()
        if target.payment_key is not None:
            payments = self._overlay.payments.get(topup_of(target.payment_key), ())
        return Facts(
            event_id=next(self._ids),
            other_event_id=next(self._ids),
            other=other,
            original=target.original,
            reversed_amount=reversed_amount,
            payments=payments,
            limits=self._rules.limits_of(wallet),
            day=self._rules.day_of(wallet),
            other_limits=self._rules.limits_of(other),
            next_serial=self._overlay.next_serials.get(target.wallet.tenant_id),
        )

    def _record(self, case: Case, known: Known, decision: Decision) -> CommandResult:
        """Turn a decision into events and decision rows, and return its outcome."""
        submission, _, target, facts = case
        metadata = _encode_metadata(
            EventMetadata(
                who=submission.who,
                correlation_id=submission.correlation_id,
                causation_id=submission.command_id,
            )
        ).decode()
        answer: RecordedEvent | None = None
        for event in decision.events:
            is_answer = event is decision.answer
            has_id = facts.event_id and (is_answer or isinstance(event, TransferSent))
            event_id = facts.event_id if has_id else next(self._ids)
            known = self._overlay.add_event(target.wallet, known, event, event_id, metadata)
            if is_answer:
                answer = self._overlay.events[-1]
        position = self._overlay.events[-1].position if decision.events else None
        if decision.others:
            self._record_others(case, decision.others, metadata)
        if answer is not None and not isinstance(decision.answer, _TOLD_BESIDE):
            assert decision.answer is not None, "it was recorded"
            record = Record(
                fingerprint=case.fingerprint,
                position=answer.position,
                outcome=None,
                event=answer,
            )
            result = result_of_event(answer, decision.answer)
        else:
            result = result_beside_the_events(case, known, decision, answer, position)
            record = Record(
                fingerprint=case.fingerprint,
                # What a void frees may lapse at once: then the last event is not the answer.
                position=position if answer is None else answer.position,
                outcome=encode_outcome(result),
                event=None,
            )
        reference = reference_of(submission.command)
        if reference is not None and decision.rejection is None:
            self._overlay.consume(submission.tenant_id, reference, record)
        self._overlay.freeze(submission, record)
        return result

    def _record_others(self, case: Case, events: Sequence[WalletEvent], metadata: str) -> None:
        key = case.target.other
        assert key is not None, "the events are some wallet's"
        known = self._overlay.known_of(key)
        assert known is not None, "it was among the facts"
        for event in events:
            # Its id is the only one that the first wallet's event states.
            is_stated = isinstance(event, TransferReceived)
            event_id = case.facts.other_event_id if is_stated else next(self._ids)
            known = self._overlay.add_event(key, known, event, event_id, metadata)


def _replay(record: Record, asked: bytes, reused: Rejection) -> Settled:
    if record.fingerprint != asked:
        return Settled(CommandResult(status="declined", rejection=reused), replayed=False)
    return Settled(result_of_record(record.outcome, record.event), replayed=True)
