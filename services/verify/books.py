"""The books against the log: each event's entry, each block's subtotals, and what they come to.

An entry is compared where the journal has come so far with its wallet; sums, where it is
complete. What is expected is the write side's `postings`, not the projection's own rule.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from ledger.domain.postings import Posting, postings
from projections.interface import Connection, ProjectedEvent
from projections.trial_balance.projection import BLOCK_POSITIONS
from projections.trial_balance.read_model import list_accounts, list_accounts_as_of, read_reached
from schemas.events import UnknownEventError
from schemas.identifiers import StreamKey, hex_of
from services.runtime.sql import load_statement
from services.verify.checkpoints import Reached, read_folded
from services.verify.decoding import decode_once
from services.verify.report import Report
from services.verify.wallet_states import WalletStates

_READ_BOOKED = load_statement(__file__, "read_booked")
_READ_ENTRIES = load_statement(__file__, "read_entries")
_READ_SUBTOTALS = load_statement(__file__, "read_subtotals")
_READ_SUMS = load_statement(__file__, "read_sums")
_STATES_PAGE = 5000
_UNREADABLE = (UnknownEventError, msgspec.MsgspecError)


class AccountKey(NamedTuple):
    """An account of a tenant in one currency."""

    tenant_id: str
    account: str
    currency: str


class Sums(NamedTuple):
    """What was booked on an account."""

    debits: int = 0
    credits: int = 0
    entry_count: int = 0

    def plus(self, amount: int) -> "Sums":
        """With one posting more; a debit is above zero."""
        return Sums(
            self.debits + max(amount, 0), self.credits + max(-amount, 0), self.entry_count + 1
        )


Totals = defaultdict[AccountKey, Sums]


class Books:
    """Checks `journal_entries`, `account_subtotals` and `accounts`."""

    def __init__(self, connection: Connection, states: WalletStates, report: Report) -> None:
        self._connection = connection
        self._states = states
        self._entries = report.invariant("each movement is one balanced entry of the journal")
        self._subtotals = report.invariant("subtotals equal the fold of the log")
        self._accounts = report.invariant("accounts equal the fold of the log")
        self._zero = report.invariant("the trial balance is zero, by currency")
        self._wallets = report.invariant("the wallets' account equals the wallets")
        self._only_log = report.invariant("the journal is complete no further than the log")
        self._complete_to = 0
        self._folded: Reached
        self._block = 0
        self._in_block: Totals = defaultdict(Sums)
        self._totals: Totals = defaultdict(Sums)

    async def begin(self) -> None:
        """Before the log is read, so that it has all that the journal has by then."""
        self._folded = await read_folded(self._connection, "trial_balance")
        reached = await read_reached(self._connection)
        self._only_log.check(
            reached.position <= reached.head,
            f"complete up to {reached.position}, and the log ends at {reached.head}",
        )
        self._complete_to = reached.position

    async def check(self, events: Sequence[ProjectedEvent]) -> None:
        """Compare a page of events with their entries, and each block of them with its sums."""
        if not events:
            return
        booked, found = await self._booked(events)
        for event in events:
            if event.position // BLOCK_POSITIONS > self._block:
                await self._end_block(event.position // BLOCK_POSITIONS)
            try:
                expected = postings(decode_once(event.type, event.schema_version, event.data))
            except _UNREADABLE as error:
                self._entries.fail(str(error))
                continue
            tenant_id = event.wallet.tenant_id
            rows = found.get((tenant_id, event.position), ())
            self._check_entry(event, expected, rows, booked.get(event.wallet, 0))
            if event.position <= self._complete_to:
                for leg in expected:
                    key = AccountKey(tenant_id, leg.account, leg.currency)
                    self._in_block[key] = self._in_block[key].plus(leg.amount)

    async def finish(self, position: int) -> None:
        """Compare what all of it comes to, when the log has been read up to a position."""
        block = self._block
        await self._end_block(block + 1)
        as_of = {
            AccountKey(each.tenant_id, each.account, each.currency): Sums(
                each.debits, each.credits, each.entry_count
            )
            for each in await list_accounts_as_of(self._connection, self._complete_to)
        }
        for key in sorted(as_of.keys() | self._totals.keys()):
            self._accounts.check(
                as_of.get(key) == self._totals.get(key),
                f"{key}: {as_of.get(key)}, the log says {self._totals.get(key)}",
            )
        for row in await self._connection.fetch(_READ_SUMS, block):
            what = f"{row['shown']}: its subtotals add up to {row['added_up']}"
            self._accounts.check(row["is_sum"], what)
            self._subtotals.check(
                row["is_booked"], f"{row['shown']}: from block {block} on they are not its entries"
            )
        await self._check_zero()
        await self._check_wallets(position)

    async def _booked(
        self, events: Sequence[ProjectedEvent]
    ) -> tuple[dict[StreamKey, int], dict[tuple[str, int], list[Posting]]]:
        """How far a page's wallets are booked, and its legs by tenant and position."""
        wallets = list({event.wallet for event in events})
        tenants = {UUID(tenant_id): tenant_id for tenant_id in {each.tenant_id for each in wallets}}
        # The progress first: the entries that are read after it are at least as many.
        progress = await self._connection.fetch(
            _READ_BOOKED,
            [wallet.tenant_id for wallet in wallets],
            [hex_of(wallet.stream_id) for wallet in wallets],
        )
        rows = await self._connection.fetch(
            _READ_ENTRIES, list(tenants), events[0].position, events[-1].position
        )
        found: defaultdict[tuple[str, int], list[Posting]] = defaultdict(list)
        for tenant_id, position, debited, credited, currency, amount in rows:
            found[tenants[tenant_id], position] += (
                Posting(account=debited, amount=amount, currency=currency),
                Posting(account=credited, amount=-amount, currency=currency),
            )
        return {wallets[row["place"] - 1]: row["version"] for row in progress}, found

    def _check_entry(
        self,
        event: ProjectedEvent,
        expected: Sequence[Posting],
        found: Sequence[Posting],
        booked_to: int,
    ) -> None:
        """Compare one event's legs, the debited one first as the write side has them."""
        if booked_to < event.version:
            # What neither the journal nor its projector's checkpoint says is booked may be to come.
            if event.position <= max(self._complete_to, self._folded.position_of(event.wallet)):
                self._entries.fail(f"{_named(event)}: not booked, though the journal says so")
        elif list(expected) != list(found) or sum(leg.amount for leg in expected) != 0:
            self._entries.fail(f"{_named(event)}: {found}, the log says {expected}")
        elif expected:
            self._entries.hold()

    async def _end_block(self, next_block: int) -> None:
        """Compare the block's subtotals, if the journal is complete to its end; go on."""
        if (self._block + 1) * BLOCK_POSITIONS - 1 <= self._complete_to:
            await self._check_block()
        for key, sums in self._in_block.items():
            before = self._totals[key]
            self._totals[key] = Sums(*(a + b for a, b in zip(before, sums, strict=True)))
        self._in_block.clear()
        self._block = next_block

    async def _check_block(self) -> None:
        found: dict[AccountKey, tuple[Sums, Sums]] = {}
        for row in await self._connection.fetch(_READ_SUBTOTALS, self._block):
            shown = Sums(int(row["debits"] or 0), int(row["credits"] or 0), row["entry_count"] or 0)
            booked = Sums(int(row["debited"]), int(row["credited"]), row["found_count"])
            key = AccountKey(str(row["tenant_id"]), row["account"], row["currency"])
            found[key] = (shown, booked)
        for key in sorted(found.keys() | self._in_block.keys()):
            expected = self._in_block.get(key, Sums())
            shown, booked = found.get(key, (Sums(), Sums()))
            self._subtotals.check(
                shown == booked == expected,
                f"{key}, block {self._block}: {shown}, its entries {booked}, "
                f"the log says {expected}",
            )

    async def _check_zero(self) -> None:
        differences: defaultdict[tuple[str, str], int] = defaultdict(int)
        for account in await list_accounts(self._connection):
            differences[account.tenant_id, account.currency] += account.balance
        for (tenant_id, currency), difference in sorted(differences.items()):
            self._zero.check(difference == 0, f"{currency} of {tenant_id}: {difference}")

    async def _check_wallets(self, position: int) -> None:
        """The sub-ledger: what the wallets hold is what their account says is owed."""
        reached = await read_reached(self._connection)
        if reached.position < position:
            self._wallets.skipped = f"the journal is complete up to {reached.position} only"
            return
        owed = {
            (each.tenant_id, each.currency): -each.balance
            for each in await list_accounts_as_of(self._connection, position)
            if each.account == "customer_wallet"
        }
        held: defaultdict[tuple[str, str], int] = defaultdict(int)
        for page in self._states.pages(_STATES_PAGE):
            for wallet, state in page:
                if state.view is None:
                    self._wallets.skipped = "an event contradicts its wallet"
                    return
                held[wallet.tenant_id, state.view.currency] += state.view.balance
        for key in sorted(owed.keys() | held.keys()):
            self._wallets.check(
                owed.get(key, 0) == held[key], f"{key}: {owed.get(key)}, they hold {held[key]}"
            )


def _named(event: ProjectedEvent) -> str:
    return f"{event.wallet.stream_id} at position {event.position}"
