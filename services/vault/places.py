"""Where the vault's things are, after the settings. What is not set is under LEDGER_HOME."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path

from services.runtime.settings import Settings, SettingsError
from services.vault.blind_index import INDEX_KEY_BYTES, BlindIndex
from services.vault.destroyed import DestroyedList
from services.vault.document_store import DocumentStore, FileDocumentStore
from services.vault.key_files import decode_key, read_private
from services.vault.master_keys import FileMasterKeys, MasterKeys


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


def document_store(settings: Settings) -> DocumentStore:
    """The store of documents; nothing is opened yet. To be closed. Raises `SettingsError`."""
    if settings.documents_url is None:
        return FileDocumentStore(documents_path(settings))
    if settings.documents_folder is not None:
        message = "LEDGER_DOCUMENTS_URL and LEDGER_DOCUMENTS_FOLDER are both set; one is too many"
        raise SettingsError(message)
    try:
        from services.vault.s3_document_store import S3DocumentStore  # noqa: PLC0415 - an extra
    except ImportError as error:
        message = "LEDGER_DOCUMENTS_URL needs an extra: pip install 'wallet-ledger[s3]'"
        raise SettingsError(message) from error
    return S3DocumentStore(settings.documents_url)


def destroyed_list(settings: Settings) -> DestroyedList:
    """The list of destroyed keys; nothing is read yet."""
    return DestroyedList(settings.destroyed_keys_file or folder(settings) / "destroyed.jsonl")


@asynccontextmanager
async def open_master_keys(
    settings: Settings, random_bytes: Callable[[int], bytes]
) -> AsyncIterator[MasterKeys]:
    """The master keys, of a KMS or of a file. Raises as `master_keys` does."""
    if settings.kms is None:
        yield master_keys(settings, random_bytes)
        return
    if settings.master_keys is not None or settings.master_key_file is not None:
        other = "LEDGER_MASTER_KEYS" if settings.master_keys else "LEDGER_MASTER_KEY_FILE"
        message = f"{other} and LEDGER_KMS are both set; one is too many"
        raise SettingsError(message)
    async with _kms(settings.kms) as keys:
        yield keys


def master_keys(settings: Settings, random_bytes: Callable[[int], bytes]) -> FileMasterKeys:
    """The master keys that are here. Raises `KeyFileError`; `SettingsError` where said twice."""
    if settings.master_keys is None:
        return FileMasterKeys(master_key_path(settings), None, random_bytes)
    if settings.master_key_file is not None:
        message = "LEDGER_MASTER_KEYS and LEDGER_MASTER_KEY_FILE are both set; one is too many"
        raise SettingsError(message)
    return FileMasterKeys(None, settings.master_keys.expose(), random_bytes)


def _kms(place: str) -> AbstractAsyncContextManager[MasterKeys]:
    module_name, _, name = place.partition(":")
    try:
        open_: Callable[[], AbstractAsyncContextManager[MasterKeys]] = getattr(
            import_module(module_name), name
        )
    except (ImportError, AttributeError) as error:
        message = f"LEDGER_KMS: {place} cannot be imported: {error}"
        raise SettingsError(message) from error
    return open_()


def has_index_key(settings: Settings) -> bool:
    """Whether the index key is at hand, right or wrong."""
    return settings.index_key is not None or index_key_path(settings).exists()


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
