"""The calls of the BaaS API that look at wallets."""

from schemas.results import WalletView
from services.customers.banks import Banks
from services.gateway.answers import Answer
from services.gateway.baas.customers import Customers
from services.gateway.baas.envelopes import Message, wallet_answer, wallets_answer
from services.gateway.baas.failures import CUSTOMER_UNKNOWN
from services.gateway.baas.history_reads import HistoryReads
from services.gateway.baas.identifiers import canonical_uuid
from services.gateway.baas.paging import page_asked
from services.gateway.baas.rendering import render_wallet
from services.gateway.baas.sealed_people import SealedPeople
from services.gateway.calls import Call
from services.gateway.problems import RefusedError
from services.gateway.reads import Reads


class WalletQueries:
    """Handlers; each asks the read model and renders what it says."""

    def __init__(
        self,
        reads: Reads,
        histories: HistoryReads,
        customers: Customers,
        people: SealedPeople,
        banks: Banks,
    ) -> None:
        self._reads = reads
        self._histories = histories
        self._customers = customers
        self._people = people
        self._banks = banks

    async def wallet(self, call: Call) -> Answer:
        """`GET /wallets/:customer_id`: 200 and the customer's wallet, open or closed last."""
        user_id = canonical_uuid(call.parameters[0])
        if user_id is None:
            raise RefusedError("invalid_parameter", "must be a UUID", param="customer_id")
        tenant_id = call.principal.tenant_id
        wallet_ids = await self._customers.wallets(tenant_id, user_id)
        if not wallet_ids:
            raise unknown_customer()
        found = await self._reads.wallet(tenant_id, wallet_ids[0], eventual=call.eventual)
        assert found is not None, "a wallet is never removed"
        return await self.shown(call, 200, Message.WALLET_FETCHED, found.view)

    async def wallets(self, call: Call) -> Answer:
        """`GET /wallets`: 200 and a page, the newest wallet first."""
        page = page_asked(call)
        tenant_id = call.principal.tenant_id
        listed = await self._customers.list_wallets(tenant_id, page.limit, page.offset)
        views = await self._histories.shown_wallets(tenant_id, listed.wallet_ids)
        names = await self._people.account_names(tenant_id, views)
        bank = self._banks.of(call.principal.environment)
        wallets = [
            render_wallet(view, call.principal, bank, name)
            for view, name in zip(views, names, strict=True)
        ]
        return wallets_answer(wallets, page, listed.total_items)

    async def shown(self, call: Call, status: int, message: Message, view: WalletView) -> Answer:
        """A wallet as the answer of a call."""
        (name,) = await self._people.account_names(call.principal.tenant_id, [view])
        bank = self._banks.of(call.principal.environment)
        return wallet_answer(status, message, render_wallet(view, call.principal, bank, name))


def unknown_customer() -> RefusedError:
    """The 404 for a customer whom the tenant does not have."""
    return RefusedError(CUSTOMER_UNKNOWN, "there is no such customer")
