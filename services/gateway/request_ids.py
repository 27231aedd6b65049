"""Request ids, for calls that did not bring one.

A call with an Idempotency-Key gets an id that is a function of the key, so that a
repeated call is answered byte for byte as it was, `request_id` in a problem included.
"""

from hashlib import blake2s


class RequestIds:
    """Makes ids that no other process makes, as long as `randomness` differs."""

    def __init__(self, randomness: bytes) -> None:
        assert len(randomness) >= 8, "too little randomness to tell processes apart"
        self._prefix = f"req_{randomness.hex()}"
        self._count = 0

    def make(self, idempotency_key: str | None) -> str:
        """An id for a call, whose Idempotency-Key may be missing, or malformed."""
        if idempotency_key is not None:
            named = idempotency_key.encode("utf-8", "surrogateescape")
            return f"req_{blake2s(named, digest_size=16).hexdigest()}"
        self._count += 1
        return f"{self._prefix}{self._count:08x}"
