"""`account_numbers` against the log, both ways, and against the rule by which numbers are made.

Serials are a tenant's own, whatever the bank, and follow each other from 0. A number begins with
its serial, so numbers that are right and whose serials differ are all different.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from ledger.domain.nuban import MAX_SERIAL, is_account_number
from projections.interface import Connection, ProjectedEvent
from schemas.events import UnknownEventError, WalletOpened, WalletReviewed
from schemas.identifiers import StreamKey, hex_of, wallet_id
from services.runtime.sql import load_statement
from services.verify.decoding import decode_once
from services.verify.report import Report
from services.verify.wallet_states import WalletStates

_READ_NUMBERS = load_statement(__file__, "read_account_numbers")
_PAGE_NUMBERS = load_statement(__file__, "page_account_numbers")
_ROWS_PAGE = 5000
_BEFORE_ALL = (UUID(int=0), -1)
_UNREADABLE = (UnknownEventError, msgspec.MsgspecError)
_BANK_CODE_DIGITS = 6


class AccountNumbers:
    """Checks `account_numbers`."""

    def __init__(self, connection: Connection, states: WalletStates, report: Report) -> None:
        self._connection = connection
        self._states = states
        self._sound = report.invariant("account numbers are those of their serials")
        self._gapless = report.invariant("serials of each tenant are gapless")
        self._equal = report.invariant("account numbers equal the fold of the log")
        self._shown = report.invariant("balances show the account numbers")

    async def check_events(self, events: Sequence[ProjectedEvent]) -> None:
        """Look for each number that a page of the log allots."""
        allotting: list[tuple[ProjectedEvent, str, str | None]] = []
        for recorded in events:
            try:
                event = decode_once(recorded.type, recorded.schema_version, recorded.data)
            except _UNREADABLE:
                continue  # The chain of the log says so.
            if isinstance(event, WalletOpened | WalletReviewed) and event.account_number:
                allotting.append((recorded, event.account_number, event.bank_code))
        if not allotting:
            return
        rows = await self._connection.fetch(
            _READ_NUMBERS,
            [recorded.wallet.tenant_id for recorded, _, _ in allotting],
            [number for _, number, _ in allotting],
        )
        for row in rows:
            recorded, number, bank_code = allotting[row["place"] - 1]
            expected = (UUID(hex_of(recorded.wallet.stream_id)), bank_code, recorded.position)
            self._equal.check(
                (row["wallet_id"], row["bank_code"], row["position"]) == expected,
                f"{number} of {recorded.wallet.tenant_id}: it is not kept as the event at position "
                f"{recorded.position} allotted it",
            )

    async def check(self, position: int) -> None:
        """Compare every row, when the log has been read up to a position."""
        tenant_id, serial = _BEFORE_ALL
        while rows := await self._connection.fetch(_PAGE_NUMBERS, tenant_id, serial, _ROWS_PAGE):
            for row in rows:
                follows = serial + 1 if row["tenant_id"] == tenant_id else 0
                tenant_id, serial = row["tenant_id"], row["serial"]
                self._gapless.check(
                    serial == follows, f"{tenant_id}: serial {serial} stands where {follows} is due"
                )
                self._check_sound(row)
                # What is newer than the log as it was read is left to the next run.
                if row["position"] <= position:
                    self._check_equal(row)
                    self._check_shown(row)

    def _check_sound(self, row: asyncpg.Record) -> None:
        bank_code, serial, number = row["bank_code"], row["serial"], row["account_number"]
        is_bank_code = len(bank_code) == _BANK_CODE_DIGITS and bank_code.isascii()
        self._sound.check(
            is_bank_code
            and bank_code.isdigit()
            and 0 <= serial <= MAX_SERIAL
            and number[:-1] == f"{serial:09d}"
            and is_account_number(number, bank_code),
            f"{number} of {row['tenant_id']}: not that of serial {serial} of bank {bank_code}",
        )

    def _check_equal(self, row: asyncpg.Record) -> None:
        identifier = wallet_id(row["wallet_id"].hex)
        state = self._states.get(StreamKey(str(row["tenant_id"]), identifier))
        view = None if state is None else state.view
        if state is not None and view is None:
            return  # An event contradicts the wallet, and the chain of the log says so.
        expected = None if view is None else (view.bank_code, view.account_number)
        found = (row["bank_code"], row["account_number"])
        self._equal.check(
            row["allotted_version"] is not None and found == expected,
            f"{found} of {row['tenant_id']}, allotted at position {row['position']}: the log "
            f"says that {identifier} has {expected}",
        )

    def _check_shown(self, row: asyncpg.Record) -> None:
        allotted, shown = row["allotted_version"], row["shown_version"]
        if allotted is None or shown is None or shown < allotted:
            return  # The row of the read model has not come so far.
        self._shown.check(
            (row["shown_bank_code"], row["shown_number"])
            == (row["bank_code"], row["account_number"]),
            f"{wallet_id(row['wallet_id'].hex)}: it shows {row['shown_number']}, and has "
            f"{row['account_number']}",
        )
