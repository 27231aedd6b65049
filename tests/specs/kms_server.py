"""A KMS as a process: keys in its memory, AES-256-GCM. `python -m tests.specs.kms_server PORT`.

Its first key is `first`; `POST /rotate` makes another and activates it.
"""

import os
import sys
from base64 import b64decode, b64encode
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Kms:
    """The keys, and the handlers."""

    def __init__(self) -> None:
        self._keys = {"first": AESGCM(os.urandom(32))}

    async def active(self, _: web.Request) -> web.Response:
        """Which key is active."""
        return web.json_response({"key_id": list(self._keys)[-1]})

    async def knows(self, request: web.Request) -> web.Response:
        """Whether there is such a key."""
        asked = await request.json()
        return web.json_response({"knows": asked["key_id"] in self._keys})

    async def wrap(self, request: web.Request) -> web.Response:
        """Wrap a key, bound to its context."""
        asked = await request.json()
        nonce = os.urandom(12)
        plaintext, context = b64decode(asked["plaintext"]), b64decode(asked["context"])
        wrapped = nonce + self._key(asked).encrypt(nonce, plaintext, context)
        return web.json_response({"wrapped": b64encode(wrapped).decode()})

    async def unwrap(self, request: web.Request) -> web.Response:
        """Unwrap a key; 422 where it was not wrapped so."""
        asked = await request.json()
        wrapped, context = b64decode(asked["wrapped"]), b64decode(asked["context"])
        try:
            plaintext = self._key(asked).decrypt(wrapped[:12], wrapped[12:], context)
        except InvalidTag:
            raise web.HTTPUnprocessableEntity from None
        return web.json_response({"plaintext": b64encode(plaintext).decode()})

    async def rotate(self, _: web.Request) -> web.Response:
        """Make another key, and activate it."""
        self._keys["second"] = AESGCM(os.urandom(32))
        return web.json_response({})

    def _key(self, asked: Any) -> AESGCM:
        if asked["key_id"] not in self._keys:
            raise web.HTTPNotFound
        return self._keys[asked["key_id"]]


def main() -> None:
    """Serve on the port that the command line names."""
    kms = Kms()
    application = web.Application()
    for name in ("active", "knows", "wrap", "unwrap", "rotate"):
        application.router.add_post(f"/{name}", getattr(kms, name))
    web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
