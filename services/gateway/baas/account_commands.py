"""The calls of the BaaS API that name an account: freeze, unfreeze, and a higher tier."""

from collections.abc import Callable

from msgspec.structs import replace

from ledger.command_handling.submission import Settled
from schemas.commands import Command, FreezeWallet, RaiseTier, UnfreezeWallet
from schemas.rejections import WalletUnknown
from schemas.results import WalletView
from services.customers.known_people import KnownPerson
from services.gateway.answers import Answer
from services.gateway.baas.customers import Account, Customers
from services.gateway.baas.enrolment import Enrolment
from services.gateway.baas.envelopes import Message
from services.gateway.baas.failures import ACCOUNT_UNKNOWN, failure_of_declined
from services.gateway.baas.history_reads import HistoryReads
from services.gateway.baas.identifiers import NO_WALLET
from services.gateway.baas.kyc_fields import FreezeWish, read_freeze, read_upgrade
from services.gateway.baas.sealed_people import SealedPeople
from services.gateway.baas.wallet_queries import WalletQueries
from services.gateway.calls import Call
from services.gateway.credit_wallets.settlement import Settlement, headers_of
from services.gateway.json_objects import members_of
from services.gateway.problems import (
    ReadModelBehindError,
    ReadsUnavailableError,
    RefusedError,
)
from services.gateway.requests import idempotency_key
from services.vault.customer import Customer


class AccountCommands:
    """Handlers; each finds the account, hands in a command and shows the wallet."""

    def __init__(
        self,
        *,
        settlement: Settlement,
        customers: Customers,
        histories: HistoryReads,
        people: SealedPeople,
        enrolment: Enrolment,
        wallets: WalletQueries,
    ) -> None:
        self._settlement = settlement
        self._customers = customers
        self._histories = histories
        self._people = people
        self._enrolment = enrolment
        self._wallets = wallets

    async def freeze(self, call: Call) -> Answer:
        """`POST /wallets/freeze`: 200 and the wallet, from which no money goes any more."""
        return await self._change(call, Message.WALLET_FROZEN, _freeze)

    async def unfreeze(self, call: Call) -> Answer:
        """`POST /wallets/unfreeze`: 200 and the wallet."""
        return await self._change(call, Message.WALLET_UNFROZEN, _unfreeze)

    async def _change(
        self, call: Call, message: Message, command_of: Callable[[str, FreezeWish], Command]
    ) -> Answer:
        command_id = idempotency_key(call.request)
        wish = read_freeze(members_of(await call.body()))
        account = await self._account(call, wish.account_number)
        wallet_id = NO_WALLET if account is None else account.wallet_id
        # Before: what is asked after a commit may fail, and then would deny what was done.
        identity = None if account is None else await self._identity(call, account)
        settled = await self._settlement.hand_in(call, command_of(wallet_id, wish), command_id)
        if account is None:
            return _refused(settled)
        if settled.result.rejection is not None:
            return failure_of_declined(settled)
        return await self._shown(call, 200, message, settled, identity)

    async def _identity(self, call: Call, account: Account) -> str | None:
        """Who the customer is; None where that cannot be read: a wallet is frozen all the same."""
        try:
            wallet = await self._histories.newest_wallet(
                call.principal.tenant_id, account.wallet_id
            )
        except (ReadModelBehindError, ReadsUnavailableError):
            return None
        return wallet.identity

    async def upgrade(self, call: Call) -> Answer:
        """`POST /wallets/upgrade-tier-2`: 201 and the wallet, whose customer is known better."""
        command_id = idempotency_key(call.request)
        wish = read_upgrade(members_of(await call.body()))
        tenant_id = call.principal.tenant_id
        account = await self._account(call, wish.account_number)
        if account is None:
            raise _unknown_account()
        view = await self._histories.newest_wallet(tenant_id, account.wallet_id)
        customer = Customer(tenant_id=tenant_id, user_id=account.user_id)
        known = await self._people.unseal(customer, view.identity)
        assert known is not None, "whose account has a number is known"
        identity = replace(known.identity, nin=wish.nin)
        if not await self._is_repeated(tenant_id, command_id):
            await self._enrolment.verify_nin(call.principal.environment, identity, "TIER_TWO")
        person = KnownPerson(identity=identity, utility_bill=known.utility_bill)
        sealed = await self._people.seal(customer, person, asked=b"nin\n" + wish.nin.encode())
        command = RaiseTier(
            wallet_id=account.wallet_id,
            tier="TIER_TWO",
            identity=sealed.identity,
            asked=sealed.asked,
        )
        settled = await self._settlement.hand_in(call, command, command_id)
        if settled.result.rejection is not None:
            return failure_of_declined(settled)
        message = Message.CUSTOMER_WALLET_CREATED
        return await self._shown(call, 201, message, settled, sealed.identity)

    async def _is_repeated(self, tenant_id: str, command_id: str | None) -> bool:
        """Whether the call was settled before: then nobody is asked again."""
        if command_id is None:
            return False
        return await self._customers.of_command(tenant_id, command_id) is not None

    async def _account(self, call: Call, account_number: str) -> Account | None:
        return await self._customers.of_account(call.principal.tenant_id, account_number)

    async def _shown(
        self, call: Call, status: int, message: Message, settled: Settled, identity: str | None
    ) -> Answer:
        view: WalletView | None = settled.result.wallet
        assert view is not None, "an accepted change leads to a wallet"
        # Outcomes hold nothing of a person; that is added for who may see it.
        answer = await self._wallets.shown(call, status, message, replace(view, identity=identity))
        answer.headers_bytes += headers_of(settled)
        return answer


def _freeze(wallet_id: str, wish: FreezeWish) -> Command:
    return FreezeWallet(wallet_id=wallet_id, scope="all", reason=wish.reason)


def _unfreeze(wallet_id: str, wish: FreezeWish) -> Command:
    return UnfreezeWallet(wallet_id=wallet_id, reason=wish.reason)


def _refused(settled: Settled) -> Answer:
    """A name that was used before comes before an account that there is not."""
    if settled.result.rejection is None or settled.result.rejection == WalletUnknown():
        raise _unknown_account()
    return failure_of_declined(settled)


def _unknown_account() -> RefusedError:
    return RefusedError(ACCOUNT_UNKNOWN, "is not the number of any account", param="account_number")
