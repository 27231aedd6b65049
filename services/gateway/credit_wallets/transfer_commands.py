"""The calls of the Credit Wallets API about two wallets, or about an existing transaction."""

from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets import wishes
from services.gateway.credit_wallets.names import named_transaction
from services.gateway.credit_wallets.permissions import check_permitted
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.requests import idempotency_key


class TransferCommands:
    """Handlers; each reads its request and hands in a command."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def transfer(self, call: Call) -> Answer:
        """`POST /transfers`: 201 and the transfer."""
        command_id = idempotency_key(call.request)
        command = wishes.transfer(await call.body())
        return await self._settlement.settle(call, command, command_id, makes="/v1/transfers")

    async def reverse(self, call: Call) -> Answer:
        """`POST /transactions/:id/reverse`: 200 and the transaction that undoes it."""
        command_id = idempotency_key(call.request)
        command = wishes.reverse(lambda: call.parameters[0], await call.body())
        check_permitted(command, call.principal.scopes)
        # Only now, as whoever may not ask is not told what there is.
        named_transaction(call)
        return await self._settlement.settle(call, command, command_id)
