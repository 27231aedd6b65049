"""Whether a wallet takes part in movements at all, whatever the amount."""

from ledger.domain.wallet.state import Wallet
from schemas.rejections import WalletClosed, WalletFrozen, WalletInactive


def keeps_money_in(
    wallet: Wallet, wallet_id: str | None = None
) -> WalletClosed | WalletInactive | WalletFrozen | None:
    """Why no money may leave: the wallet is closed, waits for a review, or is frozen.

    `wallet_id` is named in the refusal if the client asked for something of another wallet.
    """
    return _refusal(wallet, wallet.debits_stopped, wallet_id)


def keeps_money_out(
    wallet: Wallet, wallet_id: str | None = None
) -> WalletClosed | WalletInactive | WalletFrozen | None:
    """Why no money may enter. As `keeps_money_in`."""
    return _refusal(wallet, wallet.credits_stopped, wallet_id)


def _refusal(
    wallet: Wallet, is_stopped: bool, wallet_id: str | None
) -> WalletClosed | WalletInactive | WalletFrozen | None:
    if wallet.status == "closed":
        return WalletClosed(wallet_id=wallet_id)
    if wallet.profile is not None and wallet.profile.is_inactive:
        return WalletInactive(wallet_id=wallet_id)
    if is_stopped:
        return WalletFrozen(wallet_id=wallet_id)
    return None
