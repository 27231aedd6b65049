"""The calls of contract A that set money aside, spend it, or let it go again."""

from schemas.commands import CaptureHold, PlaceHold, VoidHold
from services.gateway import bodies
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.names import named_hold, named_wallet
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.requests import idempotency_key, read_body


class HoldCommands:
    """Handlers; each reads its request and hands in a command."""

    def __init__(self, settlement: Settlement) -> None:
        self._settlement = settlement

    async def place(self, call: Call) -> Answer:
        """`POST /wallets/:id/holds`: 201 and the hold."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_hold(await read_body(call.request))
        command = PlaceHold(
            wallet_id=named_wallet(call),
            amount=asked.amount,
            description=asked.description,
            reference=asked.reference,
            expires_at=bodies.expiry(asked.expires_at),
            metadata=bodies.kept(asked.metadata),
        )
        return await self._settlement.settle(call, command, command_id, makes="/v1/holds")

    async def capture(self, call: Call) -> Answer:
        """`POST /holds/:id/capture`: 200 and the transaction. The body is optional."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_capture(await read_body(call.request))
        command = CaptureHold(
            hold_id=named_hold(call),
            amount=asked.amount,
            final=asked.final,
            description=asked.description,
            reference=asked.reference,
            metadata=bodies.kept(asked.metadata),
        )
        return await self._settlement.settle(call, command, command_id)

    async def void(self, call: Call) -> Answer:
        """`POST /holds/:id/void`: 200 and the hold."""
        command_id = idempotency_key(call.request)
        bodies.read_nothing(await read_body(call.request))
        command = VoidHold(hold_id=named_hold(call))
        return await self._settlement.settle(call, command, command_id)
