"""Examples of the BaaS API by operation: Ngozi's wallet, her salary, what she pays. All made up."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Final

from msgspec import Raw, Struct
from msgspec.structs import replace

from schemas.commands import NO_METADATA
from schemas.http import baas_wallets as http

_BVN: Final = "22222222222"
_NIN: Final = "11111111111"
CUSTOMER_ID: Final = "39433a5d-95b9-5715-958c-361fbd535375"
WALLET_ID: Final = "01a20131-c073-7dde-b7ca-e2be91b7ff97"
_OTHER_WALLET_ID: Final = "01a20131-e2b4-7c11-9a51-2f6f3a5d9b02"
_MERCHANT_ID: Final = "7d3fca10-2c5e-4f0a-9d0e-0c8c1b5a6f21"
_ACCOUNT_NUMBER: Final = "0000000006"
REFERENCE: Final = "salary_2026_11"
_METADATA: Final = b'{"month":"2026-11"}'
_AT: Final = datetime(2026, 11, 22, 9, 30, 15, 120_000, tzinfo=UTC)

_CREATE: Final = http.CreateWalletRequest(
    bvn=_BVN,
    first_name="Ngozi",
    last_name="Adeyemi",
    date_of_birth="28-02-1992",
    phone_number="08012345678",
    email="ngozi@example.com",
    address="12 Marina Road",
)
_AT_TIER_TWO: Final = http.TierTwoWalletRequest(
    bvn=_BVN,
    first_name="Ngozi",
    last_name="Adeyemi",
    date_of_birth="28-02-1992",
    phone_number="08012345678",
    email="ngozi@example.com",
    address="12 Marina Road",
    nin=_NIN,
)
_AT_TIER_THREE: Final = http.TierThreeForm(
    utility_bill_image="@bill.pdf",
    address="12 Marina Road",
    bvn=_BVN,
    nin=_NIN,
    postal_code="101233",
    country="Nigeria",
    state="Lagos",
    lga="Lagos Island",
    city="Lagos",
    first_name="Ngozi",
    last_name="Adeyemi",
    phone="08012345678",
    email="ngozi@example.com",
    dob="1992-02-28",
)
_FREEZE: Final = http.FreezeRequest(account_number=_ACCOUNT_NUMBER, reason="The phone was stolen")
_CREDIT: Final = http.CreditWalletRequest(
    amount=Raw(b"1000.55"), customer_id=CUSTOMER_ID, reference=REFERENCE, metadata=Raw(_METADATA)
)
_DEBIT: Final = http.DebitWalletRequest(
    amount=Raw(b"250.5"), customer_id=CUSTOMER_ID, reference="rent_2026_11", metadata=NO_METADATA
)
_TRANSFER: Final = http.BankTransferRequest(
    amount=Raw(b"100"),
    from_wallet_id=WALLET_ID,
    to_wallet_id=_OTHER_WALLET_ID,
    narration="For the tickets",
    reference="tickets_8821",
)

REQUESTS: Final[dict[str, Struct]] = {
    "createWallet": _CREATE,
    "createWalletAtTierTwo": _AT_TIER_TWO,
    "createWalletAtTierThree": _AT_TIER_THREE,
    "upgradeToTierTwo": http.UpgradeToTierTwoRequest(nin=_NIN, account_number=_ACCOUNT_NUMBER),
    "freezeWallet": _FREEZE,
    "unfreezeWallet": replace(_FREEZE, reason="There is a new phone"),
    "creditWallet": _CREDIT,
    "debitWallet": _DEBIT,
    "transferMoney": _TRANSFER,
}

_WALLET: Final = http.Wallet(
    id=WALLET_ID,
    merchant_id=_MERCHANT_ID,
    environment="SANDBOX",
    currency="NGN",
    bank_name="Sandbox Bank",
    bank_code="999999",
    account_name="Ngozi Adeyemi",
    account_number=_ACCOUNT_NUMBER,
    created_at=_AT,
    updated_at=_AT,
    booked_balance=Raw(b"0"),
    available_balance=Raw(b"0"),
    status="ACTIVE",
    updated=False,
    wallet_type="Customer",
    user_id=CUSTOMER_ID,
)
_WAITING: Final = replace(
    _WALLET,
    account_number=None,
    status="IN_ACTIVE",
    account_type="WALLET",
    account_category="CUSTOMER",
    tier="TIER_THREE",
    expiry_time=None,
)
_MERCHANTS: Final = replace(
    _WALLET,
    id="0e4f4a0b-6f0e-4c9e-8a57-2a3c1f5d7e64",
    account_name="Sandbox",
    account_number=None,
    booked_balance=Raw(b"-1000.55"),
    available_balance=Raw(b"-1000.55"),
    wallet_type="Merchant",
    user_id=None,
    account_type="WALLET",
    account_category="MERCHANT",
    tier=None,
    expiry_time=None,
)
_CREDITED: Final = http.Transaction(
    id="01a20131-d5a0-7b3c-8f7e-6f5d0a1c2b3e",
    user_id=CUSTOMER_ID,
    merchant_id=_MERCHANT_ID,
    reference=REFERENCE,
    currency="NGN",
    environment="SANDBOX",
    amount=Raw(b"1000.55"),
    balance_before=Raw(b"0"),
    balance_after=Raw(b"1000.55"),
    metadata=b64encode(_METADATA).decode(),
    status="COMPLETED",
    destination=None,
    description=None,
    type="CREDIT",
    category="CREDIT_CUSTOMER_WALLET",
)
_DEBITED: Final = replace(
    _CREDITED,
    id="01a20131-d9c4-7f02-9b1d-0a4e7c6d5f18",
    reference="rent_2026_11",
    amount=Raw(b"250.5"),
    balance_before=Raw(b"1000.55"),
    balance_after=Raw(b"750.05"),
    metadata=None,
    type="DEBIT",
    category="DEBIT_CUSTOMER_WALLET",
)
_RECEIVED: Final = replace(
    _CREDITED,
    id="01a20131-ea17-7d90-a2c6-5b3f8e9d0c41",
    user_id="8c6f0d2e-51ab-5e7d-b0c4-93a1de77f5b0",
    reference="tickets_8821",
    amount=Raw(b"100"),
    balance_after=Raw(b"100"),
    metadata=None,
    description="For the tickets",
    category="TRANSFER",
    from_wallet_id=WALLET_ID,
    to_wallet_id=_OTHER_WALLET_ID,
)


def _wallet(message: str, wallet: http.Wallet = _WALLET) -> Struct:
    return http.WalletAnswer(success=True, message=message, data=wallet)


def _moved(message: str, transaction: http.Transaction) -> Struct:
    return http.TransactionAnswer(success=True, message=message, data=transaction)


_PAGE: Final = http.PageMeta(page=1, limit=10, total_items=2, total_pages=1)
_OPENED: Final = "Customer wallet created successfully"

ANSWERS: Final[dict[str, Struct]] = {
    "createWallet": _wallet(_OPENED),
    "createWalletAtTierTwo": _wallet(_OPENED),
    "createWalletAtTierThree": _wallet("Wallet created successfully", _WAITING),
    "getReview": _wallet("Successfully fetched wallet", replace(_WAITING, review_status="PENDING")),
    "upgradeToTierTwo": _wallet(_OPENED, replace(_WALLET, updated=True)),
    "freezeWallet": _wallet("Successfully froze wallet", replace(_WALLET, status="FROZEN")),
    "unfreezeWallet": _wallet("Successfully unfroze wallet"),
    "listWallets": http.WalletListAnswer(
        success=True,
        message="Successfully fetched wallets",
        data=[_WALLET],
        meta=replace(_PAGE, total_items=1),
    ),
    "getWallet": _wallet("Successfully fetched wallet"),
    "getMerchantWallet": _wallet("wallet detail retrieved successfully", _MERCHANTS),
    "creditWallet": _moved("Successfully credit customer wallet", _CREDITED),
    "debitWallet": _moved("Successfully debit customer wallet", _DEBITED),
    "transferMoney": _moved("Successfully transferred between wallets", _RECEIVED),
    "getTransaction": _moved("Successfully fetched transactions", _CREDITED),
    "listCustomerTransactions": http.CustomerTransactionListAnswer(
        status_code=200,
        status="success",
        data=[replace(each, total_items=2) for each in (_DEBITED, _CREDITED)],
        meta=_PAGE,
    ),
    "getCustomerTransaction": http.CustomerTransactionAnswer(
        status_code=200, status="success", data=_CREDITED
    ),
}
