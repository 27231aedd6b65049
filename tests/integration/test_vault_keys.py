"""Customers' keys in a real key store: made once under races, destroyed once for ever."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
import structlog

from services.runtime.sql import load_statement
from services.vault import postgres_key_store
from services.vault.customer import Customer
from services.vault.destroyed import DestroyedList
from services.vault.errors import (
    CustomerErasedError,
    DestroyedListError,
    MasterKeyRetiredError,
    MasterKeyUnknownError,
    SealBrokenError,
)
from services.vault.key_store import Destruction
from services.vault.master_keys import WrappedKey
from services.vault.places import master_key_path
from services.vault.sealing import seal, unseal
from services.vault.vault import Vault
from tests.specs.vault_line import NOW, VaultLine, same, somebody

SECRET = b"22200000001 Ada Lovelace"

_BRING_BACK = """
UPDATE customer_keys
SET destroyed_at = NULL, wrapped_key = 'x', master_key_id = 'x', created_at = now()
WHERE destroyed_at IS NOT NULL
"""

_TEN_THOUSAND_KEYS = """
INSERT INTO customer_keys (tenant_id, user_id, master_key_id, wrapped_key, created_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'first', '\\x00', now() FROM generate_series(1, 10000)
"""


@pytest.fixture
async def line(empty_database: str, tmp_path: Path) -> VaultLine:
    line = VaultLine(empty_database, tmp_path / "home")
    await line.prepare()
    return line


@pytest.fixture
async def vault(line: VaultLine) -> AsyncIterator[Vault]:
    async with line.open() as vault:
        yield vault


def list_of(line: VaultLine) -> Path:
    return line.home / "vault" / "destroyed.jsonl"


async def test_a_customer_keeps_the_key_that_it_got(line: VaultLine, vault: Vault) -> None:
    ada, eve = somebody(), somebody()
    key = await vault.obtain_key(ada)
    sealed = seal(key, vault.nonce(), SECRET, ada.context("kyc"))

    async with line.open() as other_process:
        again = await other_process.obtain_key(ada)
        found = await other_process.find_key(ada)

    assert found is not None
    assert unseal(again, sealed, ada.context("kyc")) == SECRET
    assert unseal(found, sealed, ada.context("kyc")) == SECRET
    assert not same(key, await vault.obtain_key(eve))
    assert await vault.find_key(somebody()) is None


async def test_the_same_user_id_is_another_customer_in_another_tenant(vault: Vault) -> None:
    ada = somebody()
    elsewhere = Customer(tenant_id=ada.user_id, user_id=ada.user_id)

    assert not same(await vault.obtain_key(ada), await vault.obtain_key(elsewhere))


async def test_of_many_first_keys_at_once_one_wins(line: VaultLine) -> None:
    ada = somebody()
    async with AsyncExitStack() as stack:
        vaults = [await stack.enter_async_context(line.open()) for _ in range(4)]
        keys = await asyncio.gather(*(vault.obtain_key(ada) for vault in vaults * 5))

    assert all(same(keys[0], key) for key in keys)
    assert len(await line.copy_rows()) == 1


async def test_the_keys_of_many_are_found_at_once(vault: Vault) -> None:
    people = [somebody() for _ in range(20)]
    keys = {person: await vault.obtain_key(person) for person in people}
    await vault.erase(people[0], NOW)

    found = await vault.find_keys([*people, *people, somebody()])

    assert found.keys() == set(people[1:])
    assert all(same(found[person], keys[person]) for person in found)
    assert await vault.find_keys([]) == {}


async def test_an_erased_customer_has_no_key_and_gets_none(line: VaultLine, vault: Vault) -> None:
    ada, eve = somebody(), somebody()
    await vault.obtain_key(ada)
    wrapped = (await line.copy_rows())[0]["wrapped_key"].hex()
    assert wrapped in await line.dump()

    assert await vault.erase(ada, NOW)
    assert not await vault.erase(ada, NOW + timedelta(days=1))
    assert not await vault.erase(eve, NOW)

    for person in (ada, eve):
        with pytest.raises(CustomerErasedError, match=person.user_id):
            await vault.obtain_key(person)
        with pytest.raises(CustomerErasedError):
            await vault.find_key(person)
    assert await vault.find_keys([ada, eve]) == {}
    assert wrapped not in await line.dump()
    assert {row["destroyed_at"] for row in await line.copy_rows()} == {NOW}


async def test_an_erasure_and_a_first_key_that_race_end_without_a_key(line: VaultLine) -> None:
    async def obtain(vault: Vault, person: Customer) -> None:
        try:
            await vault.obtain_key(person)
        except CustomerErasedError:
            return

    people = [somebody() for _ in range(40)]
    async with line.open() as one, line.open() as other:
        await asyncio.gather(
            *(work for who in people for work in (obtain(one, who), other.erase(who, NOW)))
        )
        for person in people:
            with pytest.raises(CustomerErasedError):
                await one.find_key(person)

    rows = await line.copy_rows()
    assert len(rows) == 40
    assert all(row["wrapped_key"] is None for row in rows)


async def test_erasures_that_race_are_each_on_the_list_once(line: VaultLine) -> None:
    people = [somebody() for _ in range(10)]
    async with line.open() as one, line.open() as other:
        for person in people:
            await one.obtain_key(person)
        there_was = await asyncio.gather(
            *(vault.erase(who, NOW) for who in people for vault in (one, other))
        )

    assert sum(there_was) == 10
    assert DestroyedList(list_of(line)).open() == 10


async def test_the_database_never_holds_a_key_in_clear(line: VaultLine, vault: Vault) -> None:
    keys = [(await vault.obtain_key(somebody())).expose() for _ in range(50)]
    dumped = await line.dump()

    for key in keys:
        for spelled in (key.hex(), base64.b64encode(key).decode(), key.hex()[:24]):
            assert spelled not in dumped
    for secret in master_key_path(line.settings).read_text().split()[1::2]:
        assert secret not in dumped
        assert base64.b64decode(secret).hex() not in dumped
    wrapped = [row["wrapped_key"].hex() for row in await line.copy_rows()]
    assert len(wrapped) == sum(each in dumped for each in wrapped) == 50


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM customer_keys",
        "TRUNCATE customer_keys",
        _BRING_BACK,
        "UPDATE customer_keys SET destroyed_at = now()",
        "UPDATE customer_keys SET wrapped_key = NULL WHERE destroyed_at IS NULL",
    ],
)
async def test_the_database_refuses_to_forget_an_erasure(
    line: VaultLine, vault: Vault, statement: str
) -> None:
    ada = somebody()
    await vault.obtain_key(somebody())
    await vault.obtain_key(ada)
    await vault.erase(ada, NOW)
    before = await line.copy_rows()

    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await line.fetch(statement)

    assert await line.copy_rows() == before


async def test_a_wrapped_key_in_another_customers_row_opens_nothing(
    line: VaultLine, vault: Vault
) -> None:
    ada, eve = somebody(), somebody()
    await vault.obtain_key(ada)
    await vault.obtain_key(eve)
    await line.fetch(
        "UPDATE customer_keys SET wrapped_key = "
        "(SELECT wrapped_key FROM customer_keys WHERE user_id = $1) WHERE user_id = $2",
        *(ada.user_id, eve.user_id),
    )

    with pytest.raises(SealBrokenError):
        await vault.find_key(eve)


async def test_a_restored_database_gives_no_destroyed_key(line: VaultLine) -> None:
    ada, eve = somebody(), somebody()
    async with line.open() as vault:
        await vault.obtain_key(ada)
        kept = await vault.obtain_key(eve)
        rows = await line.copy_rows()
        await vault.erase(ada, NOW)

        # While it serves: the list is asked, not only the store.
        await line.put_back(rows)
        with pytest.raises(CustomerErasedError):
            await vault.find_key(ada)
        assert await vault.find_keys([ada]) == {}

    with structlog.testing.capture_logs() as logged:
        async with line.open() as vault:
            found = await vault.find_key(eve)

    assert found is not None
    assert same(found, kept)
    assert [each["destroyed_again"] for each in logged] == [1]
    assert [row["wrapped_key"] is None for row in await line.copy_rows()].count(True) == 1
    assert (
        await line.fetch("SELECT wrapped_key FROM customer_keys WHERE user_id = $1", ada.user_id)
    )[0][0] is None


async def test_an_erasure_that_was_stopped_half_way_is_finished_at_the_next_start(
    line: VaultLine,
) -> None:
    """The list has it, and the process was killed before the store had it."""
    ada = somebody()
    async with line.open() as vault:
        await vault.obtain_key(ada)
        rows = await line.copy_rows()
        await vault.erase(ada, NOW)
    await line.put_back(rows)

    async with line.open():
        assert [row["destroyed_at"] for row in await line.copy_rows()] == [NOW]
    async with line.open():
        assert [row["destroyed_at"] for row in await line.copy_rows()] == [NOW]


async def test_what_the_log_has_erased_is_destroyed_before_anything_is_served(
    line: VaultLine,
) -> None:
    ada, eve, joe = somebody(), somebody(), somebody()
    async with line.open() as vault:
        await vault.obtain_key(ada)
        await vault.obtain_key(eve)

    async with line.open(erased_in_log=[ada, joe]) as vault:
        for person in (ada, joe):
            with pytest.raises(CustomerErasedError):
                await vault.obtain_key(person)
        assert await vault.find_key(eve) is not None

    assert DestroyedList(list_of(line)).open() == 2


async def test_more_erasures_than_a_page_are_all_reconciled(line: VaultLine) -> None:
    people = sorted(somebody() for _ in range(2_300))
    async with line.open(erased_in_log=people):
        pass
    list_of(line).unlink()

    with structlog.testing.capture_logs() as logged:
        async with line.open():
            pass

    assert [each["listed_from_store"] for each in logged] == [2_300]
    assert DestroyedList(list_of(line)).open() == 2_300


async def test_destroyed_keys_are_found_by_an_index(line: VaultLine) -> None:
    """Among all the keys these are few, and each process asks for them before it serves."""
    first, second = sorted(somebody() for _ in range(2))
    await line.fetch(_TEN_THOUSAND_KEYS)
    async with line.parts() as parts:
        for person in (second, first):
            await parts.store.destroy([Destruction(customer=person, destroyed_at=NOW)])
        found = await parts.store.destroyed(None, 1_000)
        assert [each.customer for each in found] == [first, second]
        assert await parts.store.destroyed(first, 1_000) == found[1:]
    await line.fetch("ANALYZE customer_keys")
    statement = load_statement(postgres_key_store.__file__, "page_destroyed")
    explained = await line.fetch(f"EXPLAIN {statement}", first.tenant_id, first.user_id, 1_000)

    plan = "\n".join(row[0] for row in explained)
    assert re.search(r"Scan (using|on) customer_keys_destroyed", plan), plan


async def test_a_list_that_was_changed_keeps_the_vault_closed(line: VaultLine) -> None:
    async with line.open() as vault:
        await vault.erase(somebody(), NOW)
        await vault.erase(somebody(), NOW)
    content = list_of(line).read_bytes()
    list_of(line).write_bytes(content[content.index(b"\n") + 1 :])

    with pytest.raises(DestroyedListError):
        async with line.open():
            pytest.fail("it serves")


async def test_without_its_master_key_the_vault_does_not_open(
    line: VaultLine, vault: Vault
) -> None:
    await vault.obtain_key(somebody())
    path = master_key_path(line.settings)
    lost = line.master_key_ids()[0]
    path.write_text(path.read_text().replace(lost, "another"))

    with pytest.raises(MasterKeyUnknownError, match=lost):
        async with line.open():
            pytest.fail("it serves")


async def test_a_key_under_a_retired_master_key_is_not_stored(line: VaultLine) -> None:
    ada = somebody()
    async with line.parts() as parts:
        await parts.store.activate("newer")
        with pytest.raises(MasterKeyRetiredError, match="newer is active") as retired:
            await parts.store.create(ada, WrappedKey(master_key_id="older", wrapped=b"w"))
        assert await parts.store.find(ada) is None
    assert retired.value.active_id == "newer"
