"""What idempotency remembers against the log: `consumed_references` and `command_outcomes`.

While the log is read, it is noted in temporary files at which position which name must have its
row; then each table is read once, in the order of its key, and every row must be one of those.
Names are noted as 61-bit hashes that nobody can foresee: they are made anew in every process.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from ledger.command_handling.views import wallet_view
from ledger.domain.wallet import Wallet
from projections.interface import Connection
from schemas.events import EventMetadata, RecordedEvent, UnknownEventError, WalletEvent
from services.runtime.sql import load_statement
from services.verify.commands_told import Leg, asked, consumed_reference, is_answer, leg_of
from services.verify.decoding import decode_once
from services.verify.positions import Positions
from services.verify.report import Invariant, Report

_PAGE_REFERENCES = load_statement(__file__, "page_references")
_PAGE_OUTCOMES = load_statement(__file__, "page_outcomes")
_READ_TOLD = load_statement(__file__, "read_told")
_ROWS_PAGE = 5000
_NOTED, _PLAIN, _SEEN = 1, 2, 4
_MOST_ASKED = 4
_FLAGS = _NOTED | _PLAIN | _SEEN
_UNREADABLE = (UnknownEventError, msgspec.MsgspecError)
_decode_metadata = msgspec.json.Decoder(EventMetadata).decode


class _Command(msgspec.Struct):
    """The command whose events are being read, and where its row must point."""

    tenant_id: str
    command_id: str
    stream_id: str
    position: int
    last_position: int
    """Of its wallet's events: what the answer frees may lapse at once."""
    is_settled: bool = False
    is_plain: bool = False
    """Whether the event at the position says all of the answer."""
    wallet: Wallet | None = None
    """What the answer shows, where it is a wallet."""


class Idempotency:
    """Checks `consumed_references` and `command_outcomes`."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._consumed = report.invariant("references are those of the log's movements")
        self._outcomes = report.invariant("command ids are those of the log's events")
        self._references = Positions()
        self._asked = [Positions() for _ in range(_MOST_ASKED)]
        """What each reference's fingerprint may be; most have one that it must be."""
        self._fingerprints = Positions()
        """What it is."""
        self._commands = Positions()
        self._shown = Positions()
        """The wallet that an answer shows."""
        self._answers = Positions()
        """Where a command's answer is, by where its last event is, if that comes later."""
        self._command: _Command | None = None
        self._leg: Leg | None = None
        self._last_position = 0

    def fold(self, recorded: RecordedEvent, before: Wallet | None, wallet: Wallet | None) -> None:
        """Note what one wallet's event must have beside it; its wallet is before and after it."""
        self._last_position = recorded.position
        try:
            event = decode_once(recorded.type, recorded.schema_version, recorded.data)
            command_id = _decode_metadata(recorded.metadata).causation_id
        except _UNREADABLE:
            return  # The chain of the log says so.
        self._note_command(recorded, event, command_id, wallet)
        reference = consumed_reference(event, before)
        if reference is None or self._is_second_leg(recorded, event):
            return
        tenant_id, position = recorded.tenant_id, recorded.position
        self._references.put(position, _hash(tenant_id, reference) | _NOTED)
        fingerprints = asked(event, recorded.stream_id)
        assert len(fingerprints) <= _MOST_ASKED, "there is a place for each"
        for place, fingerprint in enumerate(fingerprints):
            self._asked[place].put(position, _hash(tenant_id, fingerprint) | _NOTED)

    def _is_second_leg(self, recorded: RecordedEvent, event: WalletEvent) -> bool:
        leg = leg_of(recorded.tenant_id, recorded.type, event)
        if leg is None:
            return False
        is_second = self._leg is not None and self._leg.is_followed_by(leg)
        self._leg = None if is_second else leg
        return is_second

    def _note_command(
        self,
        recorded: RecordedEvent,
        event: WalletEvent,
        command_id: str | None,
        wallet: Wallet | None,
    ) -> None:
        command = self._command
        if (
            command is None
            or command.command_id != command_id
            or command.tenant_id != recorded.tenant_id
        ):
            self._end_command()
            if command_id is None:
                return
            position = recorded.position
            command = self._command = _Command(
                recorded.tenant_id, command_id, recorded.stream_id, position, position
            )
        if recorded.stream_id == command.stream_id:
            command.last_position = recorded.position
        if command.is_settled:
            return
        answers = is_answer(event)
        if answers is not False:
            command.position = recorded.position
            command.is_settled, command.is_plain = True, bool(answers)
            command.wallet = None
        elif recorded.stream_id == command.stream_id:
            # The answer shows the wallet after the last of its own events.
            command.position, command.wallet = recorded.position, wallet

    def _end_command(self) -> None:
        command, self._command = self._command, None
        if command is not None:
            noted = _NOTED | (_PLAIN if command.is_plain else 0)
            named = _hash(command.tenant_id, command.command_id)
            self._commands.put(command.position, named | noted)
            if not command.is_plain and command.position < command.last_position:
                self._answers.put(command.last_position, command.position)
            if command.wallet is not None:
                shown = _hash(command.tenant_id, _shown(command.wallet))
                self._shown.put(command.position, shown | _NOTED)

    async def check(self, position: int) -> None:
        """Compare every row of both tables, when the log has been read up to a position."""
        self._end_command()
        names: dict[UUID, str] = {}
        after: tuple[object, str] = (UUID(int=0), "")
        while rows := await self._connection.fetch(_PAGE_REFERENCES, *after, _ROWS_PAGE):
            for row in rows:
                # What is newer than the log as it was read is left to the next run.
                if row["position"] <= position:
                    self._check_reference(row, names)
            after = (rows[-1]["tenant_id"], rows[-1]["reference"])
        await self._name_missing(self._references, self._consumed, "its reference is not consumed")
        after = (UUID(int=0), "")
        while rows := await self._connection.fetch(_PAGE_OUTCOMES, *after, _ROWS_PAGE):
            for row in rows:
                if row["position"] is None or row["position"] <= position:
                    self._check_outcome(row, names)
            after = (rows[-1]["tenant_id"], rows[-1]["command_id"])
        await self._name_missing(self._commands, self._outcomes, "its command id is not frozen")

    def _check_reference(self, row: asyncpg.Record, names: dict[UUID, str]) -> None:
        tenant_id, reference, fingerprint, position = row
        tenant = names.get(tenant_id) or names.setdefault(tenant_id, str(tenant_id))
        noted = self._references.get(position)
        if noted & ~_FLAGS != _hash(tenant, reference):
            self._consumed.fail(
                f"{reference!r} of {tenant}: the event at position {position} did not consume it"
            )
            return
        self._references.put(position, noted | _SEEN)
        hashed = _hash(tenant, fingerprint) | _NOTED
        self._fingerprints.put(position, hashed)
        self._consumed.check(
            self._is_asked(position, hashed),
            f"{reference!r} of {tenant}: its fingerprint is not of what was asked for at position "
            f"{position}",
        )

    def _is_asked(self, position: int, fingerprint: int) -> bool:
        return any(places.get(position) == fingerprint for places in self._asked)

    def _check_outcome(self, row: asyncpg.Record, names: dict[UUID, str]) -> None:
        tenant_id, command_id, fingerprint, position, is_plain, told_position, shown = row
        tenant = names.get(tenant_id) or names.setdefault(tenant_id, str(tenant_id))
        if position is None:
            # Nothing was to be done, or nothing may be; no event says more.
            self._outcomes.check(
                told_position is None, f"{command_id!r} of {tenant}: it tells of an event, unnamed"
            )
            return
        answer = 0 if is_plain else self._answers.get(position)
        if answer and told_position == str(answer):
            # Such rows once pointed at the command's last event; their outcome was right.
            position = answer
        noted = self._commands.get(position)
        hashed = _hash(tenant, fingerprint) | _NOTED
        consumed = self._fingerprints.get(position)
        if noted & ~_FLAGS == _hash(tenant, command_id):
            self._commands.put(position, noted | _SEEN)
            is_right = (
                bool(noted & _PLAIN) == is_plain
                and consumed in (0, hashed)
                and self._shown.get(position) in (0, _hash(tenant, shown) | _NOTED)
            )
        else:
            # Whoever repeats a reference under another command id gets the first answer.
            is_right = is_plain and (
                consumed == hashed or (not consumed and self._is_asked(position, hashed))
            )
        is_right = is_right and (is_plain or told_position == str(position))
        self._outcomes.check(
            is_right,
            f"{command_id!r} of {tenant}: the event at position {position} is not its answer",
        )

    async def _name_missing(self, noted: Positions, invariant: Invariant, said: str) -> None:
        """Name every position that should have had a row."""
        missing: list[int] = []
        for position in range(1, self._last_position + 1):
            if noted.get(position) & (_NOTED | _SEEN) == _NOTED:
                missing.append(position)
                if len(missing) == _ROWS_PAGE:
                    await self._name(missing, invariant, said)
                    missing.clear()
        await self._name(missing, invariant, said)

    async def _name(self, positions: Sequence[int], invariant: Invariant, said: str) -> None:
        if positions:
            for row in await self._connection.fetch(_READ_TOLD, positions):
                invariant.fail(
                    f"position {row['position']} of {row['tenant_id']}, {row['type']}, reference "
                    f"{row['reference']!r}, command id {row['command_id']!r}: {said}"
                )

    def close(self) -> None:
        """Throw the files away."""
        for positions in (
            *(self._references, self._commands, self._shown, self._answers),
            *(self._fingerprints, *self._asked),
        ):
            positions.close()


def _hash(tenant_id: str, name: str | bytes) -> int:
    """Without the bits that are flags. Python's own hash of text is keyed, by process."""
    return hash((tenant_id, name)) & 0xFFFF_FFFF_FFFF_FFFF & ~_FLAGS


def _shown(wallet: Wallet) -> str:
    """What an answer shows of a wallet, as sql/page_outcomes.sql spells it."""
    view = wallet_view(wallet)
    shown = (
        *(view.id, view.customer_id, view.user_id, view.currency),
        *(view.balance, view.available_balance, view.status, view.version, view.version),
    )
    return "|".join(str(each) for each in shown)
