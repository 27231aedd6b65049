"""Rotation, backup and restore on a real key store, while others go on and things break."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.vault.backup import check_backup, read_backup, write_backup
from services.vault.customer import Customer
from services.vault.errors import (
    BackupError,
    CustomerErasedError,
    MasterKeyUnknownError,
    RotationError,
    VaultBusyError,
)
from services.vault.key_store import Rewrapped
from services.vault.master_keys import FileMasterKeys
from services.vault.places import master_key_path
from services.vault.restore import Restored, restore
from services.vault.rotation import PAGE, Rotation, rotate
from services.vault.sealing import DataKey
from services.vault.vault import Vault
from tests.specs.vault_line import NOW, VaultLine, erasures, same, somebody

DAY = timedelta(days=1)


@pytest.fixture
async def line(empty_database: str, tmp_path: Path) -> VaultLine:
    line = VaultLine(empty_database, tmp_path / "home")
    await line.prepare()
    return line


@pytest.fixture
async def vault(line: VaultLine) -> AsyncIterator[Vault]:
    async with line.open() as vault:
        yield vault


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def quiet(_: int, __: int) -> None:
    """A person who does not look."""


async def rotated(line: VaultLine, new_id: str) -> Rotation:
    async with line.parts() as parts:
        return await rotate(parts.store, parts.master_keys, new_id, quiet)


async def backed_up(line: VaultLine, folder: Path, days_later: int = 0) -> Path:
    async with line.parts() as parts:
        made = await write_backup(parts.store, folder, NOW + days_later * DAY, keep_days=30)
    return made.path


async def restored(line: VaultLine, path: Path) -> Restored:
    async with line.parts() as parts:
        return await restore(parts.store, parts.master_keys, parts.destroyed, path, erasures(()))


async def keys_of(vault: Vault, people: list[Customer]) -> dict[Customer, DataKey]:
    return {person: await vault.obtain_key(person) for person in people}


async def unchanged(vault: Vault, keys: dict[Customer, DataKey]) -> bool:
    """Whether everybody has the key still."""
    found = [same(await vault.obtain_key(who), key) for who, key in keys.items()]
    return all(found)


async def used_master_keys(line: VaultLine) -> set[str]:
    rows = await line.copy_rows()
    return {row["master_key_id"] for row in rows if row["wrapped_key"] is not None}


async def test_a_rotation_wraps_everything_anew_and_changes_no_key(
    line: VaultLine, vault: Vault
) -> None:
    [old_id] = line.master_key_ids()
    keys = await keys_of(vault, [somebody() for _ in range(5)])
    await vault.erase(somebody(), NOW)
    before = {row["wrapped_key"] for row in await line.copy_rows()} - {None}

    done = await rotated(line, "second")

    after = {row["wrapped_key"] for row in await line.copy_rows()} - {None}
    assert done == Rotation(active_id="second", retired_ids=(old_id,), rewrapped=5, continued=False)
    assert line.master_key_ids() == [old_id, "second"]
    assert await used_master_keys(line) == {"second"}
    assert before.isdisjoint(after)
    # The vault was opened before: it reads the file again.
    assert await unchanged(vault, keys)
    assert (await vault.obtain_key(somebody())) is not None
    assert await used_master_keys(line) == {"second"}


async def test_after_a_rotation_the_old_line_is_needed_by_nobody(line: VaultLine) -> None:
    async with line.open() as vault:
        keys = await keys_of(vault, [somebody()])
    await rotated(line, "second")
    path = master_key_path(line.settings)
    path.write_text(path.read_text().splitlines()[1] + "\n")

    async with line.open() as vault:
        assert await unchanged(vault, keys)


async def test_a_rotation_that_is_stopped_is_finished_by_the_next(
    line: VaultLine, vault: Vault
) -> None:
    keys = await keys_of(vault, [somebody() for _ in range(PAGE + 20)])
    old_id = line.master_key_ids()[0]

    def stopped(done: int, total: int) -> None:
        assert total == PAGE + 20
        if done:
            raise KeyboardInterrupt

    async with line.parts() as parts:
        with pytest.raises(KeyboardInterrupt):
            await rotate(parts.store, parts.master_keys, "second", stopped)
    assert await used_master_keys(line) == {old_id, "second"}
    people = list(keys)
    ends = {who: keys[who] for who in people[:30] + people[-30:]}
    assert await unchanged(vault, ends)

    done = await rotated(line, "third")

    assert done == Rotation(active_id="second", retired_ids=(old_id,), rewrapped=20, continued=True)
    assert line.master_key_ids() == [old_id, "second"]
    found = await vault.find_keys(keys)
    assert all(same(found[who], key) for who, key in keys.items())
    assert (await rotated(line, "third")).retired_ids == ("second",)


async def test_a_rotation_stopped_before_its_first_key_is_finished_too(
    line: VaultLine, vault: Vault
) -> None:
    await vault.obtain_key(somebody())
    async with line.parts() as parts:
        await parts.master_keys.add("second")

    assert (await rotated(line, "third")).active_id == "second"
    assert await used_master_keys(line) == {"second"}


async def test_first_keys_made_during_rotations_are_all_wrapped_by_the_last(
    line: VaultLine,
) -> None:
    keys: dict[Customer, DataKey] = {}
    stop = asyncio.Event()

    async def go_on(vault: Vault) -> None:
        while not stop.is_set():
            person = somebody()
            keys[person] = await vault.obtain_key(person)

    async with line.open() as one, line.open() as other:
        working = [asyncio.create_task(go_on(vault)) for vault in (one, other, one, other)]
        for number in range(5):
            done = await rotated(line, f"number-{number}")
            assert done.active_id == f"number-{number}"
        stop.set()
        await asyncio.gather(*working)
        found = await one.find_keys(keys)

    assert await used_master_keys(line) == {"number-4"}
    assert len(keys) > 10
    assert all(same(found[who], key) for who, key in keys.items())


async def test_an_erasure_during_a_rotation_stays(line: VaultLine, vault: Vault) -> None:
    """A key that was read for wrapping, and destroyed before it was written, is not back."""
    ada = somebody()
    await vault.obtain_key(ada)
    async with line.parts() as parts:
        read = await parts.store.outdated(None, "second", 10)
        await vault.erase(ada, NOW)
        anew = [Rewrapped(customer=each.customer, was=each.key, now=each.key) for each in read]
        assert len(anew) == 1
        assert await parts.store.rewrap(anew) == 0

    with pytest.raises(CustomerErasedError):
        await vault.find_key(ada)


async def test_one_maintains_at_a_time(line: VaultLine, folder: Path) -> None:
    path = await backed_up(line, folder)
    async with line.parts() as parts, parts.store.maintenance():
        with pytest.raises(VaultBusyError):
            await rotated(line, "second")
        with pytest.raises(VaultBusyError):
            await restored(line, path)
    assert (await rotated(line, "second")).active_id == "second"


async def test_keys_in_the_environment_are_rotated_by_who_sets_it(
    line: VaultLine, vault: Vault
) -> None:
    text = master_key_path(line.settings).read_text()
    keys = await keys_of(vault, [somebody()])
    async with line.parts() as parts:
        with pytest.raises(RotationError, match="add a line with a new key at its end"):
            await rotate(parts.store, FileMasterKeys(None, text, os.urandom), "second", quiet)
        longer = text + text.replace(text.split()[0], "second").replace("A", "B")
        both = FileMasterKeys(None, longer, os.urandom)
        done = await rotate(parts.store, both, "unused", quiet)
        process = Vault(parts.store, both, parts.destroyed, os.urandom)

        assert (done.active_id, done.rewrapped) == ("second", 1)
        assert await unchanged(process, keys)


async def test_a_process_that_lacks_the_new_key_says_which(line: VaultLine, vault: Vault) -> None:
    ada = somebody()
    await vault.obtain_key(ada)
    text = master_key_path(line.settings).read_text()
    await rotated(line, "second")

    async with line.parts() as parts:
        old = Vault(
            parts.store, FileMasterKeys(None, text, os.urandom), parts.destroyed, os.urandom
        )
        for work in (old.find_key(ada), old.obtain_key(somebody())):
            with pytest.raises(MasterKeyUnknownError, match="second"):
                await work


async def test_a_backup_brings_back_what_was_lost(line: VaultLine, folder: Path) -> None:
    async with line.open() as vault:
        keys = await keys_of(vault, [somebody() for _ in range(12)])
        path = await backed_up(line, folder)
        later = await vault.obtain_key(newer := somebody())
        rows = [row for row in await line.copy_rows() if str(row["user_id"]) == newer.user_id]
    await line.put_back(rows)

    assert await restored(line, path) == Restored(put_back=12, destroyed=0, there_already=0)
    assert await restored(line, path) == Restored(put_back=0, destroyed=0, there_already=12)

    async with line.open() as vault:
        found = await vault.find_keys(keys)
        assert all(same(found[who], key) for who, key in keys.items())
        assert same(await vault.obtain_key(newer), later)


async def test_backup_then_destroy_then_restore_reads_nothing(
    line: VaultLine, folder: Path
) -> None:
    """Into a database without a row, by the list; without the list, by the store's rows."""
    ada, eve = somebody(), somebody()
    async with line.open() as vault:
        await keys_of(vault, [ada, eve])
        path = await backed_up(line, folder)
        await vault.erase(ada, NOW)
    with_erasure = await line.copy_rows()
    list_file = line.home / "vault" / "destroyed.jsonl"

    for rows, lost in (([], None), (with_erasure, list_file)):
        await line.put_back(rows)
        if lost is not None:
            lost.unlink()
        done = await restored(line, path)

        assert done.destroyed == 1
        async with line.open() as vault:
            with pytest.raises(CustomerErasedError):
                await vault.find_key(ada)
            assert await vault.find_key(eve) is not None
        assert sum(row["wrapped_key"] is not None for row in await line.copy_rows()) == 1


async def test_a_backup_knows_of_erasures_before_it(line: VaultLine, folder: Path) -> None:
    """An older backup, after a newer one, with list and database both lost."""
    ada = somebody()
    async with line.open() as vault:
        await vault.obtain_key(ada)
        older = await backed_up(line, folder)
        await vault.erase(ada, NOW)
        newer = await backed_up(line, folder, days_later=1)
    await line.put_back([])
    (line.home / "vault" / "destroyed.jsonl").unlink()

    await restored(line, newer)
    assert await restored(line, older) == Restored(put_back=0, destroyed=1, there_already=0)


async def test_a_restored_key_under_an_old_master_key_is_rotated_with_the_next(
    line: VaultLine, folder: Path
) -> None:
    async with line.open() as vault:
        keys = await keys_of(vault, [somebody()])
    path = await backed_up(line, folder)
    await rotated(line, "second")
    await line.put_back([])

    assert (await restored(line, path)).put_back == 1
    done = await rotated(line, "third")

    assert (done.active_id, done.continued, done.rewrapped) == ("second", True, 1)
    async with line.open() as vault:
        assert await unchanged(vault, keys)


async def test_a_backup_whose_master_key_is_gone_is_refused_whole(
    line: VaultLine, folder: Path
) -> None:
    async with line.open() as vault:
        await vault.obtain_key(somebody())
    path = await backed_up(line, folder)
    [old_id] = line.master_key_ids()
    await rotated(line, "second")
    file = master_key_path(line.settings)
    file.write_text(file.read_text().splitlines()[1] + "\n")
    await line.put_back([])

    with pytest.raises(BackupError, match=f"master key {old_id} wraps"):
        await restored(line, path)
    assert await line.copy_rows() == []


async def test_a_backup_has_wrapped_keys_only_and_is_private(
    line: VaultLine, vault: Vault, folder: Path
) -> None:
    keys = await keys_of(vault, [somebody() for _ in range(3)])
    path = await backed_up(line, folder)
    content = path.read_bytes()

    assert path.name == "vault-20261122T010203Z.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(folder) == [path.name]  # noqa: PTH208 - a test may block
    assert len(list(read_backup(path))) == 3
    assert check_backup(path) == frozenset(line.master_key_ids())
    for key in keys.values():
        assert key.expose() not in content
        assert key.expose().hex().encode() not in content


async def test_a_backup_that_is_not_whole_is_refused_before_anything_is_changed(
    line: VaultLine, vault: Vault, folder: Path
) -> None:
    await keys_of(vault, [somebody() for _ in range(3)])
    path = await backed_up(line, folder)
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    await line.put_back([])
    wrong = [content[:length] for length in range(0, len(content), 41)]
    wrong += [
        b"".join(lines[1:]),
        b"".join([*lines[:2], *lines[3:]]),
        b"".join([lines[0], lines[2], lines[1], *lines[3:]]),
        content + lines[1],
        content + lines[-1],
        content.replace(b'version":1', b'version":2'),
        content.replace(b"2026", b"2025"),
        b"x" * 10_000,
    ]

    for each in wrong:
        path.write_bytes(each)
        with pytest.raises(BackupError):
            await restored(line, path)
    assert await line.copy_rows() == []
    path.write_bytes(content)
    assert (await restored(line, path)).put_back == 3


async def test_making_a_backup_removes_those_that_are_too_old(
    line: VaultLine, folder: Path
) -> None:
    first = await backed_up(line, folder)
    for other in ("notes.txt", "vault-old.jsonl", "vault-20200101T000000Z.jsonl.gz"):
        (folder / other).write_text("somebody's")
    left_by_a_killed_one = folder / "vault-20261122T010203Z.jsonl.new"
    left_by_a_killed_one.write_text("half")

    second = await backed_up(line, folder, days_later=29)
    assert first.exists()
    assert not left_by_a_killed_one.exists()
    third = await backed_up(line, folder, days_later=30)

    assert not first.exists()
    assert second.exists()
    assert third.exists()
    assert len(os.listdir(folder)) == 5  # noqa: PTH208 - a test may block
    with pytest.raises(BackupError, match="is there already"):
        await backed_up(line, folder, days_later=30)
