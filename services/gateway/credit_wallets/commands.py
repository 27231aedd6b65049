"""The Credit Wallets API's calls that change a wallet: each is one command to the ledger."""

from collections.abc import Callable

from schemas.commands import Command
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets import wishes
from services.gateway.credit_wallets.names import named_wallet
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.requests import idempotency_key


class WalletCommands:
    """Handlers; each reads its request and hands in a command."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def create(self, call: Call) -> Answer:
        """`POST /wallets`: 201 and the wallet."""
        command_id = idempotency_key(call.request)
        command = wishes.create(await call.body())
        return await self._settlement.settle(call, command, command_id, makes="/v1/wallets")

    async def debit(self, call: Call) -> Answer:
        """`POST /wallets/:id/debit`: 200 and the transaction."""
        return await self._settle(call, wishes.debit)

    async def credit(self, call: Call) -> Answer:
        """`POST /wallets/:id/credit`: 200 and the transaction."""
        return await self._settle(call, wishes.credit)

    async def freeze(self, call: Call) -> Answer:
        """`POST /wallets/:id/freeze`: 200 and the wallet. The body is optional."""
        return await self._settle(call, wishes.freeze)

    async def unfreeze(self, call: Call) -> Answer:
        """`POST /wallets/:id/unfreeze`: 200 and the wallet. The body is optional."""
        return await self._settle(call, wishes.unfreeze)

    async def close(self, call: Call) -> Answer:
        """`POST /wallets/:id/close`: 200 and the wallet. The body is optional."""
        return await self._settle(call, wishes.close)

    async def _settle(self, call: Call, wish: Callable[[wishes.Name, bytes], Command]) -> Answer:
        command_id = idempotency_key(call.request)
        command = wish(lambda: named_wallet(call), await call.body())
        return await self._settlement.settle(call, command, command_id)
