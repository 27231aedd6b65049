"""Showing who waits for a review to whoever settles it: the person, and the utility bill.

Only for as long as the wallet waits. That somebody looked is written down first.
"""

import asyncio
import getpass
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from msgspec import structs

from schemas.identifiers import hex_of, is_wallet_id
from services.customers.erasures import erasures_in
from services.customers.errors import CustomerCommandError
from services.customers.known_people import KnownPerson, unseal_person
from services.customers.looks import kept_log, tell_look
from services.runtime.environment import SystemEnvironment
from services.runtime.outages import reach
from services.runtime.settings import Settings
from services.runtime.sql import load_statement
from services.runtime.terminal import printable
from services.vault.customer import Customer
from services.vault.documents import Documents
from services.vault.errors import CustomerErasedError
from services.vault.key_files import sync_folder
from services.vault.opening import open_vault
from services.vault.places import document_store
from services.vault.sealing import DataKey

_FIND_PENDING: Final = load_statement(__file__, "find_pending")
_NAME: Final = "ledger-reviews"


async def run_show(settings: Settings, identifier: str, bill: Path | None) -> list[str]:
    """Lines that say who waits; with `bill` the utility bill is written into that file, too.

    Raises `CustomerCommandError` where nobody waits, or the file is there already.
    """
    if bill is not None:
        _check_free(bill)
    connection = await reach(settings.require_database_url(), _NAME)
    try:
        row: Any = None
        if is_wallet_id(identifier):
            row = await connection.fetchrow(_FIND_PENDING, hex_of(identifier))
        customer = _who_waits(identifier, row)
        async with open_vault(settings, _NAME, erasures_in(connection.fetch)) as vault:
            try:
                key = await vault.find_key(customer)
            except CustomerErasedError:
                raise _erased(identifier) from None
    finally:
        await connection.close()
    if key is None:
        message = f"the vault lacks the key of {identifier}'s customer: restore a backup of it"
        raise CustomerCommandError(message)
    person = unseal_person(key, customer, row["identity"])
    who = f"operator:{getpass.getuser()}"
    with kept_log(settings.home.expanduser()) as log:
        tell_look(log, "person", who=who, customer=customer, wallet_id=identifier)
        if bill is not None and person.utility_bill is not None:
            tell_look(log, "utility_bill", who=who, customer=customer, wallet_id=identifier)
    said = _lines(identifier, row, person)
    if bill is not None:
        said.append(f"wrote {bill} ({await _write_bill(settings, customer, key, person, bill)})")
    return said


def _check_free(path: Path) -> None:
    if os.path.lexists(path):
        message = f"{path} is there already: name another file"
        raise CustomerCommandError(message)


def _who_waits(identifier: str, row: Any) -> Customer:
    if row is None:
        message = f"there is no wallet {identifier}; ids are spelled wal_ and 32 digits"
        raise CustomerCommandError(message)
    if row["is_erased"]:
        raise _erased(identifier)
    if row["review"] != "pending" or row["status"] == "closed" or row["identity"] is None:
        message = f"{identifier} waits for no review"
        raise CustomerCommandError(message)
    return Customer(tenant_id=str(row["tenant_id"]), user_id=str(row["user_id"]))


def _erased(identifier: str) -> CustomerCommandError:
    return CustomerCommandError(f"the customer of {identifier} was erased")


def _lines(identifier: str, row: Any, person: KnownPerson) -> list[str]:
    said = {
        "wallet": identifier,
        "waits since": f"{row['created_at']:%Y-%m-%d %H:%M}",
        "environment": row["environment"],
        "merchant": row["merchant"],
        "customer": str(row["user_id"]),
    }
    said |= {
        name.replace("_", " "): value
        for name, value in structs.asdict(person.identity).items()
        if value is not None
    }
    said["utility bill"] = "there is none" if person.utility_bill is None else "there is one"
    return [f"{name:14} {printable(str(value))}" for name, value in said.items()]


async def _write_bill(
    settings: Settings, customer: Customer, key: DataKey, person: KnownPerson, path: Path
) -> str:
    """Write the file, whole or not at all, for its owner only; its content type."""
    if person.utility_bill is None:
        message = "there is no utility bill"
        raise CustomerCommandError(message)
    store = document_store(settings)
    try:
        documents = Documents(store, SystemEnvironment().random_bytes)
        async with documents.open(customer, key, person.utility_bill) as document:
            await _write_private(path, document.pieces)
            return document.content_type
    finally:
        await store.close()


async def _write_private(path: Path, pieces: AsyncIterator[bytes]) -> None:
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = await asyncio.to_thread(os.open, unfinished, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(file.flush)
            await asyncio.to_thread(os.fsync, descriptor)
        # A link, unlike a rename, does not take the place of what is there.
        os.link(unfinished, path)
    except FileExistsError:
        message = f"{path} is there already: name another file"
        raise CustomerCommandError(message) from None
    finally:
        unfinished.unlink(missing_ok=True)
    await asyncio.to_thread(sync_folder, path.parent)
