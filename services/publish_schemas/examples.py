"""One small story in values, from which every example in the published documents is taken.

Ama opens a wallet in cedis, puts 150.00 in, and spends 5.00 on text messages. She gets a
bonus of 20.00 until the end of June, rides for 32.50 of the 40.00 that were set aside, and
sends Kofi 25.00. Then she tops her wallet up by 50.00. `http_examples` tells the same as the
HTTP API does.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw

from schemas import commands, results
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CredentialCreated,
    CredentialLimited,
    CredentialRevoked,
    CredentialRotated,
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    CustomerErased,
    DebitDeclined,
    DebitReversed,
    Event,
    Expiring,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    IdentityDeclined,
    LotAmount,
    MerchantCreated,
    RedirectAllowed,
    RedirectDisallowed,
    TierRaised,
    TopupCreated,
    TopupDeclined,
    TopupEnded,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    VaultMaintenanceBegun,
    VoidDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletFrozen,
    WalletOpened,
    WalletReviewed,
    WalletToppedUp,
    WalletUnfrozen,
)
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import InsufficientFunds

WALLET = "wal_0197f3c29b1e7d10a4c86e5f20b3d791"
COMMAND_ID = "sms_batch_8821-try-1"
OTHER_WALLET = "wal_0197f3d04a6c7be19c52f8d30e1b7a64"
CREDIT_ID = "txn_0197f3c3d4527b6f8e01c9a7d3f5b284"
DEBIT_ID = "txn_0197f3c4e0a27f3b8d1594c6a7e2b0f7"
BONUS_ID = "txn_0197f3c5b7d07a92b4e6018f3c5d9a21"
HOLD_ID = "hol_0197f3c7183c7d45a9f20b6e84c1d7f3"
CAPTURE_ID = "txn_0197f3c8a51e7c08912d5f7b3e0a64c9"
TRANSFER_ID = "trf_0197f3d1c2f07e3a8b4d9061f5c7e2a8"
SENT_ID = "txn_0197f3d1c2f07e3a8b4d9061f5c7e2a8"
RECEIVED_ID = "txn_0197f3d1c2f07f159e6a3b84d0c27f51"
REVERSAL_ID = "txn_0197f3d5e9b47620a1c8f3d70b5e4926"
TOPUP_ID = "top_0197f3d8b2c07d51b8e4a06f3d917c25"
TOPPED_UP_ID = "txn_0197f3d94e617a08a5d2f1b96c03e874"
PAYMENT_ID = "pay_5c1e9a7d40f24be8"
REDIRECT_URL = "https://shop.example.com/wallet"
CANCEL_URL = "https://shop.example.com/basket"
KEY_ID = "key_16c5413fa306bd42f25c44b9"
NEW_KEY_ID = "key_d3bd36dfb1d579c7d0c92801"
MERCHANT = "5b1f8a52-9f0e-4c7d-8a36-0e4d2c719b83"
ORIGIN = "https://shop.example.com"
SEALED = "bG9uZyB0ZXh0IHRoYXQgbm9ib2R5IHJlYWRzIHdpdGhvdXQgdGhlIGtleQ=="
USER = "5f0c2f0e-7d0a-5a3c-9b53-3f6f1f6f8f4d"
OPENED_AT = datetime(2026, 5, 24, 10, 0, tzinfo=UTC)
CREDITED_AT = datetime(2026, 5, 24, 10, 0, 4, 250_000, tzinfo=UTC)
DEBITED_AT = datetime(2026, 5, 24, 10, 1, 12, 731_204, tzinfo=UTC)
HELD_AT = datetime(2026, 5, 24, 10, 3, 37, 82_000, tzinfo=UTC)
CAPTURED_AT = datetime(2026, 5, 24, 10, 21, 5, 640_118, tzinfo=UTC)
TRANSFERRED_AT = datetime(2026, 5, 24, 11, 2, 48, 5_310, tzinfo=UTC)
ASKED_AT = datetime(2026, 5, 24, 11, 10, 2, 418_000, tzinfo=UTC)
PAID_AT = datetime(2026, 5, 24, 11, 12, 40, 96_221, tzinfo=UTC)
TOPUP_ENDS_AT = datetime(2026, 5, 24, 11, 40, 2, 418_000, tzinfo=UTC)
BONUS_ENDS_AT = datetime(2026, 7, 1, tzinfo=UTC)
KEY_ENDS_AT = datetime(2026, 5, 25, 11, 10, 2, 418_000, tzinfo=UTC)
HOLD_ENDS_AT = datetime(2026, 5, 25, 10, 0, tzinfo=UTC)
METADATA = Raw(b'{"campaign":"may"}')


def plain(value: object) -> Any:
    """The value as it looks in JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _money(balance_before: int, amount: int, balance_after: int, held: int = 0) -> dict[str, Any]:
    return {
        "amount": amount,
        "balance_before": balance_before,
        "balance_after": balance_after,
        "available_after": balance_after - held,
        "currency": "GHS",
    }


_BONUS = LotAmount(amount=2_000, expires_at=BONUS_ENDS_AT)
_UNTIL_JULY = Expiring(amount=2_000, next_at=BONUS_ENDS_AT, next_amount=2_000)
_TRANSFER: dict[str, Any] = {
    "transfer_id": TRANSFER_ID,
    "from_wallet_id": WALLET,
    "to_wallet_id": OTHER_WALLET,
    "sent_transaction_id": SENT_ID,
    "received_transaction_id": RECEIVED_ID,
    "reference": "kofi-lunch-17",
    "description": "Lunch",
}


EVENTS: dict[str, Event] = {
    "wallet.opened": WalletOpened(
        customer_id="cus_abc123", user_id=USER, currency="GHS", metadata=METADATA
    ),
    "wallet.credited": WalletCredited(
        **_money(0, 15_000, 15_000), reference="welcome-cus_abc123", description="Welcome"
    ),
    "wallet.debited": WalletDebited(
        **_money(15_000, 500, 14_500),
        reference="sms_batch_8821",
        description="500 text messages",
        metadata=METADATA,
    ),
    "wallet.debit_declined": DebitDeclined(
        code="insufficient_funds",
        amount=20_000,
        balance=14_500,
        available=14_500,
        currency="GHS",
        reference="sms_batch_8822",
        description="20 000 text messages",
    ),
    "wallet.credit_declined": CreditDeclined(
        code="balance_limit_exceeded",
        amount=MAX_AMOUNT_MINOR,
        balance=14_500,
        available=14_500,
        currency="GHS",
        reference="mistyped-1",
        description="",
    ),
    "wallet.credit_lapsed": CreditLapsed(**_money(11_250, 2_000, 9_250), expires_at=BONUS_ENDS_AT),
    "wallet.hold_placed": HoldPlaced(
        hold_id=HOLD_ID,
        amount=4_000,
        balance=16_500,
        available_after=12_500,
        currency="GHS",
        reference="ride-5512",
        description="Ride to the airport",
        allocated=(_BONUS, LotAmount(amount=2_000)),
        expires_at=HOLD_ENDS_AT,
    ),
    "wallet.hold_captured": HoldCaptured(
        **_money(16_500, 3_250, 13_250),
        hold_id=HOLD_ID,
        held_after=0,
        released=750,
        spent=(_BONUS, LotAmount(amount=1_250)),
        reference="ride-5512",
        description="Ride to the airport",
    ),
    "wallet.hold_released": HoldReleased(
        hold_id=HOLD_ID,
        cause="voided",
        amount=4_000,
        balance=16_500,
        available_after=16_500,
        expiring_after=_UNTIL_JULY,
        currency="GHS",
        returned=(_BONUS, LotAmount(amount=2_000)),
    ),
    "wallet.transfer_sent": TransferSent(**_money(13_250, 2_500, 10_750), **_TRANSFER),
    "wallet.transfer_received": TransferReceived(**_money(0, 2_500, 2_500), **_TRANSFER),
    "wallet.debit_reversed": DebitReversed(
        **_money(10_750, 500, 11_250),
        transaction_id=DEBIT_ID,
        reversed_after=500,
        reference="sms_batch_8821-refund",
        description="The messages were not sent",
    ),
    "wallet.credit_reversed": CreditReversed(
        **_money(16_500, 2_000, 14_500),
        transaction_id=BONUS_ID,
        reversed_after=2_000,
        spent=(_BONUS,),
        reference="bonus-may-void",
        description="The bonus was a mistake",
    ),
    "wallet.topup_created": TopupCreated(
        topup_id=TOPUP_ID,
        amount=5_000,
        currency="GHS",
        redirect_url=REDIRECT_URL,
        cancel_url=CANCEL_URL,
        expires_at=TOPUP_ENDS_AT,
        reference="basket-3381",
        description="Top-up",
    ),
    "wallet.topped_up": WalletToppedUp(
        **_money(11_250, 5_000, 16_250),
        topup_id=TOPUP_ID,
        payment_id=PAYMENT_ID,
        reference="basket-3381",
        description="Top-up",
    ),
    "wallet.topup_ended": TopupEnded(
        topup_id=TOPUP_ID, cause="expired", amount=5_000, currency="GHS"
    ),
    "wallet.topup_unapplied": TopupUnapplied(
        topup_id=TOPUP_ID,
        payment_id=PAYMENT_ID,
        code="wallet_frozen",
        amount=5_000,
        balance=11_250,
        available=11_250,
        currency="GHS",
        reference="basket-3381",
        description="Top-up",
    ),
    "wallet.topup_declined": TopupDeclined(
        change="create", code="wallet_closed", amount=5_000, balance=0, currency="GHS"
    ),
    "wallet.frozen": WalletFrozen(scope="debits", reason="The phone was stolen"),
    "wallet.unfrozen": WalletUnfrozen(reason="The phone was found"),
    "wallet.balance_forfeited": BalanceForfeited(**_money(14_500, 14_500, 0)),
    "wallet.closed": WalletClosed(),
    "wallet.change_declined": ChangeDeclined(
        change="close", code="wallet_not_empty", balance=14_500
    ),
    "wallet.void_declined": VoidDeclined(hold_id=HOLD_ID, code="hold_not_open", balance=14_500),
    "wallet.tier_raised": TierRaised(tier="TIER_TWO", identity=SEALED),
    "wallet.reviewed": WalletReviewed(
        outcome="approved", bank_code="999999", account_number="0000000006"
    ),
    "wallet.customer_erased": CustomerErased(user_id=USER, reason="The customer asked for it"),
    "wallet.identity_declined": IdentityDeclined(
        change="raise_tier", code="tier_not_raised", balance=14_500
    ),
    "tenant.merchant_created": MerchantCreated(
        merchant_id=MERCHANT, name="Ama's shop", environment="live"
    ),
    "tenant.credential_created": CredentialCreated(
        key_id=KEY_ID, scopes=("wallets:read", "wallets:write"), environment="live"
    ),
    "tenant.credential_rotated": CredentialRotated(
        key_id=NEW_KEY_ID,
        replaces_key_id=KEY_ID,
        ends_at=KEY_ENDS_AT,
        scopes=("wallets:read", "wallets:write"),
        environment="live",
        reason="Once a year",
    ),
    "tenant.credential_revoked": CredentialRevoked(key_id=KEY_ID, reason="It was in a log"),
    "tenant.credential_limited": CredentialLimited(key_id=KEY_ID, per_s=100, burst=500),
    "tenant.redirect_allowed": RedirectAllowed(merchant_id=MERCHANT, origin=ORIGIN),
    "tenant.redirect_disallowed": RedirectDisallowed(merchant_id=MERCHANT, origin=ORIGIN),
    "vault.maintenance_begun": VaultMaintenanceBegun(work="rotate_master_key"),
}

COMMANDS: dict[str, commands.Command] = {
    "create_wallet": commands.CreateWallet(
        customer_id="cus_abc123", currency="GHS", metadata=METADATA
    ),
    "credit_wallet": commands.CreditWallet(
        wallet_id=WALLET, amount=15_000, description="Welcome", reference="welcome-cus_abc123"
    ),
    "debit_wallet": commands.DebitWallet(
        wallet_id=WALLET,
        amount=500,
        description="500 text messages",
        reference="sms_batch_8821",
        metadata=METADATA,
    ),
    "freeze_wallet": commands.FreezeWallet(wallet_id=WALLET, reason="The phone was stolen"),
    "unfreeze_wallet": commands.UnfreezeWallet(wallet_id=WALLET, reason="The phone was found"),
    "close_wallet": commands.CloseWallet(wallet_id=WALLET, remaining_balance="forfeit"),
    "place_hold": commands.PlaceHold(
        wallet_id=WALLET,
        amount=4_000,
        description="Ride to the airport",
        reference="ride-5512",
        expires_at=HOLD_ENDS_AT,
    ),
    "capture_hold": commands.CaptureHold(hold_id=HOLD_ID, amount=3_250, final=True),
    "void_hold": commands.VoidHold(hold_id=HOLD_ID),
    "transfer_money": commands.TransferMoney(
        from_wallet_id=WALLET,
        to_wallet_id=OTHER_WALLET,
        amount=2_500,
        description="Lunch",
        reference="kofi-lunch-17",
    ),
    "reverse_transaction": commands.ReverseTransaction(
        transaction_id=DEBIT_ID,
        description="The messages were not sent",
        reference="sms_batch_8821-refund",
    ),
    "create_topup": commands.CreateTopup(
        wallet_id=WALLET,
        amount=5_000,
        redirect_url=REDIRECT_URL,
        cancel_url=CANCEL_URL,
        description="Top-up",
        reference="basket-3381",
    ),
    "complete_topup": commands.CompleteTopup(
        topup_id=TOPUP_ID, payment_id=PAYMENT_ID, amount=5_000, currency="GHS"
    ),
    "cancel_topup": commands.CancelTopup(topup_id=TOPUP_ID),
    "expire_due": commands.ExpireDue(wallet_id=WALLET),
}

RESULTS: dict[str, results.CommandResult] = {
    "accepted": results.CommandResult(
        status="accepted",
        transaction=results.TransactionView(
            id=DEBIT_ID,
            wallet_id=WALLET,
            type="debit",
            kind="debit",
            status="completed",
            amount=500,
            balance_before=15_000,
            balance_after=14_500,
            available_balance=14_500,
            currency="GHS",
            reference="sms_batch_8821",
            description="500 text messages",
            code=None,
            created_at=DEBITED_AT,
            version=3,
            metadata=METADATA,
        ),
        position=1842,
        version=3,
    ),
    "declined": results.CommandResult(
        status="declined",
        rejection=InsufficientFunds(amount=20_000, available=14_500),
        position=1843,
        version=4,
    ),
}

REJECTED_MESSAGE = results.RejectedMessage(
    topic="ledger.commands",
    partition=2,
    offset=77,
    reason="malformed_request",
    detail="the value is not JSON",
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)
