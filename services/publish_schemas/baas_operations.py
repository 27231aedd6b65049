"""The calls of the BaaS API that this release answers, one row each."""

from typing import Final, Literal

from msgspec import Struct

from schemas.http import baas_wallets as http


class BaasOperation(Struct, frozen=True, kw_only=True):
    """One call: what it takes, what it answers, and with which status it can be refused."""

    id: str
    method: Literal["get", "post"]
    path: str
    """Under `/baas/v1`."""
    group: str
    summary: str
    description: str
    scope: str = "wallets:write"
    parameters: tuple[str, ...] = ("Idempotency-Key",)
    request: type[Struct] | None = None
    is_form: bool = False
    answer: type[Struct] = http.WalletAnswer
    answer_description: str = "The wallet."
    status: int = 201
    bearer_too: bool = False
    refusals: tuple[int, ...]
    """Beside those that every call has."""


_BODY: Final = (400, 413, 415)
_PAGES: Final = ("page", "limit")

OPERATIONS: Final[tuple[BaasOperation, ...]] = (
    BaasOperation(
        id="createWallet",
        method="post",
        path="/wallets",
        group="Wallets",
        summary="Open a wallet at tier one",
        description="The same BVN with the same details gets the existing wallet.",
        request=http.CreateWalletRequest,
        refusals=(*_BODY, 409, 410, 422),
    ),
    BaasOperation(
        id="createWalletAtTierTwo",
        method="post",
        path="/wallets/tier-2",
        group="Wallets",
        summary="Open a wallet at tier two",
        description="As at tier one, with a NIN.",
        request=http.TierTwoWalletRequest,
        refusals=(*_BODY, 409, 410, 422),
    ),
    BaasOperation(
        id="createWalletAtTierThree",
        method="post",
        path="/wallets/tier-3",
        group="Wallets",
        summary="Open a wallet at tier three",
        description=(
            "A form with a utility bill. The wallet is `IN_ACTIVE`, and has no account number, "
            "until a review approves it."
        ),
        request=http.TierThreeForm,
        is_form=True,
        bearer_too=True,
        refusals=(*_BODY, 409, 410, 422),
    ),
    BaasOperation(
        id="getReview",
        method="get",
        path="/wallets/tier-3",
        group="Wallets",
        summary="Read the outcome of a review",
        description="The wallet, with `review_status`.",
        scope="wallets:read",
        parameters=("wallet_reference",),
        status=200,
        bearer_too=True,
        refusals=(400, 404),
    ),
    BaasOperation(
        id="upgradeToTierTwo",
        method="post",
        path="/wallets/upgrade-tier-2",
        group="Wallets",
        summary="Raise a customer to tier two",
        description="With the NIN, for the named account.",
        request=http.UpgradeToTierTwoRequest,
        refusals=(*_BODY, 404, 409, 410, 422),
    ),
    BaasOperation(
        id="listWallets",
        method="get",
        path="/wallets",
        group="Wallets",
        summary="List wallets",
        description="Newest first. A wallet that was just made may not be listed yet.",
        scope="wallets:read",
        parameters=_PAGES,
        answer=http.WalletListAnswer,
        answer_description="A page of wallets.",
        status=200,
        refusals=(400,),
    ),
    BaasOperation(
        id="getWallet",
        method="get",
        path="/wallets/{customer_id}",
        group="Wallets",
        summary="Get a customer's wallet",
        description="The open one, or else the last one that was closed.",
        scope="wallets:read",
        parameters=("customer_id",),
        status=200,
        refusals=(400, 404),
    ),
    BaasOperation(
        id="getMerchantWallet",
        method="get",
        path="/wallets/merchants",
        group="Wallets",
        summary="Get the merchant's own wallet",
        description=(
            "An account of the books, in naira: crediting a customer lowers it, debiting one "
            "raises it. It may be negative, and never makes a credit fail."
        ),
        scope="wallets:read",
        parameters=(),
        status=200,
        refusals=(),
    ),
    *(
        BaasOperation(
            id=f"{verb}Wallet",
            method="post",
            path=f"/wallets/{verb}",
            group="Wallets",
            summary=f"{verb.capitalize()} a wallet",
            description=f"The wallet of the named account. {what}",
            request=http.FreezeRequest,
            status=200,
            bearer_too=True,
            refusals=(*_BODY, 404, 409),
        )
        for verb, what in (
            ("freeze", "No money enters or leaves it."),
            ("unfreeze", "Lifts every freeze."),
        )
    ),
    *(
        BaasOperation(
            id=f"{verb}Wallet",
            method="post",
            path=f"/wallets/{verb}",
            group="Money",
            summary=f"{verb.capitalize()} a customer",
            description=what,
            request=request,
            answer=http.TransactionAnswer,
            answer_description="The transaction.",
            refusals=(*_BODY, 404, 409),
        )
        for verb, what, request in (
            ("credit", "Puts money into the customer's wallet.", http.CreditWalletRequest),
            ("debit", "Takes money out of the customer's wallet.", http.DebitWalletRequest),
        )
    ),
    BaasOperation(
        id="transferMoney",
        method="post",
        path="/wallets/transfer/bank",
        group="Money",
        summary="Move money between two wallets",
        description="Both legs in one commit, or neither.",
        scope="transfers:write",
        request=http.BankTransferRequest,
        answer=http.TransactionAnswer,
        answer_description="The receiver's transaction.",
        refusals=(*_BODY, 404, 409),
    ),
    BaasOperation(
        id="getTransaction",
        method="get",
        path="/transactions/{reference}",
        group="Transactions",
        summary="Get a transaction by its reference",
        description=(
            "The completed one, or else the latest that failed, with the reason as its "
            "`description`. For a transfer, the credited leg. A top-up that waits for its "
            "payment is `PENDING`."
        ),
        scope="wallets:read",
        parameters=("reference",),
        answer=http.TransactionAnswer,
        answer_description="The transaction.",
        status=200,
        refusals=(400, 404),
    ),
    BaasOperation(
        id="listCustomerTransactions",
        method="get",
        path="/transactions/customer/{customer_id}",
        group="Transactions",
        summary="List a customer's transactions",
        description=(
            "Completed and failed ones, newest first. A page that would skip more than 10000 of "
            "them is refused with 400; the other API pages by a cursor, however many there are."
        ),
        scope="wallets:read",
        parameters=("customer_id", *_PAGES),
        answer=http.CustomerTransactionListAnswer,
        answer_description="A page of transactions.",
        status=200,
        refusals=(400, 404),
    ),
    BaasOperation(
        id="getCustomerTransaction",
        method="get",
        path="/transactions/customer/{customer_id}/{reference}",
        group="Transactions",
        summary="Get a customer's transaction by its reference",
        description="For a transfer, the customer's own leg.",
        scope="wallets:read",
        parameters=("customer_id", "reference"),
        answer=http.CustomerTransactionAnswer,
        answer_description="The transaction.",
        status=200,
        refusals=(404,),
    ),
)
