"""`customers.identity_index` against the log: who is enrolled is found by it, who is erased is not.

The index itself cannot be checked, because nothing here may know whom it stands for.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from projections.interface import Connection, ProjectedEvent
from schemas.events import CustomerErased, UnknownEventError
from schemas.identifiers import StreamKey, wallet_id
from services.runtime.sql import load_statement
from services.verify.decoding import decode_once
from services.verify.report import Report
from services.verify.wallet_states import WalletStates

_PAGE_CUSTOMERS = load_statement(__file__, "page_customers")
_READ_ERASED = load_statement(__file__, "read_erased")
_ROWS_PAGE = 5000
_BEFORE_ALL = (UUID(int=0), "")
_UNREADABLE = (UnknownEventError, msgspec.MsgspecError)


class Identities:
    """Checks `identity_index` of `customers`."""

    def __init__(self, connection: Connection, states: WalletStates, report: Report) -> None:
        self._connection = connection
        self._states = states
        self._erased_at: dict[tuple[str, str], int] = {}
        """Where the log erases a customer last, by tenant and user. They are few."""
        self._forgotten = report.invariant("nobody erased is found by the identity index")
        self._found = report.invariant("who is enrolled is found by the identity index")
        self._with_wallets = report.invariant("customers have wallets")

    def fold(self, events: Sequence[ProjectedEvent]) -> None:
        """Take in who is erased in a page of the log."""
        for recorded in events:
            try:
                event = decode_once(recorded.type, recorded.schema_version, recorded.data)
            except _UNREADABLE:
                continue  # The chain of the log says so.
            if isinstance(event, CustomerErased):
                self._erased_at[recorded.wallet.tenant_id, event.user_id] = recorded.position

    async def check(self, position: int) -> None:
        """Compare every customer's row, when the log has been read up to a position."""
        # The rows first: who is erased in between is then among those who were erased since.
        lacking: list[asyncpg.Record] = []
        tenant_id, customer_id = _BEFORE_ALL
        while rows := await self._connection.fetch(
            _PAGE_CUSTOMERS, tenant_id, customer_id, _ROWS_PAGE
        ):
            for row in rows:
                self._with_wallets.check(
                    bool(row["wallet_ids"]), f"{_named(row)}: nobody opened a wallet for them"
                )
                if any(opened > position for opened in row["positions"]):
                    continue  # The next run will have read all of this customer's wallets.
                is_known = self._is_known(row)
                if row["is_indexed"]:
                    self._forgotten.check(is_known, f"{_named(row)}: nobody is to be known by it")
                elif is_known:
                    lacking.append(row)
                if is_known and row["is_indexed"]:
                    self._found.hold()
            tenant_id, customer_id = rows[-1]["tenant_id"], rows[-1]["customer_id"]
        since = {tuple(row) for row in await self._connection.fetch(_READ_ERASED, position)}
        for row in lacking:
            if (row["tenant_id"], row["user_id"]) not in since:
                self._found.fail(f"{_named(row)}: it is enrolled, and has no identity index")

    def _is_known(self, row: asyncpg.Record) -> bool:
        """Whether the customer is enrolled by the log, and was not erased since."""
        tenant_id = str(row["tenant_id"])
        erased_at = self._erased_at.get((tenant_id, str(row["user_id"])), 0)
        for each, opened in zip(row["wallet_ids"], row["positions"], strict=True):
            state = self._states.get(StreamKey(tenant_id, wallet_id(each.hex)))
            view = None if state is None else state.view
            # Only an enrolment gives a tier; another one may only be raised from there.
            if opened > erased_at and view is not None and view.tier is not None:
                return True
        return False


def _named(row: asyncpg.Record) -> str:
    return f"{row['user_id']} of {row['tenant_id']}"
