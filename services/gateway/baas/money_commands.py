"""The BaaS API's calls that move money: the same commands as in the Credit Wallets API."""

from collections.abc import Awaitable, Callable

from ledger.command_handling.errors import CommandHandlingError, OutcomeUnknownError
from ledger.command_handling.submission import Settled
from schemas.commands import Command, CreditWallet, DebitWallet, TransferMoney
from schemas.rejections import ReferenceReused, WalletUnknown
from schemas.results import TransactionView
from services.gateway.answers import Answer
from services.gateway.baas.customers import Customers
from services.gateway.baas.envelopes import Message, transaction_answer
from services.gateway.baas.failures import NamedOutcomeUnknownError, failure_of_declined
from services.gateway.baas.identifiers import NO_OTHER_WALLET, NO_WALLET, wallet_of
from services.gateway.baas.money_bodies import (
    MovementWish,
    read_movement,
    read_transfer,
)
from services.gateway.baas.recorded import Log, as_recorded
from services.gateway.baas.references import REFERENCE_RANDOM_BYTES, made_reference
from services.gateway.baas.rendering import render_transaction
from services.gateway.baas.wallet_queries import unknown_customer
from services.gateway.calls import Call
from services.gateway.credit_wallets.settlement import Settlement, headers_of
from services.gateway.problems import ReadsUnavailableError, RefusedError
from services.gateway.requests import idempotency_key

Wish = Callable[[str], Awaitable[Command]]
"""The command under a reference."""


class MoneyCommands:
    """Handlers; each reads its request, hands in a command and renders the transaction."""

    def __init__(
        self,
        settlement: Settlement,
        customers: Customers,
        log: Log,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._settlement = settlement
        self._customers = customers
        self._log = log
        self._random_bytes = random_bytes

    async def credit(self, call: Call) -> Answer:
        """`POST /wallets/credit`: 201 and the transaction."""
        return await self._move(call, Message.WALLET_CREDITED, _credit)

    async def debit(self, call: Call) -> Answer:
        """`POST /wallets/debit`: 201 and the transaction."""
        return await self._move(call, Message.WALLET_DEBITED, _debit)

    async def _move(
        self, call: Call, message: Message, command_of: Callable[[MovementWish, str, str], Command]
    ) -> Answer:
        command_id = idempotency_key(call.request)
        wish = read_movement(await call.body())

        async def command(reference: str) -> Command:
            wallet_id = await self._customers.resolve(
                call.principal.tenant_id,
                wish.customer_id,
                reference=reference,
                command_id=command_id,
            )
            # A wallet that nobody has is asked, too: that a name was used before comes first.
            return command_of(wish, wallet_id or NO_WALLET, reference)

        settled = await self._settle(call, command_id, wish.reference, command)
        rejection = settled.result.rejection
        if isinstance(rejection, WalletUnknown):
            raise unknown_customer()
        if rejection is not None:
            return failure_of_declined(settled)
        view = settled.result.transaction
        assert view is not None, "a movement leads to a transaction"
        return _shown(call, message, settled, view, wish.customer_id)

    async def transfer(self, call: Call) -> Answer:
        """`POST /wallets/transfer/bank`: 201 and the transaction of who gets the money."""
        command_id = idempotency_key(call.request)
        wish = read_transfer(await call.body())
        tenant_id = call.principal.tenant_id
        sender, receiver = wallet_of(wish.from_wallet_id), wallet_of(wish.to_wallet_id)
        # A wallet in another currency does not exist here, as another tenant's does not.
        owners = await self._customers.owners(tenant_id, [sender, receiver])

        async def command(reference: str) -> Command:
            return TransferMoney(
                from_wallet_id=sender if sender in owners else NO_WALLET,
                to_wallet_id=receiver if receiver in owners else NO_OTHER_WALLET,
                amount=wish.amount,
                description=wish.narration,
                reference=reference,
                metadata=wish.metadata,
            )

        settled = await self._settle(call, command_id, wish.reference, command)
        if settled.result.rejection is not None:
            return failure_of_declined(settled)
        view = await self._received(tenant_id, settled)
        return _shown(call, Message.TRANSFERRED, settled, view, owners[receiver])

    async def _received(self, tenant_id: str, settled: Settled) -> TransactionView:
        """The transaction of who gets the money. Nothing is asked for after a commit.

        Only a repeated transfer is looked up. Where that fails it is not said that nothing
        happened: raises `NamedOutcomeUnknownError`.
        """
        transfer = settled.result.transfer
        assert transfer is not None, "an accepted transfer leads to one"
        assert transfer.reference is not None, "whoever asks for a transfer has a reference"
        if settled.received is not None:
            view = as_recorded(settled.received).transaction
        else:
            try:
                view = await self._log.transaction(tenant_id, transfer.received_transaction_id)
            except (ReadsUnavailableError, RefusedError, CommandHandlingError) as error:
                raise NamedOutcomeUnknownError(transfer.reference) from error
        assert view is not None, "both legs are in one append"
        return view

    async def _settle(
        self, call: Call, command_id: str | None, reference: str | None, command: Wish
    ) -> Settled:
        """Settle a command. Without a reference one is made, and kept for who repeats the key."""
        if reference is not None:
            return await self._hand_in(call, command_id, await command(reference))
        settled, was_known = await self._settle_made(call, command_id, command)
        rejection = settled.result.rejection
        if (
            not was_known
            and isinstance(rejection, ReferenceReused)
            and rejection.what == "idempotency_key"
        ):
            # The same call was decided meanwhile, under the reference that was made for that one.
            try:
                settled, _ = await self._settle_made(call, command_id, command)
            except OutcomeUnknownError:
                raise  # It may name the reference.
            except (ReadsUnavailableError, CommandHandlingError) as error:
                # That call may well have moved the money.
                raise OutcomeUnknownError from error
        return settled

    async def _settle_made(
        self, call: Call, command_id: str | None, command: Wish
    ) -> tuple[Settled, bool]:
        """Settle under the reference that was made before, or a new one; which of the two."""
        known = await self._customers.known_reference(call.principal.tenant_id, command_id)
        reference = known.reference or made_reference(
            known.unix_seconds, self._random_bytes(REFERENCE_RANDOM_BYTES)
        )
        asked = await command(reference)
        try:
            settled = await self._hand_in(call, command_id, asked)
        except OutcomeUnknownError as error:
            raise NamedOutcomeUnknownError(reference) from error
        return settled, known.reference is not None

    async def _hand_in(self, call: Call, command_id: str | None, command: Command) -> Settled:
        return await self._settlement.hand_in(call, command, command_id)


def _credit(wish: MovementWish, wallet_id: str, reference: str) -> Command:
    return CreditWallet(
        wallet_id=wallet_id, amount=wish.amount, reference=reference, metadata=wish.metadata
    )


def _debit(wish: MovementWish, wallet_id: str, reference: str) -> Command:
    return DebitWallet(
        wallet_id=wallet_id, amount=wish.amount, reference=reference, metadata=wish.metadata
    )


def _shown(
    call: Call, message: Message, settled: Settled, view: TransactionView, user_id: str
) -> Answer:
    answer = transaction_answer(201, message, render_transaction(view, call.principal, user_id))
    answer.headers_bytes += headers_of(settled)
    return answer
