"""Master keys in a KMS: here one that wraps and unwraps over HTTP, as a service of your own may.

LEDGER_KMS=kms_over_http:open_master_keys KMS_URL=https://kms.internal ledger gateway
"""

# A module that a person copies, of no package.
# ruff: noqa: INP001

import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from services.vault.errors import (
    MasterKeysUnavailableError,
    MasterKeyUnknownError,
    RotationError,
    SealBrokenError,
)
from services.vault.master_keys import WrappedKey
from services.vault.sealing import DataKey


class HttpMasterKeys:
    """The port `MasterKeys`, one call of the KMS for each method."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def active_id(self) -> str:
        """The id of the key that new data keys are to be wrapped by."""
        return str((await self._ask("active", {}))["key_id"])

    async def wrap(self, key: DataKey, context: bytes, master_key_id: str) -> WrappedKey:
        """Wrap by that master key. Raises `MasterKeyUnknownError`."""
        asked = {"key_id": master_key_id, "plaintext": _text(key.expose())}
        answer = await self._ask("wrap", asked | {"context": _text(context)})
        return WrappedKey(master_key_id=master_key_id, wrapped=b64decode(answer["wrapped"]))

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> DataKey:
        """The data key. Raises `MasterKeyUnknownError`, `SealBrokenError`."""
        asked = {"key_id": wrapped.master_key_id, "wrapped": _text(wrapped.wrapped)}
        answer = await self._ask("unwrap", asked | {"context": _text(context)})
        return DataKey(b64decode(answer["plaintext"]))

    async def knows(self, master_key_id: str) -> bool:
        """Whether what that master key wrapped can be unwrapped."""
        return bool((await self._ask("knows", {"key_id": master_key_id}))["knows"])

    async def add(self, master_key_id: str) -> None:
        """Who may use a key may not make one: that is for whoever runs the KMS."""
        message = "make a new key in the KMS and activate it there, then repeat this"
        raise RotationError(message)

    async def _ask(self, what: str, body: dict[str, str]) -> dict[str, Any]:
        try:
            async with self._session.post(f"/{what}", json=body) as answer:
                if answer.status == 404:
                    message = f"the KMS has no key {body['key_id']}"
                    raise MasterKeyUnknownError(message)
                if answer.status == 422:
                    message = "the KMS says that it has not wrapped this, or with another context"
                    raise SealBrokenError(message)
                answer.raise_for_status()
                said: dict[str, Any] = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            # Not its message, which may have what was sent in it.
            message = f"the KMS cannot be reached: {type(error).__name__}"
            raise MasterKeysUnavailableError(message) from None
        return said


@asynccontextmanager
async def open_master_keys() -> AsyncIterator[HttpMasterKeys]:
    """What `LEDGER_KMS` names."""
    timeout = aiohttp.ClientTimeout(total=3)
    async with aiohttp.ClientSession(os.environ["KMS_URL"], timeout=timeout) as session:
        yield HttpMasterKeys(session)


def _text(content: bytes) -> str:
    return b64encode(content).decode("ascii")
