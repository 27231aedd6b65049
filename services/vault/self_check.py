"""Before the vault serves: whether the keys at hand are the ones that were used so far.

A wrong one would not fail by itself: new customers would be sealed under it, and people who
are known would be taken for new ones.
"""

from collections.abc import Sequence
from hmac import compare_digest
from typing import Final, Protocol

from services.vault.blind_index import BlindIndex
from services.vault.errors import KeyFileError, MasterKeyUnknownError, SealBrokenError
from services.vault.key_store import KeptKey
from services.vault.master_keys import MasterKeys
from services.vault.vault import WRAPPING

_TRIED: Final = 100
"""One that opens is enough; a few may be spoiled without the master key being wrong."""
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"


class Witness(Protocol):
    """What the key store knows of the keys that were used so far."""

    async def wrapped_by(self, master_key_id: str, limit: int) -> Sequence[KeptKey]:
        """Some keys that a master key wraps."""

    async def index_check(self, check: bytes) -> bytes:
        """The check of the index key in use; this one, if there was none."""


async def check_master_key(witness: Witness, keys: MasterKeys, master_key_id: str) -> None:
    """Raise `MasterKeyUnknownError` where what a master key wrapped does not open by it."""
    if not await keys.knows(master_key_id):
        message = (
            f"keys are wrapped by the master key {master_key_id}, which is not at hand: "
            "add its line again"
        )
        raise MasterKeyUnknownError(message)
    for kept in await witness.wrapped_by(master_key_id, _TRIED):
        try:
            await keys.unwrap(kept.key, kept.customer.context(WRAPPING))
        except SealBrokenError:
            continue
        return
    message = (
        f"the master key {master_key_id} at hand opens nothing of what {master_key_id} wrapped, "
        "so it is another key: put the right one back"
    )
    raise MasterKeyUnknownError(message)


async def check_index_key(witness: Witness, index: BlindIndex) -> None:
    """Raise `KeyFileError` where indexes were made under another key."""
    check = index.index(_NOBODY, "index-key-check", "1")
    if not compare_digest(await witness.index_check(check), check):
        message = (
            "the index key at hand is not the one that people were indexed under, and would find "
            "nobody: put the right one back"
        )
        raise KeyFileError(message)
