"""The bank that accounts are kept with: the sandbox's own, or the one that is set up for live."""

from typing import Final

from msgspec import Struct

from ledger.tenants import Environment


class Bank(Struct, frozen=True, kw_only=True):
    """Its name, and the six digits of its code."""

    name: str
    code: str


SANDBOX_BANK: Final = Bank(name="Sandbox Bank", code="999999")


class Banks(Struct, frozen=True, kw_only=True):
    """Which bank it is in each environment."""

    live: Bank = SANDBOX_BANK
    sandbox: Bank = SANDBOX_BANK

    def of(self, environment: Environment) -> Bank:
        """The bank of an environment."""
        return self.live if environment == "live" else self.sandbox
