"""Master keys and the files that they are in."""

import base64
import os
import stat
from pathlib import Path

import pytest

from services.runtime.logging import _ENCODER
from services.runtime.settings import Settings, SettingsError
from services.vault import places
from services.vault.errors import KeyFileError, MasterKeyUnknownError, SealBrokenError
from services.vault.key_files import read_private, write_private
from services.vault.master_keys import FileMasterKeys, WrappedKey, new_key_file
from tests.specs.vault_line import random_key, same

CONTEXT = b"customer"


def line(key_id: str, key: bytes | None = None) -> str:
    return f"{key_id} {base64.b64encode(key or os.urandom(32)).decode()}\n"


def keys_of(path: Path) -> FileMasterKeys:
    return FileMasterKeys(path, None, os.urandom)


def about(path: Path) -> tuple[int, str, list[str]]:
    """Mode and text of a file, and what else is in its folder."""
    names = [each.name for each in path.parent.iterdir()]
    return stat.S_IMODE(path.stat().st_mode), path.read_text(), names


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "vault" / "master.keys"
    write_private(path, "# made by hand\n\n" + line("old") + line("new"), replace=False)
    return path


async def test_a_key_is_wrapped_by_the_last_line_and_unwrapped_by_any(path: Path) -> None:
    keys = keys_of(path)
    data_key = random_key()
    by_old = await keys.wrap(data_key, CONTEXT, "old")
    by_new = await keys.wrap(data_key, CONTEXT, await keys.active_id())

    assert await keys.active_id() == "new"
    assert by_new.master_key_id == "new"
    assert data_key.expose() not in by_new.wrapped
    assert by_new.wrapped != (await keys.wrap(data_key, CONTEXT, "new")).wrapped
    assert same(await keys.unwrap(by_old, CONTEXT), data_key)
    assert same(await keys.unwrap(by_new, CONTEXT), data_key)


async def test_a_wrapped_key_cannot_be_moved(path: Path) -> None:
    keys = keys_of(path)
    wrapped = await keys.wrap(random_key(), CONTEXT, "old")

    with pytest.raises(SealBrokenError):
        await keys.unwrap(wrapped, b"another customer")
    with pytest.raises(SealBrokenError):
        await keys.unwrap(WrappedKey(master_key_id="new", wrapped=wrapped.wrapped), CONTEXT)


async def test_a_process_that_runs_learns_of_a_key_that_was_added(path: Path) -> None:
    running, rotating = keys_of(path), keys_of(path)
    await rotating.add("newest")
    data_key = random_key()
    wrapped = await rotating.wrap(data_key, CONTEXT, "newest")

    assert await rotating.active_id() == "newest"
    assert same(await running.unwrap(wrapped, CONTEXT), data_key)
    assert await running.knows("newest")
    mode, text, names = about(path)
    assert mode == 0o600
    assert text.startswith("# made by hand\n\nold ")
    assert names == ["master.keys"]


async def test_a_key_that_is_nowhere_is_asked_for_by_name(path: Path) -> None:
    wrapped = WrappedKey(master_key_id="lost", wrapped=b"x" * 61)

    with pytest.raises(MasterKeyUnknownError, match=r"no master key lost in .*master\.keys"):
        await keys_of(path).unwrap(wrapped, CONTEXT)
    assert not await keys_of(path).knows("lost")


async def test_the_text_may_stand_in_the_environment() -> None:
    settings = Settings.from_environment({"LEDGER_MASTER_KEYS": line("one") + line("two")})

    keys = places.master_keys(settings, os.urandom)

    assert await keys.active_id() == "two"
    with pytest.raises(MasterKeyUnknownError, match="LEDGER_MASTER_KEYS"):
        await keys.wrap(random_key(), CONTEXT, "three")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "there is no key in it"),
        ("# none\n", "there is no key in it"),
        ("one\n", "line 1: a line is an id"),
        ("# \no/ne c2VjcmV0\n", "line 2: a line is an id"),
        ("one c2VjcmV0c2VjcmV0\n", "line 1: a key is 32 bytes in base64"),
        ("one c2VjcmV0c2Vj*mV0\n", "line 1: a key is 32 bytes in base64"),
        ("one c2VjcmV0c2Vj\u00e9mV0\n", "line 1: a key is 32 bytes in base64"),
        (line("one", b"1" * 32) * 2, "line 2: the id one is there twice"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_without_quoting_it(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "master.keys"
    path.write_bytes(text.encode())
    path.chmod(0o600)

    with pytest.raises(KeyFileError, match=complaint) as refused:
        keys_of(path)

    assert "c2Vj" not in repr(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o601])
def test_a_file_that_others_may_use_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)

    with pytest.raises(KeyFileError, match="chmod 600"):
        read_private(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"gone\.keys cannot be read: No such file"):
        keys_of(tmp_path / "gone.keys")


def test_a_new_file_takes_the_place_of_none(path: Path) -> None:
    before = path.read_text()

    with pytest.raises(FileExistsError):
        new_key_file(path, "id", b"k" * 32)

    assert path.read_text() == before
    assert [each.name for each in path.parent.iterdir()] == ["master.keys"]


def test_keys_that_are_said_twice_are_refused(path: Path) -> None:
    settings = Settings.from_environment(
        {
            "LEDGER_MASTER_KEYS": line("one"),
            "LEDGER_MASTER_KEY_FILE": str(path),
            "LEDGER_INDEX_KEY": line("one"),
            "LEDGER_INDEX_KEY_FILE": str(path),
        }
    )

    with pytest.raises(SettingsError, match="LEDGER_MASTER_KEY_FILE are both set"):
        places.master_keys(settings, os.urandom)
    with pytest.raises(SettingsError, match="LEDGER_INDEX_KEY_FILE are both set"):
        places.blind_index(settings)


def test_the_index_key_is_read_from_a_file_or_the_environment(tmp_path: Path) -> None:
    text = base64.b64encode(b"i" * 32).decode()
    file = tmp_path / "index.key"
    write_private(file, text + "\n", replace=False)
    from_file = Settings.from_environment({"LEDGER_INDEX_KEY_FILE": str(file)})
    from_text = Settings.from_environment({"LEDGER_INDEX_KEY": text})

    one, other = places.blind_index(from_file), places.blind_index(from_text)

    assert one.index("t", "bvn", "1") == other.index("t", "bvn", "1")
    with pytest.raises(KeyFileError, match="LEDGER_INDEX_KEY: a key is 32 bytes"):
        places.blind_index(Settings.from_environment({"LEDGER_INDEX_KEY": "c2VjcmV0"}))


async def test_nothing_that_holds_a_secret_shows_it() -> None:
    text = line("one", b"1" * 32)
    secret = text.split()[1]
    settings = Settings.from_environment({"LEDGER_MASTER_KEYS": text, "LEDGER_INDEX_KEY": secret})
    keys = places.master_keys(settings, os.urandom)
    wrapped = await keys.wrap(random_key(), CONTEXT, "one")

    for shown in (settings, settings.master_keys, keys, places.blind_index(settings), wrapped):
        assert secret not in f"{shown!r} {shown}"
        assert "1111" not in f"{shown!r} {shown}"
        assert repr(wrapped.wrapped)[2:20] not in f"{shown!r} {shown}"
    assert "one" in repr(keys)
    logged = _ENCODER.encode({"a": settings, "b": keys, "c": [wrapped], "d": random_key()})
    assert secret.encode() not in logged
    assert b'["<WrappedKey by one>"],"d":"<DataKey>"' in logged
