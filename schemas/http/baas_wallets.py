"""Request and answer shapes of the BaaS API (BaaS Customer Wallets), under `/baas/v1`.

Amounts are JSON numbers in major units, and kept as their own characters, so that no float
ever stands between. What holds personal data does not show it in its `repr`.
Unknown fields of a request are ignored.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from schemas.commands import NO_METADATA, Metadata, Reason
from schemas.identifiers import Reference
from schemas.personal import Personal
from schemas.tiers import Tier

DEFAULT_PAGE = 1
DEFAULT_PAGE_LIMIT = 10
MAX_PAGE_LIMIT = 100
UTILITY_BILL_FIELD = "utility_bill_image"

Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        extra_json_schema={"format": "uuid"},
    ),
]
MerchantId = Annotated[Uuid, Meta(description="The merchant.")]
CustomerId = Annotated[
    Uuid, Meta(description="A customer, as every call takes it: `user_id` of the wallet.")
]
WalletId = Annotated[Uuid, Meta(description="A wallet: `wal_…` of the other API, as a UUID.")]
TransactionId = Annotated[
    Uuid, Meta(description="A transaction: `txn_…` of the other API, as a UUID.")
]
MajorAmount = Annotated[
    Raw,
    Meta(
        description=(
            "An amount in major units, with at most the currency's decimals: 1000, 1000.5, "
            "1000.55. No sign, exponent or string."
        ),
        extra_json_schema={
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 9_999_999_999_999.99,
        },
    ),
]
MajorBalance = Annotated[
    Raw,
    Meta(
        description="A balance in major units, exact.",
        extra_json_schema={"type": "number"},
    ),
]
Currency = Annotated[Literal["NGN"], Meta(description="Naira, always.")]
Environment = Annotated[
    Literal["SANDBOX", "LIVE"], Meta(description="Which environment the API key belongs to.")
]
AccountNumber = Annotated[
    str, Meta(pattern="^[0-9]{10}$", description="A NUBAN: nine digits and their check digit.")
]
IdentityNumber = Annotated[str, Meta(pattern="^[0-9]{11}$")]
Bvn = Annotated[IdentityNumber, Meta(description="The customer's Bank Verification Number.")]
Nin = Annotated[IdentityNumber, Meta(description="The customer's National Identity Number.")]
FirstName = Annotated[str, Meta(max_length=100, description="In the sandbox `John`, if left out.")]
LastName = Annotated[str, Meta(max_length=100, description="In the sandbox `Doe`, if left out.")]
PhoneNumber = Annotated[
    str,
    Meta(
        max_length=32,
        description="A Nigerian number as it is dialled, or any number with + and country code.",
        examples=["08012345678", "+2348012345678"],
    ),
]
Email = Annotated[str, Meta(max_length=254, description="An e-mail address.")]
Address = Annotated[str, Meta(max_length=255, description="Street and house.")]
PostalCode = Annotated[str, Meta(max_length=16)]
Narration = Annotated[str, Meta(max_length=1024, description="What the transfer is for.")]
MadeReference = Annotated[
    Reference | None,
    Meta(description="Without it, one is made: `TXN-<unix seconds>-<16 hexadecimal digits>`."),
]
WalletStatus = Literal["ACTIVE", "IN_ACTIVE", "FROZEN", "CLOSED"]
ReviewStatus = Literal["PENDING", "APPROVED", "REJECTED"]
TransactionStatus = Literal["PENDING", "COMPLETED", "FAILED"]
TransactionCategory = Literal[
    "CREDIT_CUSTOMER_WALLET",
    "DEBIT_CUSTOMER_WALLET",
    "TRANSFER",
    "TOPUP",
    "EXPIRY",
    "HOLD_CAPTURE",
    "REVERSAL",
]


class CreateWalletRequest(Personal, frozen=True, kw_only=True):
    """Open a wallet for a customer at tier one."""

    bvn: Bvn
    first_name: FirstName
    last_name: LastName
    date_of_birth: Annotated[
        str, Meta(pattern="^[0-9]{2}-[0-9]{2}-[0-9]{4}$", description="DD-MM-YYYY.")
    ]
    phone_number: PhoneNumber
    email: Email
    address: Address


class TierTwoWalletRequest(CreateWalletRequest, frozen=True, kw_only=True):
    """Open a wallet for a customer at tier two."""

    nin: Nin


class UpgradeToTierTwoRequest(Personal, frozen=True, kw_only=True):
    """Raise the customer of an account to tier two."""

    nin: Nin
    account_number: AccountNumber


class TierThreeForm(Personal, frozen=True, kw_only=True):
    """Open a wallet at tier three, as a multipart form. It waits for review."""

    utility_bill_image: Annotated[
        str,
        Meta(
            description="The file: an image or a PDF of at most 10 MB.",
            extra_json_schema={"format": "binary"},
        ),
    ]
    address: Address
    bvn: Bvn
    nin: Nin
    postal_code: PostalCode
    postal_ccode: Annotated[
        PostalCode | UnsetType, Meta(description="Another name for `postal_code`.")
    ] = UNSET
    country: Annotated[str, Meta(max_length=100)]
    state: Annotated[str, Meta(max_length=100)]
    lga: Annotated[str, Meta(max_length=100, description="Local government area.")]
    city: Annotated[str, Meta(max_length=100)]
    first_name: FirstName
    last_name: LastName
    phone: PhoneNumber
    email: Email
    dob: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="YYYY-MM-DD.")]


class CreditWalletRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Put money into a customer's wallet."""

    amount: MajorAmount
    customer_id: CustomerId
    reference: MadeReference = None
    metadata: Metadata = NO_METADATA


class DebitWalletRequest(CreditWalletRequest, frozen=True, kw_only=True, gc=False):
    """Take money out of a customer's wallet."""


class BankTransferRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Move money between two wallets: both legs in one commit, or neither."""

    amount: MajorAmount
    from_wallet_id: Annotated[WalletId, Meta(description="The wallet that sends the money.")]
    to_wallet_id: Annotated[WalletId, Meta(description="The wallet that receives it.")]
    narration: Narration | None = None
    reference: MadeReference = None
    metadata: Metadata = NO_METADATA


class FreezeRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Freeze or unfreeze the wallet of an account."""

    account_number: AccountNumber
    reason: Reason


class Wallet(Personal, frozen=True, kw_only=True):
    """A wallet as it stands. Tier-three and merchant wallets carry the last four fields too."""

    id: WalletId
    merchant_id: MerchantId
    environment: Environment
    currency: Currency
    bank_name: str
    bank_code: Annotated[str, Meta(pattern="^[0-9]{6}$")]
    account_name: Annotated[
        str | None, Meta(description="Null if the customer's name is not known.")
    ]
    account_number: Annotated[
        AccountNumber | None, Meta(description="Null while the wallet has none, during a review.")
    ]
    created_at: datetime
    updated_at: datetime
    booked_balance: MajorBalance
    available_balance: Annotated[MajorBalance, Meta(description="What can be spent now.")]
    status: WalletStatus
    updated: Annotated[bool, Meta(description="Whether the KYC was upgraded after opening.")]
    wallet_type: Literal["Customer", "Merchant"]
    user_id: Annotated[CustomerId | None, Meta(description="Null for the merchant's own wallet.")]
    account_type: Literal["WALLET"] | UnsetType = UNSET
    account_category: Literal["CUSTOMER", "MERCHANT"] | UnsetType = UNSET
    tier: Tier | UnsetType | None = UNSET
    expiry_time: UnsetType | None = UNSET
    review_status: Annotated[
        ReviewStatus | UnsetType,
        Meta(description="Only in the answer about a review: its outcome."),
    ] = UNSET


class Transaction(Struct, frozen=True, kw_only=True, gc=False):
    """One movement of money, or a declined one.

    One leg of a transfer carries both wallets; an entry of a list carries the list's length.
    """

    id: TransactionId
    user_id: CustomerId
    merchant_id: MerchantId
    reference: Annotated[str | None, Meta(description="Null if the movement has no reference.")]
    currency: Currency
    environment: Environment
    amount: MajorAmount
    balance_before: MajorBalance
    balance_after: MajorBalance
    metadata: Annotated[
        str | None, Meta(description="Base64 of the JSON text that was sent; null if none was.")
    ]
    status: TransactionStatus
    destination: str | None
    description: str | None
    type: Literal["CREDIT", "DEBIT"]
    category: TransactionCategory
    from_wallet_id: WalletId | UnsetType = UNSET
    to_wallet_id: WalletId | UnsetType = UNSET
    total_items: int | UnsetType = UNSET


class PageMeta(Struct, frozen=True, kw_only=True, gc=False):
    """Which page of a list this is."""

    page: Annotated[int, Meta(ge=1)]
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_LIMIT)]
    total_items: int = field(name="totalItems")
    total_pages: int = field(name="totalPages")


class WalletAnswer(Struct, frozen=True, kw_only=True):
    """One wallet."""

    success: Literal[True]
    message: str
    data: Wallet


class WalletListAnswer(Struct, frozen=True, kw_only=True):
    """A page of wallets."""

    success: Literal[True]
    message: str
    data: list[Wallet]
    meta: PageMeta


class TransactionAnswer(Struct, frozen=True, kw_only=True):
    """One transaction; for a transfer, the credited leg."""

    success: Literal[True]
    message: str
    data: Transaction


class CustomerTransactionAnswer(Struct, frozen=True, kw_only=True):
    """One transaction of a customer."""

    status_code: Literal[200] = field(name="statusCode")
    status: Literal["success"]
    data: Transaction


class CustomerTransactionListAnswer(Struct, frozen=True, kw_only=True):
    """A page of a customer's transactions, newest first."""

    status_code: Literal[200] = field(name="statusCode")
    status: Literal["success"]
    data: list[Transaction]
    meta: PageMeta


class FieldError(Struct, frozen=True, kw_only=True, gc=False):
    """What is wrong with one field. It never repeats the field's value."""

    field: str
    message: str


class FailureAnswer(Struct, frozen=True, kw_only=True):
    """Why a call was refused."""

    success: Literal[False]
    status_code: Annotated[int, Meta(ge=400, le=599)] = field(name="statusCode")
    message: Annotated[str, Meta(description="For people; may change.")]
    errors: Annotated[list[FieldError], Meta(description="All the offending fields.")]
