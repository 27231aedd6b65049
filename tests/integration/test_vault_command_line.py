"""`ledger vault …` as an operator types it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.runtime.dsn import server_of
from services.vault.customer import Customer
from services.vault.places import master_key_path
from tests.specs.vault_line import NOTHING_LEFT, NOW, VaultLine, somebody


def ledger(
    environment: Mapping[str, str], *words: str, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command, which has to end with that status."""
    ended = subprocess.run(
        [sys.executable, "-m", "services.command_line", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == status, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    return ended


@pytest.fixture
def line(empty_database: str, tmp_path: Path) -> VaultLine:
    line = VaultLine(empty_database, tmp_path / "home")
    asyncio.run(line.prepare())
    return line


async def _with_keys(line: VaultLine, *people: Customer) -> None:
    async with line.open() as vault:
        for person in people:
            await vault.obtain_key(person)


async def _erase(line: VaultLine, person: Customer) -> None:
    async with line.open() as vault:
        await vault.erase(person, NOW)


def test_an_operators_year(line: VaultLine, database: str, tmp_path: Path) -> None:
    """Backup, erasure, loss, restore, rotation."""
    environment = line.environment() | {"LEDGER_DATABASE_URL": database}
    ada, eve = somebody(), somebody()
    folder = tmp_path / "backups"
    asyncio.run(_with_keys(line, ada, eve))

    said = ledger(environment, "vault", "backup", str(folder)).stdout
    [backup] = folder.iterdir()
    assert said == f"wrote {backup} (2 keys)\n"

    rows = asyncio.run(line.copy_rows())
    asyncio.run(_erase(line, ada))
    asyncio.run(line.put_back(rows))
    said = ledger(environment, "vault", "reconcile").stdout
    assert said == "destroyed again  1\nadded to list    0\n" + NOTHING_LEFT

    asyncio.run(line.put_back([]))
    said = ledger(environment, "vault", "restore", str(backup)).stdout
    assert said == "put back       1\nthere already  0\ndestroyed      1 (not put back)\n"

    [old_id] = line.master_key_ids()
    said = ledger(environment, "vault", "rotate-master-key").stdout
    new_id = line.master_key_ids()[1]
    assert said.startswith(f"1 keys wrapped anew; the master key is {new_id}\n")
    assert f"no key needs {old_id} any more: its line may be removed" in said
    assert ledger(environment, "vault", "migrate").stdout.startswith("the schema is up to date\n")


def test_what_is_wrong_is_one_line_without_a_secret(
    line: VaultLine, tmp_path: Path, database: str, empty_database: str
) -> None:
    environment = line.environment() | {"LEDGER_DATABASE_URL": database}
    keys = master_key_path(line.settings)
    secret = keys.read_text().split()[1]
    nothing = tmp_path / "nothing"
    nothing.touch()

    refused = ledger(environment, "vault", "restore", str(nothing), status=1)
    assert "is not whole, or was changed: take another backup" in refused.stderr

    keys.write_text(f"id {secret[:-4]}\n")
    refused = ledger(environment, "vault", "reconcile", status=1)
    assert "line 1: a key is 32 bytes in base64" in refused.stderr
    assert secret[:8] not in refused.stderr

    refused = ledger({"LEDGER_HOME": str(tmp_path)}, "vault", "migrate", status=2)
    assert "LEDGER_VAULT_DATABASE_URL is not set" in refused.stderr

    nowhere = {"LEDGER_VAULT_DATABASE_URL": empty_database.rsplit("/", 1)[0] + "/nowhere"}
    refused = ledger(environment | nowhere, "vault", "migrate", status=1)
    server = server_of(nowhere["LEDGER_VAULT_DATABASE_URL"])
    assert refused.stderr == (
        f"Error: PostgreSQL at {server} (LEDGER_VAULT_DATABASE_URL, or sandbox.env) refuses the "
        'connection: database "nowhere" does not exist\n'
    )


def test_a_lost_file_of_master_keys_is_not_made_anew(line: VaultLine) -> None:
    asyncio.run(_with_keys(line, somebody()))
    master_key_path(line.settings).unlink()

    with pytest.raises(Exception, match="put the file back"):
        asyncio.run(line.prepare())

    assert not master_key_path(line.settings).exists()
