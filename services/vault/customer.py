"""Whose key it is: a tenant and the customer's UUID, never the merchant's own name for it.

A merchant may name customers as it likes, by an email address for one; what stays in the
vault after an erasure is only this. Pure.
"""

import re

from msgspec import Struct

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class Customer(Struct, frozen=True, kw_only=True, order=True):
    """Both ids are UUIDs in lower case; any other spelling is a `ValueError`.

    `schemas.identifiers.user_id_of` makes the user id of a customer id.
    """

    tenant_id: str
    user_id: str

    def __post_init__(self) -> None:
        # Two spellings of one UUID would be one row in the store and two contexts of a seal.
        for name, text in (("tenant id", self.tenant_id), ("user id", self.user_id)):
            if _UUID.fullmatch(text) is None:
                message = f"the {name} is not a UUID in lower case"
                raise ValueError(message)

    def context(self, purpose: str) -> bytes:
        """What a seal is bound to: this customer and one purpose, for example `kyc:bvn`."""
        return unambiguous(self.tenant_id, self.user_id, purpose)


def unambiguous(*parts: str) -> bytes:
    """The parts as bytes, each after its length, so that no other parts give the same."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
