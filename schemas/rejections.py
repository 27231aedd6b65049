"""Rejections: business refusals, each a value with a stable code.

A rejection is returned, never raised. `message` says what is wrong and what to do;
it is for people and may change, the code may not.
"""

from typing import Literal

from msgspec import Struct

from schemas.identifiers import WalletId


class InsufficientFunds(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="insufficient_funds"
):
    """A debit of more than is available."""

    amount: int
    available: int


class WalletFrozen(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_frozen"):
    """A debit of a frozen wallet."""


class WalletClosed(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_closed"):
    """Anything but a repeated close, on a closed wallet."""


class WalletNotEmpty(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_not_empty"):
    """A close that does not say what becomes of the money."""

    balance: int


class WalletExists(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_exists"):
    """The customer has an open wallet in this currency already: `wallet_id`."""

    wallet_id: WalletId


class WalletUnknown(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_not_found"):
    """No such wallet, or another tenant's, which is the same."""


class ReferenceReused(Struct, frozen=True, kw_only=True, tag_field="code", tag="reference_reused"):
    """The reference or command id was used before for something else."""

    what: Literal["reference", "idempotency_key"]


class BalanceLimitExceeded(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="balance_limit_exceeded"
):
    """A credit that would take the balance over what every JSON client reads exactly."""

    amount: int
    balance: int
    limit: int


class CustomerIdConflict(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="customer_id_conflict"
):
    """The customer id is the UUID under which another customer is known."""


Rejection = (
    InsufficientFunds
    | WalletFrozen
    | WalletClosed
    | WalletNotEmpty
    | WalletExists
    | WalletUnknown
    | ReferenceReused
    | BalanceLimitExceeded
    | CustomerIdConflict
)

REJECTION_TYPES: tuple[type[Rejection], ...] = (
    InsufficientFunds,
    WalletFrozen,
    WalletClosed,
    WalletNotEmpty,
    WalletExists,
    WalletUnknown,
    ReferenceReused,
    BalanceLimitExceeded,
    CustomerIdConflict,
)


def code_of(rejection: Rejection) -> str:
    """The stable code, as events, HTTP and Kafka spell it."""
    code = type(rejection).__struct_config__.tag
    assert isinstance(code, str)
    return code
