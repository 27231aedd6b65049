"""People as the log has them: sealed under a key of their own, and shown to nobody else."""

from collections.abc import Collection, Mapping, Sequence
from hmac import compare_digest
from uuid import UUID

import msgspec
import structlog

from schemas.results import WalletView
from services.customers.known_people import KnownPerson, seal_person, unseal_person
from services.gateway.baas.failures import VAULT_UNAVAILABLE
from services.gateway.baas.vault_door import VaultDoor
from services.gateway.problems import RefusedError
from services.identity.person import Identity
from services.vault.customer import Customer
from services.vault.errors import CustomerErasedError, SealBrokenError
from services.vault.sealing import DataKey, fingerprint
from services.vault.vault import Vault

_log = structlog.get_logger(__name__)


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

        try:
            return await self._door.use(work)
        except SealBrokenError as error:
            raise _refused(customer, str(error)) from None

    async def unseal(self, customer: Customer, sealed: str | None) -> KnownPerson | None:
        """The person; None where nobody was ever sealed. Raises `CustomerErasedError`."""
        if sealed is not None:
            _, person = await self.unseal_with_key(customer, sealed)
            return person
        await self._find_key(customer)
        return None

    async def unseal_with_key(self, customer: Customer, sealed: str) -> tuple[DataKey, KnownPerson]:
        """The person, and the key of what else is sealed of them. Raises as `unseal` does."""
        key = await self._find_key(customer)
        if key is None:
            # The key store is from before the customer: what is sealed opens after its restore.
            raise _refused(customer, "the key is missing")
        try:
            return key, unseal_person(key, customer, sealed)
        except SealBrokenError as error:
            raise _refused(customer, str(error)) from None

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
            keys = await self._keys_of(customers.values())
        except RefusedError:
            # A wallet is shown without its customer's name rather than not at all.
            return [None] * len(views)
        return [_name(view, customers.get(view.id), keys) for view in views]

    async def _find_key(self, customer: Customer) -> DataKey | None:
        try:
            return await self._door.use(lambda vault: vault.find_key(customer))
        except SealBrokenError as error:
            raise _refused(customer, str(error)) from None

    async def _keys_of(self, customers: Collection[Customer]) -> Mapping[Customer, DataKey]:
        """The keys that open: one that does not must not hide the others."""
        try:
            return await self._door.use(lambda vault: vault.find_keys(customers))
        except SealBrokenError:
            found = [(each, await self._key_of(each)) for each in customers]
        return {customer: key for customer, key in found if key is not None}

    async def _key_of(self, customer: Customer) -> DataKey | None:
        try:
            return await self._door.use(lambda vault: vault.find_key(customer))
        except SealBrokenError as error:
            _unreadable(customer, str(error))
        except CustomerErasedError:
            pass
        return None


def _name(
    view: WalletView, customer: Customer | None, keys: Mapping[Customer, DataKey]
) -> str | None:
    if customer is None or customer not in keys or view.identity is None:
        return None
    try:
        return unseal_person(keys[customer], customer, view.identity).identity.account_name()
    except SealBrokenError as error:
        _unreadable(customer, str(error))
        return None


def _refused(customer: Customer, reason: str) -> RefusedError:
    """The 503 of a call that cannot do without the person."""
    _unreadable(customer, reason)
    return RefusedError(
        VAULT_UNAVAILABLE, "the customer's key is missing or another; who runs this ledger was told"
    )


def _unreadable(customer: Customer, reason: str) -> None:
    """Tell who runs this; errors of seals say nothing of a person."""
    _log.error(
        "customer_unreadable",
        tenant_id=customer.tenant_id,
        user_id=customer.user_id,
        reason=reason,
    )
