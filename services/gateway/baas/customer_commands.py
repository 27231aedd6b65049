"""The calls of contract B that make customers of people: tier one and two."""

from collections.abc import Callable
from datetime import date

from ledger.command_handling.submission import Settled
from schemas.tiers import Tier
from services.customers.banks import Banks
from services.gateway.answers import Answer
from services.gateway.baas.enrolment import Enrolment
from services.gateway.baas.envelopes import Message, wallet_answer
from services.gateway.baas.failures import failure_of_rejection
from services.gateway.baas.field_reader import Members
from services.gateway.baas.kyc_fields import Rules, read_tier_one, read_tier_two
from services.gateway.baas.members import members_of
from services.gateway.baas.money_bodies import CURRENCY
from services.gateway.baas.rendering import render_wallet
from services.gateway.calls import Call
from services.gateway.credit_wallets.settlement import headers_of
from services.gateway.requests import idempotency_key, read_body
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
        body = await read_body(call.request)
        identity = read(members_of(body), rules_of(call, self._today))
        enrolled = await self._enrolment.enroll(call, command_id, identity, tier)
        if isinstance(enrolled, Settled):
            return declined(enrolled)
        wallet = render_wallet(
            enrolled.wallet,
            call.principal,
            self._banks.of(call.principal.environment),
            identity.account_name(),
        )
        answer = wallet_answer(201, Message.CUSTOMER_WALLET_CREATED, wallet)
        answer.headers_bytes += headers_of(enrolled.settled)
        return answer


def rules_of(call: Call, today: Today) -> Rules:
    """What reading a person depends on."""
    return Rules(sandbox=call.principal.environment == "sandbox", today=today())


def declined(settled: Settled) -> Answer:
    """The failure of a command that the ledger has declined."""
    assert settled.result.rejection is not None, "it was declined"
    return failure_of_rejection(settled.result.rejection, CURRENCY, headers_of(settled))
