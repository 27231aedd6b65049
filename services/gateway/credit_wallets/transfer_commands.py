"""The calls of contract A that concern two wallets, or a transaction that there is already."""

from typing import Final

from schemas.commands import ReverseTransaction
from services.gateway import bodies
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets import wishes
from services.gateway.credit_wallets.names import named_transaction
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.problems import RefusedError
from services.gateway.requests import idempotency_key, read_body

SCOPE_OF_ALLOW_NEGATIVE: Final = "admin"


class TransferCommands:
    """Handlers; each reads its request and hands in a command."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def transfer(self, call: Call) -> Answer:
        """`POST /transfers`: 201 and the transfer."""
        command_id = idempotency_key(call.request)
        command = wishes.transfer(await read_body(call.request))
        return await self._settlement.settle(call, command, command_id, makes="/v1/transfers")

    async def reverse(self, call: Call) -> Answer:
        """`POST /transactions/:id/reverse`: 200 and the transaction that undoes it."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_reverse(await read_body(call.request))
        if asked.allow_negative and SCOPE_OF_ALLOW_NEGATIVE not in call.principal.scopes:
            detail = f"allow_negative needs the scope {SCOPE_OF_ALLOW_NEGATIVE}"
            raise RefusedError("forbidden", detail, param="allow_negative")
        command = ReverseTransaction(
            transaction_id=named_transaction(call),
            amount=asked.amount,
            allow_negative=asked.allow_negative,
            description=asked.description,
            reference=asked.reference,
            metadata=bodies.kept(asked.metadata),
        )
        return await self._settlement.settle(call, command, command_id)
