"""The BaaS API's calls about tier three: a form with a utility bill, and the review's state."""

from msgspec.structs import replace

from ledger.command_handling.errors import OutcomeUnknownError
from schemas.http.baas_wallets import ReviewStatus
from schemas.identity import Review
from services.customers.banks import Banks
from services.gateway.answers import Answer
from services.gateway.baas.customer_commands import Today, enrolment_answer, rules_of
from services.gateway.baas.enrolment import Enrolled, Enrolment
from services.gateway.baas.envelopes import Message, wallet_answer
from services.gateway.baas.identifiers import canonical_uuid, wallet_of
from services.gateway.baas.kyc_fields import read_tier_three
from services.gateway.baas.multipart import read_form
from services.gateway.baas.rendering import render_wallet
from services.gateway.baas.sealed_people import SealedPeople
from services.gateway.baas.utility_bills import SpooledFile, UtilityBills, not_kept
from services.gateway.calls import Call
from services.gateway.problems import RefusedError
from services.gateway.reads import Reads
from services.gateway.requests import idempotency_key
from services.vault.customer import Customer

_STATES: dict[Review, ReviewStatus] = {
    "pending": "PENDING",
    "approved": "APPROVED",
    "rejected": "REJECTED",
}


class TierThree:
    """Handlers."""

    def __init__(
        self,
        *,
        enrolment: Enrolment,
        bills: UtilityBills,
        reads: Reads,
        people: SealedPeople,
        banks: Banks,
        today: Today,
    ) -> None:
        self._enrolment = enrolment
        self._bills = bills
        self._reads = reads
        self._people = people
        self._banks = banks
        self._today = today

    async def create(self, call: Call) -> Answer:
        """`POST /wallets/tier-3`: 201 and the wallet, which waits for its review."""
        try:
            async with self._bills.spool() as file:
                return await self._create(call, file)
        except OSError as error:
            raise not_kept(error) from error

    async def _create(self, call: Call, file: SpooledFile) -> Answer:
        command_id = idempotency_key(call.request)
        form = await read_form(call.request, file.take)
        await call.check_again()
        await file.finish()
        identity = read_tier_three(form.fields, rules_of(call, self._today))
        await self._bills.check(file, form.file_content_type)
        kept: list[str] = []

        async def keep(customer: Customer) -> str:
            kept.append(await self._bills.keep(customer, file, form.file_content_type))
            return kept[0]

        try:
            enrolled = await self._enrolment.enroll(call, command_id, identity, "TIER_THREE", keep)
        except OutcomeUnknownError:
            # It may have been written, and then its event names the file.
            raise
        except Exception:
            await self._remove(kept)
            raise
        if not (isinstance(enrolled, Enrolled) and enrolled.is_new):
            # Nothing names this file: the wallet was there before, or is not there at all.
            await self._remove(kept)
        bank = self._banks.of(call.principal.environment)
        return enrolment_answer(call, enrolled, Message.WALLET_CREATED, identity, bank)

    async def _remove(self, documents: list[str]) -> None:
        for document_id in documents:
            await self._bills.remove(document_id)

    async def review(self, call: Call) -> Answer:
        """`GET /wallets/tier-3?reference=:wallet_id`: 200 and the wallet, with its review."""
        (reference,) = call.query("reference")
        uuid = None if reference is None else canonical_uuid(reference)
        if uuid is None:
            raise RefusedError(
                "invalid_parameter", "must be the UUID of a wallet", param="reference"
            )
        tenant_id = call.principal.tenant_id
        found = await self._reads.wallet(tenant_id, wallet_of(uuid), eventual=call.eventual)
        if found is None or found.view.review is None:
            raise RefusedError("wallet_not_found", "there is no such wallet at tier three")
        (name,) = await self._people.account_names(tenant_id, [found.view])
        bank = self._banks.of(call.principal.environment)
        wallet = render_wallet(found.view, call.principal, bank, name)
        reviewed = replace(wallet, review_status=_STATES[found.view.review])
        return wallet_answer(200, Message.WALLET_FETCHED, reviewed)
