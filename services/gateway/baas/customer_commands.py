"""The calls of the BaaS API that make customers of people: tier one and two."""

from collections.abc import Callable
from datetime import date

from ledger.command_handling.submission import Settled
from schemas.tiers import Tier
from services.customers.banks import Bank, Banks
from services.gateway.answers import Answer
from services.gateway.baas.enrolment import Enrolled, Enrolment
from services.gateway.baas.envelopes import Message, wallet_answer
from services.gateway.baas.failures import failure_of_declined
from services.gateway.baas.field_reader import Members
from services.gateway.baas.kyc_fields import Rules, read_tier_one, read_tier_two
from services.gateway.baas.rendering import render_wallet
from services.gateway.calls import Call
from services.gateway.credit_wallets.settlement import headers_of
from services.gateway.json_objects import members_of
from services.gateway.requests import idempotency_key
from services.identity.person import Identity

Today = Callable[[], date]


class CustomerCommands:
    """Handlers; each reads a person, has the person verified, and enrols a customer."""

    def __init__(self, enrolment: Enrolment, banks: Banks, today: Today) -> None:
        self._enrolment = enrolment
        self._banks = banks
        self._today = today

    async def create(self, call: Call) -> Answer:
        """`POST /wallets`: 201 and the wallet, at tier one."""
        return await self._enroll(call, read_tier_one, "TIER_ONE")

    async def create_at_tier_two(self, call: Call) -> Answer:
        """`POST /wallets/tier-2`: 201 and the wallet, at tier two."""
        return await self._enroll(call, read_tier_two, "TIER_TWO")

    async def _enroll(
        self, call: Call, read: Callable[[Members, Rules], Identity], tier: Tier
    ) -> Answer:
        command_id = idempotency_key(call.request)
        body = await call.body()
        identity = read(members_of(body), rules_of(call, self._today))
        enrolled = await self._enrolment.enroll(call, command_id, identity, tier)
        bank = self._banks.of(call.principal.environment)
        return enrolment_answer(call, enrolled, Message.CUSTOMER_WALLET_CREATED, identity, bank)


def rules_of(call: Call, today: Today) -> Rules:
    """What reading a person depends on."""
    return Rules(sandbox=call.principal.environment == "sandbox", today=today())


def enrolment_answer(
    call: Call, enrolled: Enrolled | Settled, message: Message, identity: Identity, bank: Bank
) -> Answer:
    """The answer to a call that enrolled a person: 201 and the wallet, or the failure."""
    if isinstance(enrolled, Settled):
        return failure_of_declined(enrolled)
    wallet = render_wallet(enrolled.wallet, call.principal, bank, identity.account_name())
    answer = wallet_answer(201, message, wallet)
    answer.headers_bytes += headers_of(enrolled.settled)
    return answer
