"""Enrolment: a person becomes a customer, once in a tenant, however often it is asked for.

A key of a customer who then did not become one holds nothing: it is left where it is.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from msgspec import Struct

from ledger.command_handling.submission import Settled
from ledger.tenants import Environment
from schemas.commands import EnrollCustomer
from schemas.rejections import IdentityTaken, WalletExists
from schemas.results import WalletView
from schemas.tiers import Tier
from services.customers.banks import Banks
from services.customers.known_people import KnownPerson
from services.gateway.baas.amounts import CURRENCY
from services.gateway.baas.customers import Customers
from services.gateway.baas.failures import IDENTITY_DIFFERS, refusal_of_verification
from services.gateway.baas.history_reads import HistoryReads
from services.gateway.baas.sealed_people import SealedPeople
from services.gateway.calls import Call
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.problems import RefusedError
from services.identity.person import Identity
from services.identity.verifier import IdentityVerifier, Verification, VerifierUnavailableError
from services.vault.customer import Customer

Verifiers = Callable[[Environment], IdentityVerifier | None]
"""Who verifies people of an environment; None where nobody is set up for it."""

KeepBill = Callable[[Customer], Awaitable[str]]
"""Keeps the utility bill under the customer's key; the document's id."""


class Enrolled(Struct, frozen=True, kw_only=True):
    """The customer's wallet, as it was opened or as it stands, and how the ledger settled it."""

    wallet: WalletView
    settled: Settled
    is_new: bool


class Enrolment:
    """Makes customers of people. Nothing is written where a number is not the person's."""

    def __init__(
        self,
        *,
        settlement: Settlement,
        customers: Customers,
        histories: HistoryReads,
        people: SealedPeople,
        verifiers: Verifiers,
        banks: Banks,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._settlement = settlement
        self._customers = customers
        self._histories = histories
        self._people = people
        self._verifiers = verifiers
        self._banks = banks
        self._random_bytes = random_bytes

    async def enroll(
        self,
        call: Call,
        command_id: str | None,
        identity: Identity,
        tier: Tier,
        keep_bill: KeepBill | None = None,
    ) -> Enrolled | Settled:
        """The wallet, or how the ledger has declined it.

        Refuses with 422 what is not the person's, and details that differ from those known.
        """
        tenant_id = call.principal.tenant_id
        index = self._people.index_of(tenant_id, identity)
        user_id = await self._user(call, command_id, identity, tier, index)
        customer = Customer(tenant_id=tenant_id, user_id=user_id)
        bill = None if keep_bill is None else await keep_bill(customer)
        person = KnownPerson(identity=identity, utility_bill=bill)
        sealed = await self._people.seal(customer, person)
        command = EnrollCustomer(
            customer_id=user_id,
            currency=CURRENCY,
            tier=tier,
            identity=sealed.identity,
            identity_index=index.hex(),
            asked=sealed.asked,
            bank_code=self._banks.of(call.principal.environment).code,
        )
        settled = await self._settlement.hand_in(call, command, command_id)
        match settled.result.rejection:
            case None:
                assert settled.result.wallet is not None, "an enrolment leads to a wallet"
                is_new = not settled.replayed
                return Enrolled(wallet=settled.result.wallet, settled=settled, is_new=is_new)
            case WalletExists(wallet_id=wallet_id):
                wallet = await self._histories.newest_wallet(tenant_id, wallet_id)
                return Enrolled(wallet=wallet, settled=settled, is_new=False)
            case IdentityTaken(customer_id=owner):
                # Somebody else has enrolled the person while this call had it verified.
                wallet = await self._known(tenant_id, owner, identity)
                return Enrolled(wallet=wallet, settled=settled, is_new=False)
            case _:
                return settled

    async def _user(
        self, call: Call, command_id: str | None, identity: Identity, tier: Tier, index: bytes
    ) -> str:
        """Who the person is, or is to be. A call that is repeated is about the same one again."""
        tenant_id = call.principal.tenant_id
        if command_id is not None:
            decided = await self._customers.of_command(tenant_id, command_id)
            if decided is not None and decided.was_taken:
                return self._people.user_of(tenant_id, command_id)
            if decided is not None and decided.user_id is not None:
                await self._require_key(tenant_id, decided.user_id)
                return decided.user_id
        owner = await self._customers.of_identity(tenant_id, index)
        if owner is not None:
            await self._known(tenant_id, owner, identity)
            return owner
        await self.verify(call.principal.environment, identity, tier)
        if command_id is not None:
            return self._people.user_of(tenant_id, command_id)
        return str(UUID(bytes=self._random_bytes(16), version=4))

    async def verify(self, environment: Environment, identity: Identity, tier: Tier) -> None:
        """Ask whether BVN and NIN are the person's. Refuses with 422; 503 where nobody answers."""
        verification = await self._verifier(environment).verify_bvn(
            identity.bvn, identity, tier=tier
        )
        _refuse("bvn", verification)
        await self.verify_nin(environment, identity, tier)

    async def verify_nin(self, environment: Environment, identity: Identity, tier: Tier) -> None:
        """Ask about the NIN alone, if there is one."""
        if identity.nin is not None:
            verification = await self._verifier(environment).verify_nin(
                identity.nin, identity, tier=tier
            )
            _refuse("nin", verification)

    def _verifier(self, environment: Environment) -> IdentityVerifier:
        verifier = self._verifiers(environment)
        if verifier is None:
            message = f"nobody is set up to verify identities of {environment} tenants"
            raise VerifierUnavailableError(message)
        return verifier

    async def _known(self, tenant_id: str, user_id: str, identity: Identity) -> WalletView:
        """The wallet of a person who is a customer; 422 where the details are others."""
        wallet, sealed = await self._wallet_and_person(tenant_id, user_id)
        assert wallet is not None, "a customer who is known has a wallet"
        customer = Customer(tenant_id=tenant_id, user_id=user_id)
        if not await self._people.is_same(customer, sealed, identity):
            raise RefusedError(IDENTITY_DIFFERS, "is known with other details", param="bvn")
        return wallet

    async def _require_key(self, tenant_id: str, user_id: str) -> None:
        """503 where the key of who is known was lost: a new one would keep a restore from it."""
        _, sealed = await self._wallet_and_person(tenant_id, user_id)
        await self._people.unseal(Customer(tenant_id=tenant_id, user_id=user_id), sealed)

    async def _wallet_and_person(
        self, tenant_id: str, user_id: str
    ) -> tuple[WalletView | None, str | None]:
        """The customer's wallet, open or closed last, and the newest sealed person.

        They may be of two wallets: the other contract asks nobody who it is for.
        """
        newest: WalletView | None = None
        for wallet_id in await self._customers.wallets(tenant_id, user_id):
            view = await self._histories.newest_wallet(tenant_id, wallet_id)
            newest = newest or view
            if view.identity is not None:
                return newest, view.identity
        return newest, None


def _refuse(field: str, verification: Verification) -> None:
    refusal = refusal_of_verification(field, verification)
    if refusal is not None:
        raise refusal
