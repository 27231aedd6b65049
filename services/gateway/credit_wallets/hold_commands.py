"""The calls of the Credit Wallets API that set money aside, spend it, or let it go again."""

from services.gateway import bodies
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets import wishes
from services.gateway.credit_wallets.names import named_hold, named_wallet
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.requests import idempotency_key


class HoldCommands:
    """Handlers; each reads its request and hands in a command."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def place(self, call: Call) -> Answer:
        """`POST /wallets/:id/holds`: 201 and the hold."""
        command_id = idempotency_key(call.request)
        command = wishes.hold(lambda: named_wallet(call), await call.body())
        return await self._settlement.settle(call, command, command_id, makes="/v1/holds")

    async def capture(self, call: Call) -> Answer:
        """`POST /holds/:id/capture`: 200 and the transaction. The body is optional."""
        command_id = idempotency_key(call.request)
        command = wishes.capture(lambda: named_hold(call), await call.body())
        return await self._settlement.settle(call, command, command_id)

    async def void(self, call: Call) -> Answer:
        """`POST /holds/:id/void`: 200 and the hold."""
        command_id = idempotency_key(call.request)
        bodies.read_nothing(await call.body())
        command = wishes.void(lambda: named_hold(call))
        return await self._settlement.settle(call, command, command_id)
