"""Erasing a customer: event, documents, key; each may be repeated, and a repetition finishes it."""

from collections.abc import Sequence
from typing import Final

from schemas.commands import EraseCustomer
from schemas.identifiers import wallet_id
from services.customers.erasures import erasures_in
from services.customers.errors import CustomerCommandError
from services.customers.known_people import unseal_person
from services.customers.submitting import Submitting, submitting
from services.runtime.outages import reach
from services.runtime.postgres import Connection
from services.runtime.settings import Settings
from services.runtime.sql import load_statement
from services.vault.customer import Customer
from services.vault.errors import CustomerErasedError, SealBrokenError
from services.vault.opening import open_vault
from services.vault.places import document_store
from services.vault.vault import Vault

_FIND: Final = load_statement(__file__, "find_customers")
_READ_IDENTITIES: Final = load_statement(__file__, "read_identities")
_NAME: Final = "ledger-customers"


async def run_erase(
    settings: Settings,
    user_id: str,
    tenant_id: str | None,
    reason: str | None,
    by: str | None = None,
) -> list[str]:
    """Erase, and say what was done. Raises `CustomerCommandError` where it is not clear whom."""
    connection = await reach(settings.require_database_url(), _NAME)
    try:
        rows = await connection.fetch(_FIND, user_id, tenant_id)
        if not rows:
            message = f"there is no customer {user_id}"
            raise CustomerCommandError(message)
        if len(rows) > 1:
            tenants = ", ".join(str(row["tenant_id"]) for row in rows)
            message = f"{user_id} is a customer of several tenants; name one by --tenant: {tenants}"
            raise CustomerCommandError(message)
        (row,) = rows
        customer = Customer(tenant_id=str(row["tenant_id"]), user_id=user_id)
        digits = [each.hex for each in row["wallet_ids"]]
        erasures = erasures_in(connection.fetch)
        async with open_vault(settings, _NAME, erasures) as vault:
            documents = await _documents(connection, vault, customer, digits)
            async with submitting(settings, by) as ledger:
                await _forget(ledger, customer, digits, reason)
                was_there = await vault.erase(customer, row["now"])
                # What was sealed before the key went may have been appended since.
                (row,) = await connection.fetch(_FIND, user_id, customer.tenant_id)
                late = [each.hex for each in row["wallet_ids"] if each.hex not in digits]
                await _forget(ledger, customer, late, reason)
        removed = await _remove(settings, documents)
    finally:
        await connection.close()
    return [
        f"erased {user_id}",
        f"wallets    {len(digits) + len(late)}",
        f"key        {'destroyed' if was_there else 'there was none any more'}",
        f"documents  {removed} removed",
    ]


async def _forget(
    ledger: Submitting, customer: Customer, digits: Sequence[str], reason: str | None
) -> None:
    for each in digits:
        command = EraseCustomer(wallet_id=wallet_id(each), reason=reason)
        await ledger.settle(customer.tenant_id, command)


async def _remove(settings: Settings, documents: Sequence[str]) -> int:
    store = document_store(settings)
    try:
        return sum([await store.delete(each) for each in documents])
    finally:
        await store.close()


async def _documents(
    connection: Connection, vault: Vault, customer: Customer, digits: Sequence[str]
) -> list[str]:
    """The documents that are known to be the customer's, while that can still be read."""
    try:
        key = await vault.find_key(customer)
        if key is None:
            return []
        rows = await connection.fetch(_READ_IDENTITIES, customer.tenant_id, digits)
        people = [unseal_person(key, customer, row["identity"]) for row in rows]
    except (CustomerErasedError, SealBrokenError):
        # Nothing has to be readable to be forgotten. What stays behind is nobody's once the key
        # is destroyed, and is removed with the leftovers.
        return []
    return sorted({each.utility_bill for each in people if each.utility_bill is not None})
