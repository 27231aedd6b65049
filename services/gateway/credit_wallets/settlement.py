"""Settlement: a command goes to the ledger, and what it came to is the answer to the call."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, assert_never

from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.submission import Settled, Submission
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    Command,
    CompleteTopup,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    EnrollCustomer,
    EraseCustomer,
    ExpireDue,
    FreezeWallet,
    PlaceHold,
    RaiseTier,
    ReverseTransaction,
    ReviewWallet,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)
from schemas.rejections import (
    BatchDeclined,
    HoldUnknown,
    NotReversible,
    Rejection,
    TopupUnknown,
    TransactionUnknown,
    WalletUnknown,
)
from schemas.results import CommandResult
from services.gateway.answers import JSON, Answer, etag, header
from services.gateway.calls import Call
from services.gateway.credit_wallets.rendering import (
    render_hold,
    render_transaction,
    render_transfer,
    render_wallet,
)
from services.gateway.problems import Context, problem_of_rejection

_REPLAYED: Final = header("Idempotent-Replayed", "true")
_NAMELESS: Final = (
    WalletUnknown,
    HoldUnknown,
    TopupUnknown,
    TransactionUnknown,
    NotReversible,
    BatchDeclined,
)
"""Rejections that no wallet's state is the reason of."""


Render = Callable[[CommandResult], tuple[str, bytes]]
"""The id and the JSON of what an accepted command made or changed."""


def rendered(result: CommandResult) -> tuple[str, bytes]:
    """The same of everything but a top-up, which is shown with where to pay it."""
    if result.transaction is not None:
        return result.transaction.id, render_transaction(result.transaction)
    if result.hold is not None:
        return result.hold.id, render_hold(result.hold)
    if result.transfer is not None:
        return result.transfer.id, render_transfer(result.transfer)
    assert result.wallet is not None, "an accepted command leads to something that can be shown"
    return result.wallet.id, render_wallet(result.wallet)


class Settlement:
    """Hands in commands for those who handle calls."""

    def __init__(self, processor: CommandProcessor) -> None:
        self._processor = processor

    async def settle(
        self,
        call: Call,
        command: Command,
        command_id: str | None,
        *,
        makes: str | None = None,
        render: Render = rendered,
    ) -> Answer:
        """Settle a command: 200 with what it made or changed, or the problem.

        With `makes`, the path under which a thing that it made stands, it is 201 and names it.
        """
        settled = await self.hand_in(call, command, command_id)
        return answer_of(call, command, settled, makes=makes, render=render)

    def hand_in(
        self, call: Call, command: Command, command_id: str | None
    ) -> asyncio.Future[Settled]:
        """The same without waiting: commands are decided in the order of these calls."""
        return self._processor.enqueue(_submission(call, command, command_id))

    def hand_in_together(
        self, call: Call, commands: Iterable[tuple[Command, str | None]]
    ) -> list[asyncio.Future[Settled]]:
        """Hand in commands, each with its command id, that are applied all or none."""
        return self._processor.enqueue_together(
            [_submission(call, command, command_id) for command, command_id in commands]
        )

    @property
    def waiting_commands(self) -> int:
        """How many commands wait to be decided, whoever handed them in."""
        return self._processor.waiting_commands


def answer_of(
    call: Call,
    command: Command,
    settled: Settled,
    *,
    makes: str | None = None,
    render: Render = rendered,
) -> Answer:
    """The answer to a call that asked for a command, as `Settlement.settle` has it."""
    if settled.result.rejection is not None:
        return _refusal(call, command, settled)
    headers_bytes = JSON + headers_of(settled)
    made_id, body = render(settled.result)
    if makes is None:
        return Answer(200, headers_bytes, body)
    location = header("Location", f"{makes}/{made_id}")
    return Answer(201, location + headers_bytes, body)


def _submission(call: Call, command: Command, command_id: str | None) -> Submission:
    principal = call.principal
    return Submission(
        tenant_id=principal.tenant_id,
        command=command,
        command_id=command_id,
        who=principal.who,
        correlation_id=call.correlation_id,
    )


def headers_of(settled: Settled) -> bytes:
    """The wallet's version after the command, and whether this is its first answer again."""
    version = settled.result.version
    headers_bytes = etag(version) if version is not None else b""
    return headers_bytes + _REPLAYED if settled.replayed else headers_bytes


def _refusal(call: Call, command: Command, settled: Settled) -> Answer:
    result = settled.result
    assert result.rejection is not None, "the command was accepted"
    context: Context = {}
    if not isinstance(result.rejection, _NAMELESS):
        wallet_id = _wallet_of(command)
        if wallet_id is None and result.transaction is not None:
            # The wallet whose history has the decline.
            wallet_id = result.transaction.wallet_id
        if wallet_id is not None:
            context["wallet_id"] = wallet_id
    if result.transaction is not None:
        context["transaction_id"] = result.transaction.id
    return problem_of_rejection(
        result.rejection,
        call.request_id,
        context,
        headers_of(settled),
        other_wallet="remaining_balance" if isinstance(command, CloseWallet) else "to",
        unknown_wallet=_field_of(command, result.rejection),
    )


def _field_of(command: Command, rejection: Rejection) -> str | None:
    """The field of the body that names the wallet which there is not."""
    match rejection, command:
        case WalletUnknown(wallet_id=None), _:
            return None
        case WalletUnknown(wallet_id=unknown), TransferMoney(from_wallet_id=sender):
            return "from" if unknown == sender else "to"
        case WalletUnknown(), CloseWallet():
            return "remaining_balance"
        case _:
            return None


def _wallet_of(command: Command) -> str | None:
    """The wallet that the path names."""
    match command:
        case (
            CreditWallet()
            | DebitWallet()
            | FreezeWallet()
            | UnfreezeWallet()
            | CloseWallet()
            | PlaceHold()
            | CreateTopup()
            | ExpireDue()
            | RaiseTier()
            | ReviewWallet()
            | EraseCustomer()
        ):
            return command.wallet_id
        case (
            CreateWallet()
            | EnrollCustomer()
            | CaptureHold()
            | VoidHold()
            | TransferMoney()
            | ReverseTransaction()
            | CompleteTopup()
            | CancelTopup()
        ):
            return None
        case _:
            assert_never(command)
