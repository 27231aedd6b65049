"""The calls of the BaaS API that look at transactions."""

from collections.abc import Sequence
from typing import Final

from projections.balances.topups import TOPUPS
from schemas.events import (
    CreditReversed,
    DebitReversed,
    HoldPlaced,
    TopupCreated,
    TransferSent,
)
from schemas.http.baas_wallets import Transaction
from schemas.identifiers import StreamKey
from schemas.results import TransactionView
from services.gateway.answers import Answer
from services.gateway.baas.amounts import CURRENCY
from services.gateway.baas.customers import Customers
from services.gateway.baas.envelopes import (
    Message,
    customer_transaction_answer,
    customer_transactions_answer,
    transaction_answer,
)
from services.gateway.baas.failures import INVALID_REFERENCE
from services.gateway.baas.history_reads import HistoryReads
from services.gateway.baas.identifiers import canonical_uuid
from services.gateway.baas.paging import Page, page_asked
from services.gateway.baas.recorded import Log, Recorded
from services.gateway.baas.references import reference_of
from services.gateway.baas.rendering import render_topup, render_transaction
from services.gateway.baas.wallet_queries import unknown_customer
from services.gateway.calls import Call, invalid_parameter
from services.gateway.problems import RefusedError
from services.gateway.reads import Reads

CUSTOMER_SEGMENT = "customer"
MAX_SKIPPED: Final = 10_000
"""What a page skips is read, so there is an end to it. A page behind the end reads nothing."""
_BEHIND_ALL: Final = 2**62


class TransactionQueries:
    """Handlers; each finds what is asked for, by its reference or by whose it is."""

    def __init__(
        self, log: Log, reads: Reads, histories: HistoryReads, customers: Customers
    ) -> None:
        self._log = log
        self._reads = reads
        self._histories = histories
        self._customers = customers

    async def by_reference(self, call: Call) -> Answer:
        """`GET /transactions/:reference`: 200 and the transaction; of a transfer, the way in."""
        # `customer` alone is a reference, too, although longer paths begin with it.
        segment = call.parameters[0] if call.parameters else CUSTOMER_SEGMENT
        reference = reference_of(segment)
        if reference is None:
            raise RefusedError(INVALID_REFERENCE, "is malformed", param="reference")
        found = await self._transaction(call, reference, None)
        return transaction_answer(200, Message.TRANSACTIONS_FETCHED, found)

    async def of_customer(self, call: Call) -> Answer:
        """`GET /transactions/customer/:customer_id`: 200 and a page, newest first."""
        page = page_asked(call)
        user_id, wallet_ids = await self._customer(call)
        is_deep = page.offset > MAX_SKIPPED
        reading = await self._histories.of_wallets(
            call.principal.tenant_id,
            wallet_ids,
            limit=page.limit,
            offset=_BEHIND_ALL if is_deep else page.offset,
            eventual=call.eventual,
        )
        if is_deep and page.offset < reading.total_lines:
            raise _too_deep(page)
        shown = [render_transaction(view, call.principal, user_id) for view in reading.transactions]
        return customer_transactions_answer(shown, page, reading.total_lines)

    async def of_customer_by_reference(self, call: Call) -> Answer:
        """`GET /transactions/customer/:customer_id/:reference`: 200 and the customer's own."""
        reference = reference_of(call.parameters[1])
        _, wallet_ids = await self._customer(call)
        if reference is None:
            raise _unknown_transaction()
        return customer_transaction_answer(await self._transaction(call, reference, wallet_ids))

    async def _customer(self, call: Call) -> tuple[str, list[str]]:
        """The customer whom the path names, and the wallets."""
        user_id = canonical_uuid(call.parameters[0])
        if user_id is None:
            raise unknown_customer()
        wallet_ids = await self._customers.wallets(call.principal.tenant_id, user_id)
        if not wallet_ids:
            raise unknown_customer()
        return user_id, wallet_ids

    async def _transaction(
        self, call: Call, reference: str, wallet_ids: Sequence[str] | None
    ) -> Transaction:
        """The completed one, or what is waited for, or the latest that failed; of these wallets."""
        tenant_id = call.principal.tenant_id
        named = await self._log.named(tenant_id, reference)
        if named is not None and isinstance(named.event, TopupCreated):
            topup = await self._topup(call, named, named.event, wallet_ids)
            if topup is not None:
                return topup
        view = None if named is None else await self._completed(call, named, wallet_ids)
        if view is None:
            view = await self._log.declined(tenant_id, reference, wallet_ids)
        if view is None:
            raise _unknown_transaction()
        return await self._shown(call, view)

    async def _completed(
        self, call: Call, named: Recorded, wallet_ids: Sequence[str] | None
    ) -> TransactionView | None:
        tenant_id = call.principal.tenant_id
        event = named.event
        if isinstance(event, TransferSent) and (
            wallet_ids is None or event.to_wallet_id in wallet_ids
        ):
            return await self._log.transaction(tenant_id, event.received_transaction_id)
        wallet = named.source.wallet
        if wallet_ids is not None and wallet.stream_id not in wallet_ids:
            if not isinstance(event, DebitReversed | CreditReversed):
                return None
            # A transfer is undone in both wallets, and the reference leads to the first of them.
            leg = await self._log.other_leg(tenant_id, event)
            is_own = leg is not None and leg.source.wallet.stream_id in wallet_ids
            return leg.transaction if leg is not None and is_own else None
        if isinstance(event, HoldPlaced):
            if event.currency != CURRENCY:
                return None
            return await self._histories.capture(
                wallet, event.hold_id, event.reference, eventual=call.eventual
            )
        return named.transaction

    async def _topup(
        self,
        call: Call,
        named: Recorded,
        created: TopupCreated,
        wallet_ids: Sequence[str] | None,
    ) -> Transaction | None:
        """A top-up by its own state: paid, or waited for, or over."""
        tenant_id = call.principal.tenant_id
        wallet: StreamKey = named.source.wallet
        if created.currency != CURRENCY or (
            wallet_ids is not None and wallet.stream_id not in wallet_ids
        ):
            return None
        reading = await self._reads.part(
            TOPUPS, tenant_id, created.topup_id, eventual=call.eventual
        )
        topup = None if reading is None else reading.view
        if topup is None:
            return None
        if topup.transaction_id is not None:
            view = await self._log.transaction(tenant_id, topup.transaction_id)
            return None if view is None else await self._shown(call, view)
        now = await self._reads.wallet(tenant_id, wallet.stream_id, eventual=call.eventual)
        assert now is not None, "a wallet is never removed"
        return render_topup(topup, now.view, call.principal, now.view.user_id)

    async def _shown(self, call: Call, view: TransactionView) -> Transaction:
        owners = await self._customers.owners(call.principal.tenant_id, [view.wallet_id])
        return render_transaction(view, call.principal, owners[view.wallet_id])


def _too_deep(page: Page) -> RefusedError:
    last = MAX_SKIPPED // page.limit + 1
    return invalid_parameter(
        "page",
        f"must be an integer from 1 to {last}, so that at most {MAX_SKIPPED} transactions are "
        "skipped; GET /v1/wallets/:id/transactions goes on by a cursor, however many there are",
    )


def _unknown_transaction() -> RefusedError:
    return RefusedError("transaction_not_found", "there is no such transaction")
