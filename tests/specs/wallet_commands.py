"""Commands in few words, for tests of a wallet's rules. `reference` names what comes of one."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ledger.domain.wallet.state import MAX_HELD_LOTS, MAX_OPEN_LOTS
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    CompleteTopup,
    CreateTopup,
    CreditWallet,
    DebitWallet,
    ExpireDue,
    FreezeScope,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    UnfreezeWallet,
    VoidHold,
)
from schemas.events import Expiring, LotAmount, TransferReceived, WalletEvent
from schemas.identifiers import transfer_id
from tests.specs.decider import (
    OTHER_ID,
    WALLET_ID,
    hold_named,
    id_named,
    received_named,
    topup_named,
    transaction_named,
)

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, tzinfo=UTC)
SHOP = "https://shop.example/thanks"

EXPIRE_DUE = ExpireDue(wallet_id=WALLET_ID)
UNFREEZE = UnfreezeWallet(wallet_id=WALLET_ID)
CLOSE = CloseWallet(wallet_id=WALLET_ID)
FORFEIT = CloseWallet(wallet_id=WALLET_ID, remaining_balance="forfeit")


def credit(
    amount: int, expires_at: datetime | None = None, reference: str = "r", of: str = WALLET_ID
) -> CreditWallet:
    """Put money in."""
    return CreditWallet(wallet_id=of, amount=amount, reference=reference, expires_at=expires_at)


def debit(amount: int, reference: str = "r", of: str = WALLET_ID) -> DebitWallet:
    """Take money out."""
    return DebitWallet(wallet_id=of, amount=amount, reference=reference)


def freeze(scope: FreezeScope = "debits", of: str = WALLET_ID) -> FreezeWallet:
    """Stop what the scope names."""
    return FreezeWallet(wallet_id=of, scope=scope)


def hold(
    amount: int, expires_at: datetime | None = None, reference: str = "h", of: str = WALLET_ID
) -> PlaceHold:
    """Set money aside."""
    return PlaceHold(wallet_id=of, amount=amount, reference=reference, expires_at=expires_at)


def capture(
    amount: int | None = None, reference: str = "captured", of: str = "h", *, final: bool = False
) -> CaptureHold:
    """Spend of the hold that has the reference `of`."""
    return CaptureHold(hold_id=hold_named(of), amount=amount, reference=reference, final=final)


def void(of: str = "h") -> VoidHold:
    """Free the hold that has the reference `of`."""
    return VoidHold(hold_id=hold_named(of))


def topup(
    amount: int, expires_at: datetime | None = None, reference: str = "top", of: str = WALLET_ID
) -> CreateTopup:
    """Ask for a payment."""
    return CreateTopup(
        wallet_id=of,
        amount=amount,
        redirect_url=SHOP,
        expires_at=expires_at,
        reference=reference,
    )


def pay(
    amount: int, payment: str = "paid", of: str = "top", currency: str = "GHS"
) -> CompleteTopup:
    """A payment has come for the top-up that has the reference `of`."""
    return CompleteTopup(
        topup_id=topup_named(of), payment_id=payment, amount=amount, currency=currency
    )


def cancel(of: str = "top") -> CancelTopup:
    """No longer wait for the top-up that has the reference `of`."""
    return CancelTopup(topup_id=topup_named(of))


def transfer(
    amount: int, reference: str = "t", sender: str = WALLET_ID, receiver: str = OTHER_ID
) -> TransferMoney:
    """Move money from the first wallet to the other."""
    return TransferMoney(
        from_wallet_id=sender, to_wallet_id=receiver, amount=amount, reference=reference
    )


def close_into(receiver: str = OTHER_ID) -> CloseWallet:
    """Close the first wallet and move what is left."""
    return close(WALLET_ID, receiver)


def close(of: str, into: str | None) -> CloseWallet:
    """Close a wallet; what is left goes nowhere, is forfeited, or goes into another one."""
    if into is None:
        return CloseWallet(wallet_id=of)
    if into == "forfeit":
        return CloseWallet(wallet_id=of, remaining_balance="forfeit")
    return CloseWallet(wallet_id=of, remaining_balance=TransferTo(transfer_to=into))


def reverse(
    of: str,
    amount: int | None = None,
    reference: str = "back",
    *,
    transaction: str | None = None,
    allow_negative: bool = False,
) -> ReverseTransaction:
    """Undo the transaction that has the reference `of`, or the one that is given."""
    return ReverseTransaction(
        transaction_id=transaction or transaction_named(of),
        amount=amount,
        reference=reference,
        allow_negative=allow_negative,
    )


def many_held_lots(of: str = WALLET_ID) -> Iterator[WalletEvent | PlaceHold]:
    """Holds h0, h1, ... that set aside as many lots as may be, of a wallet that was empty."""
    lots = tuple(
        LotAmount(amount=1, expires_at=JUNE.replace(microsecond=number))
        for number in range(MAX_OPEN_LOTS)
    )
    for number in range(MAX_HELD_LOTS // MAX_OPEN_LOTS):
        before = number * MAX_OPEN_LOTS
        yield TransferReceived(
            transfer_id=transfer_id(id_named(f"t{number}")),
            from_wallet_id=OTHER_ID,
            to_wallet_id=of,
            amount=MAX_OPEN_LOTS,
            balance_before=before,
            balance_after=before + MAX_OPEN_LOTS,
            available_after=MAX_OPEN_LOTS,
            expiring_after=Expiring(amount=MAX_OPEN_LOTS, next_at=JUNE, next_amount=1),
            currency="GHS",
            sent=lots,
            sent_transaction_id=transaction_named(f"t{number}"),
            received_transaction_id=received_named(f"t{number}"),
            reference=f"t{number}",
        )
        yield hold(MAX_OPEN_LOTS, reference=f"h{number}", of=of)
