"""People as the log has them: sealed under a key of their own."""

from base64 import b64decode, b64encode

import msgspec

from schemas.personal import Personal
from services.identity.person import Identity
from services.vault.customer import Customer
from services.vault.errors import SealBrokenError
from services.vault.sealing import DataKey, seal, unseal

_PURPOSE = "identity"


class KnownPerson(Personal, frozen=True, kw_only=True):
    """What is sealed: the person, and the utility bill that was sent for tier three."""

    identity: Identity
    utility_bill: str | None = None
    """The document's id."""


def seal_person(key: DataKey, nonce: bytes, customer: Customer, person: KnownPerson) -> str:
    """The sealed text that a command carries."""
    sealed = seal(key, nonce, msgspec.json.encode(person), customer.context(_PURPOSE))
    return b64encode(sealed).decode("ascii")


def unseal_person(key: DataKey, customer: Customer, sealed: str) -> KnownPerson:
    """Who it is. Raises `SealBrokenError` where key or customer are others."""
    try:
        locked = b64decode(sealed)
    except ValueError:
        message = "what was sealed of a customer is no base64"
        raise SealBrokenError(message) from None
    content = unseal(key, locked, customer.context(_PURPOSE))
    try:
        return msgspec.json.decode(content, type=KnownPerson)
    except msgspec.MsgspecError:
        # Not chained: the error may quote what it could not read.
        message = "what was sealed of a customer cannot be read"
        raise SealBrokenError(message) from None
