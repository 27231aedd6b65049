"""The calls of contract A that change a wallet: each is one command, settled by the ledger."""

from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.submission import Settled, Submission
from schemas.commands import (
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    UnfreezeWallet,
)
from schemas.identifiers import is_wallet_id
from schemas.rejections import WalletUnknown
from services.gateway import requests
from services.gateway.answers import JSON, Answer, etag, header
from services.gateway.calls import Call
from services.gateway.credit_wallets.rendering import render_transaction, render_wallet
from services.gateway.problems import Context, RefusedError, problem_of_rejection

_REPLAYED = header("Idempotent-Replayed", "true")


class WalletCommands:
    """Handlers; each reads its request, hands in a command and renders what it came to."""

    def __init__(self, processor: CommandProcessor) -> None:
        self._processor = processor

    async def create(self, call: Call) -> Answer:
        """`POST /wallets`: 201 and the wallet."""
        command_id = requests.idempotency_key(call.request)
        asked = requests.read_create(await requests.read_body(call.request))
        command = CreateWallet(
            customer_id=asked.customer_id,
            currency=asked.currency,
            metadata=requests.kept(asked.metadata),
        )
        return _answer(call, await self._settle(call, command, command_id), None)

    async def debit(self, call: Call) -> Answer:
        """`POST /wallets/:id/debit`: 200 and the transaction."""
        return await self._move(call, DebitWallet)

    async def credit(self, call: Call) -> Answer:
        """`POST /wallets/:id/credit`: 200 and the transaction."""
        return await self._move(call, CreditWallet)

    async def freeze(self, call: Call) -> Answer:
        """`POST /wallets/:id/freeze`: 200 and the wallet."""
        return await self._change(call, FreezeWallet)

    async def unfreeze(self, call: Call) -> Answer:
        """`POST /wallets/:id/unfreeze`: 200 and the wallet."""
        return await self._change(call, UnfreezeWallet)

    async def close(self, call: Call) -> Answer:
        """`POST /wallets/:id/close`: 200 and the wallet. The body is optional."""
        command_id = requests.idempotency_key(call.request)
        asked = requests.read_close(await requests.read_body(call.request))
        wallet_id = named_wallet(call)
        command = CloseWallet(wallet_id=wallet_id, remaining_balance=asked.remaining_balance)
        return _answer(call, await self._settle(call, command, command_id), wallet_id)

    async def _move(self, call: Call, kind: type[DebitWallet] | type[CreditWallet]) -> Answer:
        command_id = requests.idempotency_key(call.request)
        asked = requests.read_money(await requests.read_body(call.request))
        wallet_id = named_wallet(call)
        command = kind(
            wallet_id=wallet_id,
            amount=asked.amount,
            description=asked.description,
            reference=asked.reference,
            metadata=requests.kept(asked.metadata),
        )
        return _answer(call, await self._settle(call, command, command_id), wallet_id)

    async def _change(self, call: Call, kind: type[FreezeWallet] | type[UnfreezeWallet]) -> Answer:
        command_id = requests.idempotency_key(call.request)
        requests.read_nothing(await requests.read_body(call.request))
        wallet_id = named_wallet(call)
        command = kind(wallet_id=wallet_id)
        return _answer(call, await self._settle(call, command, command_id), wallet_id)

    async def _settle(self, call: Call, command: Command, command_id: str | None) -> Settled:
        principal = call.principal
        return await self._processor.enqueue(
            Submission(
                tenant_id=principal.tenant_id,
                command=command,
                command_id=command_id,
                who=principal.who,
                correlation_id=call.correlation_id,
            )
        )


def named_wallet(call: Call) -> str:
    """The wallet that the path names. What is not spelled as one cannot exist."""
    wallet_id = call.parameters[0]
    if not is_wallet_id(wallet_id):
        raise RefusedError("wallet_not_found", "there is no such wallet")
    return wallet_id


def _answer(call: Call, settled: Settled, wallet_id: str | None) -> Answer:
    """Render a result; `wallet_id` is the wallet that the call named, if it named one."""
    result = settled.result
    headers_bytes = etag(result.version) if result.version is not None else b""
    if settled.replayed:
        headers_bytes += _REPLAYED
    if result.rejection is not None:
        context: Context = {}
        if wallet_id is not None and not isinstance(result.rejection, WalletUnknown):
            context["wallet_id"] = wallet_id
        if result.transaction is not None:
            context["transaction_id"] = result.transaction.id
        return problem_of_rejection(result.rejection, call.request_id, context, headers_bytes)
    if result.transaction is not None:
        return Answer(200, JSON + headers_bytes, render_transaction(result.transaction))
    assert result.wallet is not None, "an accepted command leads to a wallet or a transaction"
    body = render_wallet(result.wallet)
    if wallet_id is not None:
        return Answer(200, JSON + headers_bytes, body)
    location = header("Location", f"/v1/wallets/{result.wallet.id}")
    return Answer(201, JSON + location + headers_bytes, body)
