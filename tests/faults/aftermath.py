"""What must hold when a fault is over: nothing lost, nothing twice, all of it visible."""

from collections import Counter
from uuid import UUID

from schemas.identifiers import hex_of, transaction_id
from tests.faults.load import CREDIT, Load, show_balances

_DEBITS = """
SELECT data ->> 'reference' AS reference, event_id, (data ->> 'balance_after')::bigint AS balance
FROM events
WHERE tenant_id = $1 AND stream_id = ANY ($2::uuid[]) AND type = 'wallet.debited'
"""


async def check(load: Load) -> None:
    """Assert it of everything that a load has asked for, and then of the whole system."""
    stack = load.stack
    await stack.wait_until_caught_up()
    found = await stack.fetch(
        _DEBITS, stack.sandbox["TENANT_ID"], [UUID(hex_of(wallet)) for wallet in load.wallets]
    )
    applied = Counter(row["reference"] for row in found)
    acknowledged = {debit.reference: answer for debit, answer in load.acknowledged.items()}
    assert acknowledged.keys() - applied.keys() == set(), "nothing acknowledged is missing"
    assert applied.keys() - acknowledged.keys() == set(), "every debit was asked for"
    assert [reference for reference, count in applied.items() if count != 1] == []
    for row in found:
        told = (transaction_id(row["event_id"].hex), row["balance"])
        assert told == acknowledged[row["reference"]], "the log has what the client was told"

    debited: Counter[str] = Counter()
    for debit in load.acknowledged:
        debited[debit.wallet_id] += debit.amount
    expected = [CREDIT - debited[wallet] for wallet in load.wallets]
    assert await show_balances(stack, load.wallets) == expected
    await stack.verify()
