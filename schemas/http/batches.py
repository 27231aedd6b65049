"""Shapes of `POST /v1/batch`: many commands in one call, as objects or as lines.

A command of a batch is the body of its own call, with its `type` and with the ids that its
own call has in the path.
"""

from typing import Annotated

from msgspec import Meta, Raw, Struct

from schemas.commands import MAX_BATCH_COMMANDS
from schemas.http.credit_wallets import (
    CaptureRequest,
    CloseWalletRequest,
    CreateWalletRequest,
    CreditRequest,
    DebitRequest,
    FreezeWalletRequest,
    HoldRequest,
    ReverseRequest,
    TransferRequest,
    UnfreezeWalletRequest,
)
from schemas.identifiers import HoldId, TransactionId, WalletId

MAX_BATCH_LINES = 100_000


class BatchCreate(
    CreateWalletRequest, frozen=True, omit_defaults=True, tag_field="type", tag="create"
):
    """`POST /v1/wallets`."""


class BatchCredit(
    CreditRequest, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="credit"
):
    """`POST /v1/wallets/{wallet_id}/credit`."""

    wallet_id: WalletId


class BatchDebit(
    DebitRequest, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="debit"
):
    """`POST /v1/wallets/{wallet_id}/debit`."""

    wallet_id: WalletId


class BatchFreeze(
    FreezeWalletRequest,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="freeze",
):
    """`POST /v1/wallets/{wallet_id}/freeze`."""

    wallet_id: WalletId


class BatchUnfreeze(
    UnfreezeWalletRequest,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="unfreeze",
):
    """`POST /v1/wallets/{wallet_id}/unfreeze`."""

    wallet_id: WalletId


class BatchClose(
    CloseWalletRequest, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="close"
):
    """`POST /v1/wallets/{wallet_id}/close`."""

    wallet_id: WalletId


class BatchHold(
    HoldRequest, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="hold"
):
    """`POST /v1/wallets/{wallet_id}/holds`."""

    wallet_id: WalletId


class BatchCapture(
    CaptureRequest, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="capture"
):
    """`POST /v1/holds/{hold_id}/capture`."""

    hold_id: HoldId


class BatchVoid(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="void"):
    """`POST /v1/holds/{hold_id}/void`."""

    hold_id: HoldId


class BatchTransfer(
    TransferRequest, frozen=True, omit_defaults=True, tag_field="type", tag="transfer"
):
    """`POST /v1/transfers`. Needs the scope `transfers:write`."""


class BatchReverse(
    ReverseRequest, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="reverse"
):
    """`POST /v1/transactions/{transaction_id}/reverse`."""

    transaction_id: TransactionId


BatchCommand = (
    BatchCreate
    | BatchCredit
    | BatchDebit
    | BatchFreeze
    | BatchUnfreeze
    | BatchClose
    | BatchHold
    | BatchCapture
    | BatchVoid
    | BatchTransfer
    | BatchReverse
)


class BatchRequest(Struct, frozen=True, kw_only=True):
    """Many commands in one call."""

    atomic: Annotated[
        bool,
        Meta(description="Whether all of them are applied, or none; otherwise each by itself."),
    ] = False
    commands: Annotated[list[BatchCommand], Meta(min_length=1, max_length=MAX_BATCH_COMMANDS)]


class BatchResult(Struct, frozen=True, kw_only=True, gc=False):
    """The outcome of one command of a batch."""

    index: Annotated[int, Meta(ge=0, description="Which command or line, counted from 0.")]
    status: Annotated[
        int, Meta(ge=200, le=599, description="The status that the command's own call would have.")
    ]
    replayed: Annotated[
        bool,
        Meta(
            description="Whether the command had its effect before, and this is its first answer."
        ),
    ]
    body: Annotated[Raw, Meta(description="The answer of the command's own call, or its problem.")]


class BatchAnswer(Struct, frozen=True, kw_only=True, gc=False):
    """The outcomes of the commands, in order."""

    atomic: bool
    results: list[BatchResult]
