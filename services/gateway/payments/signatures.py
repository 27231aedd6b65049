"""Signatures: whether who knows the secret has sent a callback, and just now. Pure."""

import hashlib
import hmac
import re
from typing import Final

from services.gateway.payments.provider import CALLBACK_TOLERANCE_SECONDS, ForgedCallbackError

_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


def check_signature(
    secret: str, *, timestamp: str | None, signature: str | None, body: bytes, now: float
) -> None:
    """Come back if `signature` is `v1=` and the HMAC-SHA256 of timestamp, dot and body.

    Raises `ForgedCallbackError`.
    """
    if timestamp is None or signature is None:
        raise ForgedCallbackError("it is not signed")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise ForgedCallbackError("its time is not a number of seconds")
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    # Bytes, since what is not ASCII cannot be compared as text.
    sent = signature.encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(sent, f"v1={expected.hexdigest()}".encode()):
        raise ForgedCallbackError("its signature is wrong")
    if abs(now - int(timestamp)) > CALLBACK_TOLERANCE_SECONDS:
        raise ForgedCallbackError("it was signed too long ago, or ahead of now")
