"""Master keys in a KMS, by the example of the documentation, against a process that wraps."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from msgspec.structs import replace

from services.runtime.settings import SettingsError
from services.vault.errors import (
    MasterKeysUnavailableError,
    MasterKeyUnknownError,
    RotationError,
    SealBrokenError,
)
from services.vault.master_keys import WrappedKey
from services.vault.places import master_key_path
from services.vault.rotation import Rotation, rotate
from tests.specs.vault_line import VaultLine, random_key, same, somebody

ROOT = Path(__file__).parents[2]


class Kms(NamedTuple):
    """A KMS that runs, and a vault that uses it."""

    line: VaultLine
    url: str
    process: asyncio.subprocess.Process

    async def rotate(self) -> None:
        """What whoever runs the KMS does."""
        async with aiohttp.ClientSession() as session, session.post(f"{self.url}/rotate"):
            pass

    async def used(self) -> set[str]:
        """By which keys the vault's are wrapped."""
        return {row["master_key_id"] for row in await self.line.copy_rows()}


@pytest.fixture
async def kms(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Kms]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.specs.kms_server", str(port)), cwd=ROOT
    )
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        monkeypatch.syspath_prepend(ROOT / "docs" / "examples")
        monkeypatch.setenv("KMS_URL", f"http://127.0.0.1:{port}")
        line = VaultLine(empty_database, tmp_path / "home")
        line.settings = replace(line.settings, kms="kms_over_http:open_master_keys")
        await line.prepare()
        yield Kms(line, f"http://127.0.0.1:{port}", process)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_keys_are_wrapped_by_the_kms_and_by_no_file(kms: Kms) -> None:
    people = [somebody() for _ in range(50)]
    async with kms.line.open() as vault:
        keys = {person: await vault.obtain_key(person) for person in people}
    async with kms.line.open() as vault:
        found = await vault.find_keys(people)
    assert all(same(found[person], keys[person]) for person in people)
    assert await kms.used() == {"first"}
    assert not master_key_path(kms.line.settings).exists()


async def test_what_is_wrapped_is_bound_to_its_context(kms: Kms) -> None:
    async with kms.line.parts() as parts:
        key = random_key()
        wrapped = await parts.master_keys.wrap(key, b"whose", "first")
        assert same(await parts.master_keys.unwrap(wrapped, b"whose"), key)
        with pytest.raises(SealBrokenError):
            await parts.master_keys.unwrap(wrapped, b"another's")
        moved = WrappedKey(master_key_id="nobody's", wrapped=wrapped.wrapped)
        with pytest.raises(MasterKeyUnknownError, match="nobody's"):
            await parts.master_keys.unwrap(moved, b"whose")


async def test_a_rotation_follows_the_kms(kms: Kms) -> None:
    ada = somebody()
    async with kms.line.open() as vault, kms.line.parts() as parts:
        key = await vault.obtain_key(ada)

        async def rotated() -> Rotation:
            return await rotate(parts.store, parts.master_keys, "unused", lambda _, __: None)

        with pytest.raises(RotationError, match="make a new key in the KMS"):
            await rotated()
        await kms.rotate()
        done = await rotated()
        assert (done.active_id, done.retired_ids, done.rewrapped) == ("second", ("first",), 1)
        assert await kms.used() == {"second"}
        assert same(await vault.obtain_key(ada), key)


async def test_while_the_kms_is_away_nothing_is_lost(kms: Kms) -> None:
    ada = somebody()
    async with kms.line.open() as vault:
        await vault.obtain_key(ada)
        kms.process.kill()
        await kms.process.wait()
        for work in (vault.find_key(ada), vault.obtain_key(somebody())):
            with pytest.raises(MasterKeysUnavailableError, match="cannot be reached: Client"):
                await work
    assert await kms.used() == {"first"}


@pytest.mark.parametrize("place", ["no_such_module:open", "kms_over_http:no_such_function"])
async def test_a_kms_that_cannot_be_imported(kms: Kms, place: str) -> None:
    kms.line.settings = replace(kms.line.settings, kms=place)
    with pytest.raises(SettingsError, match=f"LEDGER_KMS: {place} cannot be imported"):
        async with kms.line.open():
            pass


async def test_master_keys_are_said_once(kms: Kms) -> None:
    kms.line.settings = replace(kms.line.settings, master_key_file=Path("keys"))
    with pytest.raises(SettingsError, match="LEDGER_MASTER_KEY_FILE and LEDGER_KMS are both set"):
        async with kms.line.open():
            pass
