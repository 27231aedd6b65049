"""The calls of contract A that change a wallet: each is one command, settled by the ledger."""

from schemas.commands import (
    CloseWallet,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    UnfreezeWallet,
)
from services.gateway import bodies
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.names import named_wallet
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.requests import idempotency_key, read_body


class WalletCommands:
    """Handlers; each reads its request and hands in a command."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def create(self, call: Call) -> Answer:
        """`POST /wallets`: 201 and the wallet."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_create(await read_body(call.request))
        command = CreateWallet(
            customer_id=asked.customer_id,
            currency=asked.currency,
            metadata=bodies.kept(asked.metadata),
        )
        return await self._settlement.settle(call, command, command_id, makes="/v1/wallets")

    async def debit(self, call: Call) -> Answer:
        """`POST /wallets/:id/debit`: 200 and the transaction."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_debit(await read_body(call.request))
        command = DebitWallet(
            wallet_id=named_wallet(call),
            amount=asked.amount,
            description=asked.description,
            reference=asked.reference,
            metadata=bodies.kept(asked.metadata),
        )
        return await self._settlement.settle(call, command, command_id)

    async def credit(self, call: Call) -> Answer:
        """`POST /wallets/:id/credit`: 200 and the transaction."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_credit(await read_body(call.request))
        command = CreditWallet(
            wallet_id=named_wallet(call),
            amount=asked.amount,
            description=asked.description,
            reference=asked.reference,
            expires_at=bodies.expiry(asked.expires_at),
            metadata=bodies.kept(asked.metadata),
        )
        return await self._settlement.settle(call, command, command_id)

    async def freeze(self, call: Call) -> Answer:
        """`POST /wallets/:id/freeze`: 200 and the wallet. The body is optional."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_freeze(await read_body(call.request))
        command = FreezeWallet(wallet_id=named_wallet(call), scope=asked.scope, reason=asked.reason)
        return await self._settlement.settle(call, command, command_id)

    async def unfreeze(self, call: Call) -> Answer:
        """`POST /wallets/:id/unfreeze`: 200 and the wallet. The body is optional."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_unfreeze(await read_body(call.request))
        command = UnfreezeWallet(wallet_id=named_wallet(call), reason=asked.reason)
        return await self._settlement.settle(call, command, command_id)

    async def close(self, call: Call) -> Answer:
        """`POST /wallets/:id/close`: 200 and the wallet. The body is optional."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_close(await read_body(call.request))
        command = CloseWallet(
            wallet_id=named_wallet(call), remaining_balance=asked.remaining_balance
        )
        return await self._settlement.settle(call, command, command_id)
