"""The calls that look at the books, one row each."""

from services.publish_schemas import book_examples as examples
from services.publish_schemas.operation import ALWAYS, BEHIND, LIST, Operation

BOOK_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listAccounts",
        method="get",
        path="/v1/accounts",
        group="Books",
        summary="List the accounts",
        description=(
            "One for each account of the chart and currency that has entries. Debits are "
            "positive, credits negative: what you owe your customers is below 0. Shows every "
            "movement that was acknowledged before the call."
        ),
        scope="wallets:read",
        parameters=("limit", "after", "consistency"),
        answer=examples.ACCOUNTS,
        answer_description="A page of accounts.",
        problems=(*LIST, *BEHIND),
    ),
    Operation(
        id="listAccountEntries",
        method="get",
        path="/v1/accounts/{account_id}/entries",
        group="Books",
        summary="List an account's entries",
        description=(
            "Newest first, each with the account's balance after it, in the order of the log. "
            "Each entry is one transaction. Shows every movement that was acknowledged before "
            "the call, on the first page."
        ),
        scope="wallets:read",
        parameters=("account_id", "limit", "after", "consistency"),
        answer=examples.ENTRIES,
        answer_description="A page of entries.",
        problems=(*LIST, *BEHIND, "account_not_found"),
    ),
    Operation(
        id="getTrialBalance",
        method="get",
        path="/v1/trial-balance",
        group="Books",
        summary="Get the trial balance",
        description=(
            "Every account by currency; debits and credits are always equal. With `as_of` the "
            "answer has everything that was recorded by then and nothing else. It names that "
            "position, and asking for the position again always gives the same answer: "
            "`position:` before the number says that it is not a date."
        ),
        scope="wallets:read",
        parameters=("as_of", "consistency"),
        answer=examples.TRIAL_BALANCE,
        answer_description="The trial balance.",
        problems=(*ALWAYS, *BEHIND, "malformed_request", "invalid_parameter"),
    ),
)
