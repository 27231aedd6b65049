"""What the events say of the commands that they came of: reference, fingerprint, answer. Pure.

It is the other way round from `ledger.command_handling`: from what was recorded to what the
append must have kept beside it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from msgspec import Struct
from msgspec.structs import replace

from ledger.command_handling.fingerprint import fingerprint
from ledger.domain.wallet import Wallet
from schemas.commands import (
    CaptureHold,
    Command,
    CreateTopup,
    CreditWallet,
    DebitWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
)
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    CustomerErased,
    DebitDeclined,
    DebitReversed,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    IdentityDeclined,
    TierRaised,
    TopupCreated,
    TopupDeclined,
    TopupEnded,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    VoidDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletReviewed,
    WalletToppedUp,
    WalletUnfrozen,
)

_REVERSALS = (DebitReversed, CreditReversed)
_Consuming = (
    WalletDebited
    | WalletCredited
    | HoldPlaced
    | TransferSent
    | HoldCaptured
    | DebitReversed
    | CreditReversed
    | TopupCreated
)


class Leg(Struct, frozen=True):
    """The first leg of a transfer's reversal; the second has the same reference, and consumes none.

    `type_name` is the event's, as the other leg is of the other type.
    """

    tenant_id: str
    transfer_id: str
    reversed_after: int
    type_name: str

    def is_followed_by(self, other: "Leg") -> bool:
        """Whether that one is the second leg."""
        return (
            self.type_name != other.type_name
            and self.tenant_id == other.tenant_id
            and self.transfer_id == other.transfer_id
            and self.reversed_after == other.reversed_after
        )


def leg_of(tenant_id: str, type_name: str, event: WalletEvent) -> Leg | None:
    """The event as a leg of a transfer's reversal, if it is one."""
    if not isinstance(event, _REVERSALS) or event.transfer_id is None:
        return None
    return Leg(tenant_id, event.transfer_id, event.reversed_after, type_name)


def consumed_reference(event: WalletEvent, wallet: Wallet | None) -> str | None:
    """The reference that the event consumed, if it did; `wallet` is as it was before the event.

    Of a transfer's reversal both legs say it, and the first one consumed it.
    """
    match event:
        case WalletDebited() | WalletCredited() | HoldPlaced() | DebitReversed() | CreditReversed():
            return event.reference
        case TransferSent():
            return event.reference if event.cause == "transfer" else None
        case TopupCreated():
            # Without a reference of its own it is told by its name.
            return None if event.reference == event.topup_id else event.reference
        case HoldCaptured():
            # Without a reference of its own it is told by the hold's, which the hold consumed.
            hold = None if wallet is None else wallet.holds.get(event.hold_id)
            return None if hold is None or hold.reference == event.reference else event.reference
        case _:
            return None


def asked(event: WalletEvent, wallet_id: str) -> Sequence[bytes]:
    """The fingerprints that the command may have had, of an event that consumes a reference.

    An event does not say whether an amount was named or followed from what there was, nor what a
    command only allowed: so there may be several.
    """
    return [fingerprint(command) for command in _commands(event, wallet_id)]


def _commands(event: WalletEvent, wallet_id: str) -> Iterable[Command]:
    match event:
        case WalletDebited():
            yield DebitWallet(wallet_id=wallet_id, **_told(event))
        case WalletCredited():
            yield CreditWallet(wallet_id=wallet_id, expires_at=event.expires_at, **_told(event))
        case HoldPlaced():
            yield PlaceHold(wallet_id=wallet_id, expires_at=event.expires_at, **_told(event))
        case TransferSent():
            from_id, to_id = event.from_wallet_id, event.to_wallet_id
            yield TransferMoney(from_wallet_id=from_id, to_wallet_id=to_id, **_told(event))
        case HoldCaptured():
            capture = CaptureHold(hold_id=event.hold_id, **_told(event))
            yield from _variants(capture, "amount", "final")
        case DebitReversed() | CreditReversed():
            reversal = ReverseTransaction(transaction_id=event.transaction_id, **_told(event))
            yield from _variants(reversal, "amount", "allow_negative")
        case TopupCreated():
            topup = CreateTopup(
                wallet_id=wallet_id,
                redirect_url=event.redirect_url,
                cancel_url=event.cancel_url,
                expires_at=event.expires_at,
                **_told(event),
            )
            yield topup
            yield replace(topup, expires_at=None)
        case _:
            return


def _told(event: _Consuming) -> dict[str, Any]:
    return {
        "amount": event.amount,
        "reference": event.reference,
        "description": event.description,
        "metadata": event.metadata,
    }


def _variants(
    command: CaptureHold | ReverseTransaction, optional: str, allowing: str
) -> Iterable[Command]:
    """The command with and without what it may leave out, and what it may allow."""
    for changes in ({}, {optional: None}):
        yield replace(command, **changes)
        yield replace(command, **changes, **{allowing: True})


def is_answer(event: WalletEvent) -> bool | None:
    """Whether the event alone is its command's answer; None: the answer stands beside it.

    False where it is one of those that come with an answer, or that lead to one together.
    """
    match event:
        case (
            WalletCredited()
            | WalletDebited()
            | HoldPlaced()
            | HoldCaptured()
            | DebitReversed()
            | CreditReversed()
            | TopupCreated()
            | WalletToppedUp()
            | TopupUnapplied()
            | DebitDeclined()
            | CreditDeclined()
            | ChangeDeclined()
            | VoidDeclined()
            | TopupDeclined()
            | IdentityDeclined()
        ):
            return True
        case TransferSent():
            return event.cause == "transfer"
        case HoldReleased():
            return None if event.cause == "voided" else False
        case TopupEnded():
            return None if event.cause == "cancelled" else False
        case (
            WalletOpened()
            | CreditLapsed()
            | TransferReceived()
            | WalletFrozen()
            | WalletUnfrozen()
            | BalanceForfeited()
            | WalletClosed()
            | TierRaised()
            | WalletReviewed()
            | CustomerErased()
        ):
            return False
        case _:
            assert_never(event)
