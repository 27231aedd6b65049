"""People as the log has them: sealed under a key of their own, and shown to nobody else."""

from collections.abc import Mapping, Sequence
from hmac import compare_digest
from uuid import UUID

import msgspec

from schemas.results import WalletView
from services.customers.known_people import KnownPerson, seal_person, unseal_person
from services.gateway.baas.vault_door import VaultDoor
from services.gateway.problems import RefusedError
from services.identity.person import Identity
from services.vault.customer import Customer
from services.vault.sealing import DataKey, fingerprint
from services.vault.vault import Vault


class SealedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What a command may say of a person: sealed text, and a digest of what was asked."""

    identity: str
    asked: str


class SealedPeople:
    """Seals and unseals. Raises `RefusedError` while the vault is away, `CustomerErasedError`."""

    def __init__(self, door: VaultDoor) -> None:
        self._door = door

    def index_of(self, tenant_id: str, identity: Identity) -> bytes:
        """The blind index that one person has in a tenant, by the BVN."""
        return self._door.index_of(tenant_id, "bvn", identity.bvn)

    def user_of(self, tenant_id: str, command_id: str) -> str:
        """The UUID of whom a command of this id is to enrol: the same one again, if repeated."""
        digest = self._door.index_of(tenant_id, "customer", command_id)
        return str(UUID(bytes=digest[:16], version=4))

    async def seal(
        self, customer: Customer, person: KnownPerson, asked: bytes | None = None
    ) -> SealedPerson:
        """Seal a person under the customer's key, which is made if there is none.

        `asked` is what the call asked for, if that is less than the person.
        """

        async def work(vault: Vault) -> SealedPerson:
            key = await vault.obtain_key(customer)
            content = person.identity.canonical_bytes() if asked is None else asked
            return SealedPerson(
                identity=seal_person(key, vault.nonce(), customer, person),
                asked=fingerprint(key, content).hex(),
            )

        return await self._door.use(work)

    async def unseal(self, customer: Customer, sealed: str | None) -> KnownPerson | None:
        """The person; None where nobody was ever sealed. Raises `CustomerErasedError`."""
        key = await self._door.use(lambda vault: vault.find_key(customer))
        if key is None or sealed is None:
            return None
        return unseal_person(key, customer, sealed)

    async def is_same(self, customer: Customer, sealed: str | None, asked: Identity) -> bool:
        """Whether these are the customer's details, as far as they are asked for."""
        known = await self.unseal(customer, sealed)
        if known is None:
            return False
        # What the call does not ask for may have been said by another.
        unasked = {
            name: None for name, value in msgspec.structs.asdict(asked).items() if value is None
        }
        compared = msgspec.structs.replace(known.identity, **unasked)
        return compare_digest(compared.canonical_bytes(), asked.canonical_bytes())

    async def account_names(self, tenant_id: str, views: Sequence[WalletView]) -> list[str | None]:
        """A name for each wallet, in order; None where nobody knows it, or it was erased."""
        customers = {
            view.id: Customer(tenant_id=tenant_id, user_id=view.user_id)
            for view in views
            if view.identity is not None and not view.is_erased
        }
        if not customers:
            return [None] * len(views)
        try:
            keys = await self._door.use(lambda vault: vault.find_keys(customers.values()))
        except RefusedError:
            # A wallet is shown without its customer's name rather than not at all.
            return [None] * len(views)
        return [_name(view, customers.get(view.id), keys) for view in views]


def _name(
    view: WalletView, customer: Customer | None, keys: Mapping[Customer, DataKey]
) -> str | None:
    if customer is None or customer not in keys or view.identity is None:
        return None
    return unseal_person(keys[customer], customer, view.identity).identity.account_name()
