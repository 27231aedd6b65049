"""The Credit Wallets API's calls about two wallets, or one transaction, one row each."""

from services.publish_schemas import http_examples as examples
from services.publish_schemas.operation import ALWAYS, BEHIND, COMMAND, FIELDS, Operation

_CHANGED = ("ETag", "Idempotent-Replayed")

TRANSFER_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="transferMoney",
        method="post",
        path="/v1/transfers",
        group="Transfers",
        summary="Transfer money",
        description=(
            "Both wallets change in one append, or neither does. Money that expires soonest goes "
            "first, and keeps its moment in the receiving wallet."
        ),
        scope="transfers:write",
        parameters=("idempotency_key",),
        request=examples.TRANSFER_REQUEST,
        answer=examples.TRANSFER,
        answer_description="The transfer.",
        status=201,
        answer_headers=(*_CHANGED, "Location"),
        problems=(
            *COMMAND,
            *FIELDS,
            "wallet_not_found",
            "same_wallet",
            "currency_mismatch",
            "wallet_closed",
            "wallet_frozen",
            "wallet_inactive",
            "tier_limit_exceeded",
            "insufficient_funds",
            "balance_limit_exceeded",
            "too_many_lots",
        ),
    ),
    Operation(
        id="getTransfer",
        method="get",
        path="/v1/transfers/{transfer_id}",
        group="Transfers",
        summary="Get a transfer",
        description="A transfer never changes; its reversals are transactions.",
        scope="wallets:read",
        parameters=("transfer_id",),
        answer=examples.TRANSFER,
        answer_description="The transfer.",
        problems=(*ALWAYS, "transfer_not_found"),
    ),
    Operation(
        id="getTransaction",
        method="get",
        path="/v1/transactions/{transaction_id}",
        group="Money",
        summary="Get a transaction",
        description="Shows every change that was acknowledged before the call.",
        scope="wallets:read",
        parameters=("transaction_id", "consistency"),
        answer=examples.SENT,
        answer_description="The transaction.",
        answer_headers=("ETag", "Ledger-Lag"),
        problems=(*ALWAYS, *BEHIND, "transaction_not_found"),
    ),
    Operation(
        id="reverseTransaction",
        method="post",
        path="/v1/transactions/{transaction_id}/reverse",
        group="Money",
        summary="Reverse a transaction",
        description=(
            "Undoes a debit, a credit, a capture or a transfer by an opposite transaction: what "
            "is not reversed yet, or `amount` of it. A reversed debit goes back to where it came "
            "from, and lapses if that is due. Both legs of a transfer go back, or neither. "
            "Closed wallets' transactions, expiries, reversals and forfeitures are not "
            "reversible."
        ),
        scope="wallets:write",
        parameters=("transaction_id", "idempotency_key"),
        request=examples.REVERSE_REQUEST,
        answer=examples.REVERSAL,
        answer_description="The transaction that undoes it.",
        answer_headers=_CHANGED,
        problems=(
            *COMMAND,
            *FIELDS,
            "transaction_not_found",
            "not_reversible",
            "reversal_exceeds_transaction",
            "wallet_closed",
            "wallet_frozen",
            "wallet_inactive",
            "insufficient_funds",
            "balance_limit_exceeded",
            "too_many_lots",
        ),
    ),
)
