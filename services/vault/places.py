"""Where the vault's things are, after the settings. What is not set is under LEDGER_HOME."""

from collections.abc import Callable
from pathlib import Path

from services.runtime.settings import Settings, SettingsError
from services.vault.blind_index import INDEX_KEY_BYTES, BlindIndex
from services.vault.destroyed import DestroyedList
from services.vault.key_files import decode_key, read_private
from services.vault.master_keys import FileMasterKeys


def folder(settings: Settings) -> Path:
    """The vault's folder under LEDGER_HOME."""
    return settings.home.expanduser() / "vault"


def master_key_path(settings: Settings) -> Path:
    """The file of master keys."""
    return settings.master_key_file or folder(settings) / "master.keys"


def index_key_path(settings: Settings) -> Path:
    """The file of the index key."""
    return settings.index_key_file or folder(settings) / "index.key"


def documents_path(settings: Settings) -> Path:
    """The folder of sealed documents."""
    return settings.documents_folder or folder(settings) / "documents"


def destroyed_list(settings: Settings) -> DestroyedList:
    """The list of destroyed keys; nothing is read yet."""
    return DestroyedList(settings.destroyed_keys_file or folder(settings) / "destroyed.jsonl")


def master_keys(settings: Settings, random_bytes: Callable[[int], bytes]) -> FileMasterKeys:
    """The master keys. Raises `KeyFileError`; `SettingsError` where they are said twice."""
    if settings.master_keys is None:
        return FileMasterKeys(master_key_path(settings), None, random_bytes)
    if settings.master_key_file is not None:
        message = "LEDGER_MASTER_KEYS and LEDGER_MASTER_KEY_FILE are both set; one is too many"
        raise SettingsError(message)
    return FileMasterKeys(None, settings.master_keys.expose(), random_bytes)


def blind_index(settings: Settings) -> BlindIndex:
    """The blind index. Raises `KeyFileError`; `SettingsError` where its key is said twice."""
    if settings.index_key is None:
        path = index_key_path(settings)
        return BlindIndex(decode_key(read_private(path).strip(), INDEX_KEY_BYTES, str(path)))
    if settings.index_key_file is not None:
        message = "LEDGER_INDEX_KEY and LEDGER_INDEX_KEY_FILE are both set; one is too many"
        raise SettingsError(message)
    return BlindIndex(
        decode_key(settings.index_key.expose().strip(), INDEX_KEY_BYTES, "LEDGER_INDEX_KEY")
    )
