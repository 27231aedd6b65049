"""How well a wallet's customer is known, as its row shows it. Pure."""

from typing import assert_never

from msgspec.structs import replace

from schemas.commands import FreezeScope
from schemas.events import CustomerErased, TierRaised, WalletReviewed
from schemas.identity import Review
from schemas.results import WalletStatus, WalletView


def stopped(
    review: Review | None, frozen: FreezeScope | None
) -> tuple[WalletStatus, FreezeScope | None]:
    """What an open wallet shows: one that no review has approved is stopped like a frozen one."""
    if review in ("pending", "rejected"):
        return "frozen", "all"
    return "active" if frozen is None else "frozen", frozen


def told(view: WalletView, event: TierRaised | WalletReviewed | CustomerErased) -> WalletView:
    """The row after an event that says more of its customer, or wants it forgotten."""
    match event:
        case TierRaised():
            raised = replace(view, tier=event.tier, identity=event.identity, kyc_updated=True)
            if event.review is None:
                return raised
            status, frozen = stopped(event.review, view.frozen)
            return replace(raised, review=event.review, status=status, frozen=frozen)
        case WalletReviewed():
            status, frozen = stopped(event.outcome, event.frozen)
            return replace(
                view,
                review=event.outcome,
                status=status,
                frozen=frozen,
                bank_code=event.bank_code or view.bank_code,
                account_number=event.account_number or view.account_number,
            )
        case CustomerErased():
            return replace(view, is_erased=True, identity=None)
        case _:
            assert_never(event)


def is_known(view: WalletView) -> bool:
    """Whether the row says anything of its customer: of most wallets it does not."""
    return view.tier is not None or view.is_erased


def differs(before: WalletView, after: WalletView) -> bool:
    """Whether more is known of the customer, or less."""
    return is_known(after) and _standing(before) != _standing(after)


def _standing(view: WalletView) -> tuple[object, ...]:
    number = (view.bank_code, view.account_number)
    return (view.tier, view.review, *number, view.kyc_updated, view.is_erased, view.identity)
