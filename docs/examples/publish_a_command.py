"""Publish commands over Kafka and await their results, as an internal service does.

Run it after `set -a; . .ledger/sandbox.env; set +a`:

    .venv/bin/python docs/examples/publish_a_command.py
"""

# A script that a person runs and reads, no module of a package.
# ruff: noqa: INP001, T201

import asyncio
import os
from uuid import uuid4

from schemas.commands import CreateWallet, CreditWallet, DebitWallet
from schemas.money import formatted
from schemas.results import CommandResult
from services.client import CommandClient


async def main() -> None:
    """Open a wallet, put money in, and take some out, the last step twice."""
    bootstrap, tenant_id = os.environ["KAFKA_BOOTSTRAP"], os.environ["TENANT_ID"]
    async with CommandClient(bootstrap, tenant_id, "/examples") as client:
        created = await client.execute(
            CreateWallet(customer_id=f"cus_{uuid4().hex[:6]}", currency="GHS")
        )
        assert created.wallet is not None, created.rejection
        wallet_id = created.wallet.id
        print("opened  ", wallet_id)

        credited = await client.execute(
            CreditWallet(
                wallet_id=wallet_id,
                amount=15000,
                description="Welcome",
                reference=f"welcome_{wallet_id}",
            )
        )
        print("credited", told(credited))

        # A command id of one's own makes it safe to ask again: after a crash, or a
        # `ResultTimeoutError`. The wallet is debited once; the result is the first one.
        debit = DebitWallet(
            wallet_id=wallet_id,
            amount=500,
            description="SMS batch",
            reference=f"sms_batch_{wallet_id}",
        )
        command_id = f"sms-{uuid4()}"
        for _ in range(2):
            print("debited ", told(await client.execute(debit, command_id=command_id)))

        # A decline is a result like any other, not an exception.
        too_much = DebitWallet(wallet_id=wallet_id, amount=99999, reference=f"too_much_{wallet_id}")
        print("declined", told(await client.execute(too_much)))


def told(result: CommandResult) -> str:
    """A result in one line."""
    assert result.transaction is not None, result.rejection
    transaction = result.transaction
    balance = formatted(transaction.balance_after, transaction.currency)
    return f"{transaction.id}  {transaction.code or transaction.status}, balance {balance}"


if __name__ == "__main__":
    asyncio.run(main())
