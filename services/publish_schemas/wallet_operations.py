"""The calls of the Credit Wallets API that concern one wallet and its money, one row each."""

from services.publish_schemas import http_examples as examples
from services.publish_schemas.operation import ALWAYS, BEHIND, COMMAND, FIELDS, LIST, Operation


def _change(name: str, summary: str, description: str, **rest: object) -> Operation:
    """A call that changes a wallet, and answers with the wallet or a transaction."""
    row: dict[str, object] = {
        "id": f"{name}Wallet",
        "method": "post",
        "path": f"/v1/wallets/{{wallet_id}}/{name}",
        "summary": summary,
        "description": description,
        "scope": "wallets:write",
        "parameters": ("wallet_id", "idempotency_key"),
        "answer_headers": ("ETag", "Idempotent-Replayed"),
    }
    return Operation(**(row | rest))  # type: ignore[arg-type]


WALLET_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="createWallet",
        method="post",
        path="/v1/wallets",
        group="Wallets",
        summary="Open a wallet",
        description=(
            "One open wallet per customer and currency: a second one is refused with "
            "`wallet_exists`, which names the first. After closing, another can be opened."
        ),
        scope="wallets:write",
        parameters=("idempotency_key",),
        request=examples.CREATE_REQUEST,
        answer=examples.NEW_WALLET,
        answer_description="The new wallet.",
        status=201,
        answer_headers=("ETag", "Idempotent-Replayed", "Location"),
        problems=(*COMMAND, *FIELDS, "wallet_exists", "customer_id_conflict"),
    ),
    Operation(
        id="listWallets",
        method="get",
        path="/v1/wallets",
        group="Wallets",
        summary="List wallets",
        description=(
            "Newest first. The list may lag behind by moments; with `customer_id` it shows every "
            "change that was acknowledged before. For a customer with very many wallets a page "
            "may have fewer than `limit`: it is the last one only if `has_more` is false."
        ),
        scope="wallets:read",
        parameters=("customer_id", "currency", "wallet_status", "limit", "after", "consistency"),
        answer=examples.WALLETS,
        answer_description="A page of wallets.",
        problems=(*LIST, *BEHIND, "invalid_status"),
    ),
    Operation(
        id="getWallet",
        method="get",
        path="/v1/wallets/{wallet_id}",
        group="Wallets",
        summary="Get a wallet",
        description="Shows every change that was acknowledged before the call.",
        scope="wallets:read",
        parameters=("wallet_id", "consistency", "if_none_match"),
        answer=examples.wallet(14_500),
        answer_description="The wallet.",
        answer_headers=("ETag", "Ledger-Lag"),
        unchanged=True,
        problems=(*ALWAYS, *BEHIND, "wallet_not_found"),
    ),
    _change(
        "freeze",
        "Freeze a wallet",
        (
            "Without a scope money no longer goes out: not by a debit, a hold, a capture or a "
            "transfer. Credits still go in, and what is held stays held. Another freeze adds its "
            "scope to what is already stopped; repeating one is 200."
        ),
        group="Wallets",
        request=examples.FREEZE_REQUEST,
        body_required=False,
        answer=examples.wallet(14_500, "frozen"),
        answer_description="The wallet.",
        problems=(*COMMAND, *FIELDS, "wallet_not_found", "wallet_closed"),
    ),
    _change(
        "unfreeze",
        "Unfreeze a wallet",
        "Lifts every freeze. Unfreezing a wallet that is not frozen is 200.",
        group="Wallets",
        request=examples.UNFREEZE_REQUEST,
        body_required=False,
        answer=examples.wallet(14_500),
        answer_description="The wallet.",
        problems=(*COMMAND, *FIELDS, "wallet_not_found", "wallet_closed"),
    ),
    _change(
        "close",
        "Close a wallet",
        (
            "For good. Open holds are released first. A wallet with money in it is then closed "
            "only if the body says what happens to the money: it goes to you, or to another "
            "wallet of the same currency. A frozen wallet is closed only if it is empty. Closing "
            "twice is 200."
        ),
        group="Wallets",
        request=examples.CLOSE_REQUEST,
        body_required=False,
        answer=examples.wallet(0, "closed"),
        answer_description="The wallet.",
        problems=(
            *COMMAND,
            *FIELDS,
            "wallet_not_found",
            "same_wallet",
            "currency_mismatch",
            "wallet_not_empty",
            "wallet_frozen",
            "wallet_inactive",
            "tier_limit_exceeded",
            "wallet_closed",
            "balance_limit_exceeded",
            "too_many_lots",
        ),
    ),
    _change(
        "credit",
        "Credit a wallet",
        (
            "An admin credit, without a payment behind it. With `expires_at` it is spent before "
            "money that lapses later or never, and whatever remains of it lapses at that moment."
        ),
        group="Money",
        request=examples.CREDIT_REQUEST,
        answer=examples.BONUS,
        answer_description="The transaction.",
        problems=(
            *COMMAND,
            *FIELDS,
            "wallet_not_found",
            "expiry_not_ahead",
            "wallet_closed",
            "wallet_frozen",
            "wallet_inactive",
            "tier_limit_exceeded",
            "balance_limit_exceeded",
            "too_many_lots",
        ),
    ),
    _change(
        "debit",
        "Debit a wallet",
        (
            "Takes money out, if enough is available. A declined debit does not use up its "
            "reference: you can try again with it after a credit."
        ),
        group="Money",
        request=examples.DEBIT_REQUEST,
        answer=examples.DEBIT,
        answer_description="The transaction.",
        problems=(
            *COMMAND,
            *FIELDS,
            "wallet_not_found",
            "wallet_closed",
            "wallet_frozen",
            "wallet_inactive",
            "tier_limit_exceeded",
            "insufficient_funds",
        ),
    ),
    Operation(
        id="listTransactions",
        method="get",
        path="/v1/wallets/{wallet_id}/transactions",
        group="Money",
        summary="List a wallet's transactions",
        description=(
            "Newest first. Declined ones are listed only with `status=failed`. Shows every "
            "change that was acknowledged before the call."
        ),
        scope="wallets:read",
        parameters=(
            "wallet_id",
            "transaction_type",
            "transaction_status",
            "limit",
            "after",
            "consistency",
        ),
        answer=examples.TRANSACTIONS,
        answer_description="A page of transactions.",
        answer_headers=("ETag", "Ledger-Lag"),
        problems=(*LIST, *BEHIND, "wallet_not_found", "invalid_type", "invalid_status"),
    ),
)
