"""The Credit Wallets API's calls that ask a customer for a payment, or cancel that."""

from schemas.results import CommandResult
from services.gateway import bodies
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets import wishes
from services.gateway.credit_wallets.names import named_topup, named_wallet
from services.gateway.credit_wallets.rendering import render_topup
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.problems import RefusedError
from services.gateway.requests import idempotency_key
from services.gateway.topup_door import TopupDoor


class TopupCommands:
    """Handlers; each reads its request and hands in a command."""

    def __init__(self, settlement: Settlement, door: TopupDoor) -> None:
        self._settlement = settlement
        self._door = door

    async def create(self, call: Call) -> Answer:
        """`POST /wallets/:id/topups`: 201 and the top-up."""
        command_id = idempotency_key(call.request)
        sender = call.principal
        read = bodies.topup_reader(sender.environment, sender.redirect_origins)
        asked = read(await call.body())
        command = wishes.topup(lambda: named_wallet(call), asked)
        if not self._door.is_available(sender.environment):
            detail = f"no payment provider is set up for {sender.environment} tenants"
            raise RefusedError("topups_unavailable", detail)
        return await self._settlement.settle(
            call, command, command_id, makes="/v1/topups", render=self._rendered
        )

    async def cancel(self, call: Call) -> Answer:
        """`POST /topups/:id/cancel`: 200 and the top-up."""
        command_id = idempotency_key(call.request)
        bodies.read_nothing(await call.body())
        command = wishes.cancel_topup(lambda: named_topup(call))
        answer = await self._settlement.settle(call, command, command_id, render=self._rendered)
        if answer.status == 200:
            # The customer may have the provider's page open. A payment would be credited.
            topup_id = named_topup(call)
            await self._door.try_to_stop_taking(call.principal.environment, topup_id)
        return answer

    def _rendered(self, result: CommandResult) -> tuple[str, bytes]:
        view = result.topup
        assert view is not None, "an accepted command about a top-up leads to one"
        return view.id, render_topup(view, self._door.checkout_url(view.id))
