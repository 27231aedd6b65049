"""The Credit Wallets API's call that settles a review. `review_queries` shows the customer."""

from collections.abc import Callable

from ledger.tenants import Environment
from schemas.commands import ReviewWallet
from services.gateway import bodies
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.names import named_wallet
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.requests import idempotency_key


class ReviewCommands:
    """The handler. `bank_code_of` is the bank of an environment's account numbers."""

    def __init__(self, settlement: Settlement, bank_code_of: Callable[[Environment], str]) -> None:
        self._settlement = settlement
        self._bank_code_of = bank_code_of

    async def review(self, call: Call) -> Answer:
        """`POST /wallets/:id/review`: 200 and the wallet, approved or rejected."""
        command_id = idempotency_key(call.request)
        asked = bodies.read_review(await call.body())
        command = ReviewWallet(
            wallet_id=named_wallet(call),
            outcome=asked.outcome,
            reason=asked.reason,
            bank_code=self._bank_code_of(call.principal.environment),
        )
        return await self._settlement.settle(call, command, command_id)
