"""Commands by chance: of every kind, such as a wallet's rules may well accept."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Raw

from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    Command,
    CompleteTopup,
    CreateTopup,
    CreditWallet,
    DebitWallet,
    FreezeScope,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)
from schemas.events import (
    HoldCaptured,
    TopupCreated,
    TransferReceived,
    TransferSent,
    WalletCredited,
    WalletDebited,
)
from schemas.identifiers import transaction_id
from tests.specs.event_streams import EventStreams

_SCOPES: tuple[FreezeScope, ...] = ("debits", "debits", "credits", "all")
METADATA = Raw(b'{"a": [1,  2.50]}')
_REVERSIBLE = (WalletCredited, WalletDebited, HoldCaptured, TransferSent, TransferReceived)


def some_command(
    streams: EventStreams, identifier: str, identifiers: Sequence[str]
) -> Command | None:
    """A command for one of these wallets; None where nothing of the kind can be asked of it."""
    dice = streams.random.random()
    if dice < 0.52:
        return _movement(streams, identifier, dice)
    if dice < 0.60:
        return _of_a_topup(streams, identifier)
    if dice < 0.65:
        if streams.wallet(identifier).status == "frozen":
            return UnfreezeWallet(wallet_id=identifier)
        return FreezeWallet(wallet_id=identifier, scope=streams.random.choice(_SCOPES))
    if dice < 0.85:
        return _of_a_hold(streams, identifier, dice)
    if dice < 0.91:
        return TransferMoney(
            from_wallet_id=identifier,
            to_wallet_id=streams.random.choice(identifiers),
            amount=_part(streams, streams.wallet(identifier).available),
            reference=f"transfer-{streams.position}",
            metadata=METADATA,
        )
    if dice < 0.98:
        return _reversal(streams, identifier)
    if dice < 0.99:
        return CloseWallet(wallet_id=identifier, remaining_balance="forfeit")
    return None


def _movement(streams: EventStreams, identifier: str, dice: float) -> Command:
    if dice < 0.40:
        soon = streams.now + timedelta(milliseconds=streams.random.randint(1, 400))
        return CreditWallet(
            wallet_id=identifier,
            amount=streams.random.randint(1, 10_000),
            reference=f"credit-{streams.position}",
            description="A credit",
            expires_at=soon if dice < 0.15 else None,
            metadata=METADATA,
        )
    return DebitWallet(
        wallet_id=identifier,
        amount=_part(streams, streams.wallet(identifier).available),
        reference=f"debit-{streams.position}",
        description="A debit",
    )


def _of_a_hold(streams: EventStreams, identifier: str, dice: float) -> Command:
    holds = streams.wallet(identifier).holds
    if dice < 0.75 or not holds:
        soon = streams.now + timedelta(milliseconds=streams.random.randint(1, 400))
        return PlaceHold(
            wallet_id=identifier,
            amount=_part(streams, streams.wallet(identifier).available),
            reference=f"hold-{streams.position}",
            description="A hold",
            expires_at=streams.random.choice((None, soon)),
            metadata=METADATA,
        )
    hold, open_hold = streams.random.choice(list(holds.items()))
    if dice < 0.82:
        amount = streams.random.choice((None, _part(streams, open_hold.amount)))
        return CaptureHold(hold_id=hold, amount=amount, final=streams.random.random() < 0.3)
    return VoidHold(hold_id=hold)


def _of_a_topup(streams: EventStreams, identifier: str) -> Command:
    topups = _topups_of(streams, identifier)
    dice = streams.random.random()
    if dice < 0.45 or not topups:
        soon = streams.now + timedelta(milliseconds=streams.random.randint(1, 400))
        return CreateTopup(
            wallet_id=identifier,
            amount=streams.random.randint(1, 5_000),
            redirect_url="https://shop.example/thanks",
            cancel_url=streams.random.choice((None, "https://shop.example/basket")),
            expires_at=streams.random.choice((None, soon)),
            description="A top-up",
            reference=streams.random.choice((None, f"topup-{streams.position}")),
            metadata=METADATA,
        )
    topup = streams.random.choice(topups)
    return CancelTopup(topup_id=topup.topup_id) if dice < 0.60 else _payment(streams, topup)


def late_payment(streams: EventStreams, identifier: str) -> Command | None:
    """A payment for a wallet that may be closed by now; None if it never had a top-up."""
    topups = _topups_of(streams, identifier)
    return _payment(streams, streams.random.choice(topups)) if topups else None


def _topups_of(streams: EventStreams, identifier: str) -> list[TopupCreated]:
    return [event for _, event in streams.made_of(identifier) if isinstance(event, TopupCreated)]


def _payment(streams: EventStreams, topup: TopupCreated) -> CompleteTopup:
    """Mostly what was asked for; told again, a second one, and a wrong one are among them."""
    dice = streams.random.random()
    return CompleteTopup(
        topup_id=topup.topup_id,
        payment_id=f"{topup.topup_id}-{streams.random.randint(1, 2)}",
        amount=topup.amount + (dice < 0.1),
        currency="USD" if dice > 0.9 else topup.currency,
    )


def _reversal(streams: EventStreams, identifier: str) -> Command | None:
    reversible = [
        event_id
        for event_id, event in streams.made_of(identifier)
        if isinstance(event, _REVERSIBLE)
    ]
    if not reversible:
        return None
    return ReverseTransaction(
        transaction_id=transaction_id(streams.random.choice(reversible)),
        amount=streams.random.choice((None, 1)),
        reference=f"reversal-{streams.position}",
        allow_negative=streams.random.random() < 0.2,
    )


def _part(streams: EventStreams, amount: int) -> int:
    """Some of it, or one more than there is where there is nothing."""
    return streams.random.randint(1, max(amount, 1))
