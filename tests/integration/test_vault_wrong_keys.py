"""A vault opens by the keys that it was used with, and by no others."""

import os
from base64 import b64encode
from pathlib import Path

import pytest

from services.vault.errors import KeyFileError, MasterKeyUnknownError
from services.vault.places import index_key_path, master_key_path
from services.vault.setup import prepare_vault
from tests.specs.vault_line import NOW, VaultLine, somebody


@pytest.fixture
async def line(empty_database: str, tmp_path: Path) -> VaultLine:
    line = VaultLine(empty_database, tmp_path / "home")
    await line.prepare()
    async with line.open() as vault:
        await vault.obtain_key(somebody())
    return line


def another_key() -> str:
    """32 random bytes as files of keys have them."""
    return b64encode(os.urandom(32)).decode()


async def test_another_master_key_under_the_same_id_opens_no_vault(line: VaultLine) -> None:
    path = master_key_path(line.settings)
    right = path.read_text()
    path.write_text(f"{line.master_key_ids()[0]} {another_key()}\n")
    with pytest.raises(MasterKeyUnknownError, match="it is another key: put the right one back"):
        async with line.open():
            pass
    path.write_text(right)
    async with line.open() as vault:
        await vault.obtain_key(somebody())


async def test_one_spoiled_key_does_not_close_the_vault(line: VaultLine) -> None:
    async with line.open() as vault:
        await vault.obtain_key(somebody())
    rows = [dict(row) for row in await line.copy_rows()]
    rows[0]["wrapped_key"] = rows[0]["wrapped_key"][:-1] + b"?"
    await line.put_back([tuple(row.values()) for row in rows])
    async with line.open() as vault:
        await vault.obtain_key(somebody())


async def test_another_index_key_opens_no_vault(line: VaultLine) -> None:
    path = index_key_path(line.settings)
    right = path.read_text()
    path.write_text(another_key())
    with pytest.raises(KeyFileError, match="would find nobody: put the right one back"):
        async with line.open():
            pass
    path.write_text(right)
    async with line.open() as vault:
        await vault.obtain_key(somebody())


async def test_a_lost_index_key_is_not_made_anew(line: VaultLine) -> None:
    index_key_path(line.settings).unlink()
    with pytest.raises(KeyFileError, match="put the file back"):
        await prepare_vault(line.settings, NOW)
