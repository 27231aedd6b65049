"""The scopes that routes, and some commands, need."""

from typing import Final

from ledger.tenants.store import Scope

READ: Final[Scope] = "wallets:read"
WRITE: Final[Scope] = "wallets:write"
TRANSFER: Final[Scope] = "transfers:write"
ADMIN: Final[Scope] = "admin"
