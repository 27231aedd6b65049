"""What the vault refuses or cannot do. No message has a key, a plaintext or a file's bytes."""

from services.vault.customer import Customer


class VaultError(Exception):
    """Something about the vault is wrong; the message says what to do."""


class SealBrokenError(VaultError):
    """A sealed content was changed, cut, moved, or is of another key."""


class CustomerErasedError(VaultError):
    """The customer's key was destroyed, for ever."""

    def __init__(self, customer: Customer) -> None:
        super().__init__(f"customer {customer.user_id} of {customer.tenant_id} was erased")
        self.customer = customer


class MasterKeyUnknownError(VaultError):
    """A key is wrapped by a master key that is not at hand; the message has its id."""


class MasterKeysUnavailableError(VaultError):
    """Who wraps and unwraps keys cannot be reached now."""


class MasterKeyRetiredError(VaultError):
    """A key was to be kept under a master key that is not the active one any more."""

    def __init__(self, master_key_id: str, active_id: str) -> None:
        super().__init__(f"master key {master_key_id} is retired; {active_id} is active")
        self.active_id = active_id


class KeyFileError(VaultError):
    """A file of keys, or the variable in its place, cannot be used."""


class DestroyedListError(VaultError):
    """The list of destroyed keys was changed, shortened or lost."""


class BackupError(VaultError):
    """A backup cannot be made, or cannot be read."""


class RotationError(VaultError):
    """The master key cannot be rotated; every key is still readable."""


class VaultBusyError(VaultError):
    """Another rotation or restore is under way."""


class LeftoversUnclearError(VaultError):
    """What is left over cannot be told from what is needed, so nothing is removed."""


class DocumentMissingError(VaultError):
    """There is no document of that id."""


class DocumentsUnavailableError(VaultError, OSError):
    """The store of documents cannot be used now."""


class DocumentRefusedError(VaultError):
    """An upload is not taken; `code` is stable, the message is for who sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
