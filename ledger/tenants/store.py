"""What is stored of merchants and credentials, as others read it. Secrets are kept as hashes only.

Changes are an administrator's (`ledger.tenants.administrator`), since each is an append.

A secret is 256 random bits, so a plain SHA-256 of it cannot be guessed at; a slow hash
would protect nothing more and cost every request.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from uuid import UUID

import asyncpg
from msgspec import Struct

from ledger.tenants import Environment
from ledger.tenants.errors import UnknownMerchantError
from ledger.tenants.limits import RateLimit, rate_limit_of
from ledger.tenants.redirects import origin_of

Scope = Literal["wallets:read", "wallets:write", "transfers:write", "admin"]

SCOPES: frozenset[str] = frozenset({"wallets:read", "wallets:write", "transfers:write", "admin"})
MERCHANT_SCOPES = SCOPES - {"admin"}
"""What a merchant's back end is given."""

_SQL = Path(__file__).parent / "sql"
_FIND_CREDENTIAL = (_SQL / "find_credential.sql").read_text(encoding="utf-8")
_REDIRECT_ORIGINS = (_SQL / "redirect_origins.sql").read_text(encoding="utf-8")

_SECRET_BYTES = 32
_KEY_ID_BYTES = 12
_KEY_ID = re.compile(r"key_[0-9a-f]{24}", re.ASCII)

if TYPE_CHECKING:
    Connection = (
        asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
    )
else:  # the classes take parameters in their stubs only
    Connection = asyncpg.Connection


class Merchant(Struct, frozen=True, kw_only=True):
    """A merchant and the tenants that it is. Ids are UUIDs as text."""

    merchant_id: str
    live_tenant_id: str
    sandbox_tenant_id: str


class Secret(NamedTuple):
    """A credential as its owner gets it, once: client id and client secret."""

    key_id: str
    secret: str

    def api_key(self) -> str:
        """The same in one string, for clients that send only that."""
        return f"{self.key_id}.{self.secret}"


class Credential(Struct, frozen=True, kw_only=True):
    """A credential as it is stored."""

    key_id: str
    tenant_id: str
    merchant_id: str
    environment: Environment
    secret_hash: bytes
    scopes: frozenset[str]
    revoked_at: datetime | None
    """Since when it speaks for nobody: it was revoked, or its time was over."""
    redirect_origins: frozenset[str]
    """To where browsers may be sent after a top-up; empty: everywhere."""
    rate_limit: RateLimit | None = None
    """How much it may ask for; none: what the gateways allow every credential."""
    used_units: int = 0
    """What all gateways have let through of it, ever, as they have told."""

    def accepts(self, secret: str) -> bool:
        """Whether this is the secret, in a time that does not depend on the secret."""
        return self.revoked_at is None and hmac.compare_digest(
            hash_secret(secret), self.secret_hash
        )


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret. Any text has a hash, well-formed or not."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def split_api_key(api_key: str) -> Secret | None:
    """Take `<key id>.<secret>` apart; None if it is not of that shape."""
    key_id, dot, secret = api_key.partition(".")
    return Secret(key_id, secret) if dot and secret and _KEY_ID.fullmatch(key_id) else None


def new_secret(random_bytes: Callable[[int], bytes]) -> Secret:
    """A new key id and secret. Nobody must be able to foresee the bytes."""
    secret = urlsafe_b64encode(random_bytes(_SECRET_BYTES)).rstrip(b"=").decode("ascii")
    return Secret(f"key_{random_bytes(_KEY_ID_BYTES).hex()}", secret)


def is_key_id(text: str) -> bool:
    """Whether `text` is spelled as a key id; says nothing about its existence."""
    return _KEY_ID.fullmatch(text) is not None


async def find_credential(connection: Connection, key_id: str) -> Credential | None:
    """The credential of this id, revoked or not. Any text may be asked for."""
    if not _KEY_ID.fullmatch(key_id):
        return None
    row = await connection.fetchrow(_FIND_CREDENTIAL, key_id)
    if row is None:
        return None
    return Credential(
        key_id=row["key_id"],
        tenant_id=str(row["tenant_id"]),
        merchant_id=str(row["merchant_id"]),
        environment=row["environment"],
        secret_hash=row["secret_hash"],
        scopes=frozenset(row["scopes"]),
        revoked_at=row["revoked_at"],
        redirect_origins=frozenset(row["redirect_origins"]),
        rate_limit=rate_limit_of(row["rate_limit_per_s"], row["rate_limit_burst"]),
        used_units=row["used_units"],
    )


async def redirect_origins(connection: Connection, merchant_id: UUID) -> list[str]:
    """A merchant's list, in order; empty: it keeps none. Raises `UnknownMerchantError`."""
    rows = await connection.fetch(_REDIRECT_ORIGINS, merchant_id)
    if not rows:
        message = f"there is no merchant {merchant_id}"
        raise UnknownMerchantError(message)
    return [row["origin"] for row in rows if row["origin"] is not None]


def spelled_origin(origin: str) -> str:
    """How an origin is spelled on a list. Raises `ValueError` for what is none."""
    spelled = origin_of(origin)
    if spelled is None:
        message = (
            "an origin is scheme, host and port without a path, such as https://shop.example.com"
        )
        raise ValueError(message)
    return spelled
