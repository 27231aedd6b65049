"""Every event that was ever published: `EVENT_TYPES`, `decode_event`, `encode_event`.

An old event decodes for ever: when a shape changes, its schema version goes up and an
upcaster here turns the old JSON into the new.
"""

from collections.abc import Callable

import msgspec

from schemas.events.envelope import EventMetadata, RecordedEvent
from schemas.events.identity import (
    CustomerErased,
    DayTotal,
    IdentityDeclined,
    TierRaised,
    WalletReviewed,
)
from schemas.events.tenant import (
    CredentialCreated,
    CredentialLimited,
    CredentialRevoked,
    CredentialRotated,
    MerchantCreated,
    RedirectAllowed,
    RedirectDisallowed,
    TenantEvent,
    VaultMaintenanceBegun,
)
from schemas.events.wallet import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    DebitDeclined,
    DebitReversed,
    Expiring,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    LotAmount,
    Lots,
    TopupCreated,
    TopupDeclined,
    TopupEnded,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    VoidDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletToppedUp,
    WalletUnfrozen,
)

__all__ = [
    "EVENT_TYPES",
    "SCHEMA_VERSION",
    "TENANT_EVENT_TYPES",
    "WALLET_EVENT_TYPES",
    "BalanceForfeited",
    "ChangeDeclined",
    "CredentialCreated",
    "CredentialLimited",
    "CredentialRevoked",
    "CredentialRotated",
    "CreditDeclined",
    "CreditLapsed",
    "CreditReversed",
    "CustomerErased",
    "DayTotal",
    "DebitDeclined",
    "DebitReversed",
    "Decode",
    "Event",
    "EventMetadata",
    "Expiring",
    "HoldCaptured",
    "HoldPlaced",
    "HoldReleased",
    "IdentityDeclined",
    "LotAmount",
    "Lots",
    "MerchantCreated",
    "RecordedEvent",
    "RedirectAllowed",
    "RedirectDisallowed",
    "TenantEvent",
    "TierRaised",
    "TopupCreated",
    "TopupDeclined",
    "TopupEnded",
    "TopupUnapplied",
    "TransferReceived",
    "TransferSent",
    "UnknownEventError",
    "VaultMaintenanceBegun",
    "VoidDeclined",
    "WalletClosed",
    "WalletCredited",
    "WalletDebited",
    "WalletEvent",
    "WalletFrozen",
    "WalletOpened",
    "WalletReviewed",
    "WalletToppedUp",
    "WalletUnfrozen",
    "decode_any_event",
    "decode_event",
    "decode_tenant_event",
    "encode_event",
    "type_of",
]

SCHEMA_VERSION = 1
"""The schema version that every event type is written with today."""

Event = WalletEvent | TenantEvent

WALLET_EVENT_TYPES: dict[str, type[WalletEvent]] = {
    "wallet.opened": WalletOpened,
    "wallet.credited": WalletCredited,
    "wallet.debited": WalletDebited,
    "wallet.debit_declined": DebitDeclined,
    "wallet.credit_declined": CreditDeclined,
    "wallet.credit_lapsed": CreditLapsed,
    "wallet.hold_placed": HoldPlaced,
    "wallet.hold_captured": HoldCaptured,
    "wallet.hold_released": HoldReleased,
    "wallet.transfer_sent": TransferSent,
    "wallet.transfer_received": TransferReceived,
    "wallet.debit_reversed": DebitReversed,
    "wallet.credit_reversed": CreditReversed,
    "wallet.topup_created": TopupCreated,
    "wallet.topped_up": WalletToppedUp,
    "wallet.topup_ended": TopupEnded,
    "wallet.topup_unapplied": TopupUnapplied,
    "wallet.topup_declined": TopupDeclined,
    "wallet.frozen": WalletFrozen,
    "wallet.unfrozen": WalletUnfrozen,
    "wallet.balance_forfeited": BalanceForfeited,
    "wallet.closed": WalletClosed,
    "wallet.change_declined": ChangeDeclined,
    "wallet.void_declined": VoidDeclined,
    "wallet.tier_raised": TierRaised,
    "wallet.reviewed": WalletReviewed,
    "wallet.customer_erased": CustomerErased,
    "wallet.identity_declined": IdentityDeclined,
}
"""A wallet's events by type name, which is its Struct's tag."""

TENANT_EVENT_TYPES: dict[str, type[TenantEvent]] = {
    "tenant.merchant_created": MerchantCreated,
    "tenant.credential_created": CredentialCreated,
    "tenant.credential_rotated": CredentialRotated,
    "tenant.credential_revoked": CredentialRevoked,
    "tenant.credential_limited": CredentialLimited,
    "tenant.redirect_allowed": RedirectAllowed,
    "tenant.redirect_disallowed": RedirectDisallowed,
    "vault.maintenance_begun": VaultMaintenanceBegun,
}
"""The events of a tenant's own stream: what administrators did."""

EVENT_TYPES: dict[str, type[Event]] = {**WALLET_EVENT_TYPES, **TENANT_EVENT_TYPES}
"""Every event by its type name."""

_TYPE_NAMES = {struct: name for name, struct in EVENT_TYPES.items()}
_UPCASTERS: dict[tuple[str, int], Callable[[bytes | str], WalletEvent]] = {}
_DECODERS = {name: msgspec.json.Decoder(struct) for name, struct in WALLET_EVENT_TYPES.items()}
_TENANT_DECODERS = {
    name: msgspec.json.Decoder(struct) for name, struct in TENANT_EVENT_TYPES.items()
}
_ENCODER = msgspec.json.Encoder()


class UnknownEventError(Exception):
    """An event of a type or schema version that this release does not know."""


def type_of(event: Event) -> str:
    """The event's type name, such as `wallet.debited`."""
    return _TYPE_NAMES[type(event)]


def encode_event(event: Event) -> bytes:
    """The event's JSON. It carries its type too, so that it can be read on its own."""
    return _ENCODER.encode(event)


Decode = Callable[[str, int, bytes | str], WalletEvent]
"""As `decode_event` does it, or somebody who remembers what it did."""


def decode_event(type_name: str, schema_version: int, data: bytes | str) -> WalletEvent:
    """Read the JSON of a wallet's event, however old it is.

    Raises `UnknownEventError` for a type or version from a newer release.
    """
    if schema_version == SCHEMA_VERSION:
        decoder = _DECODERS.get(type_name)
        if decoder is not None:
            return decoder.decode(data)
    upcast = _UPCASTERS.get((type_name, schema_version))
    if upcast is None:
        message = f"event type {type_name!r} with schema version {schema_version} is not known"
        raise UnknownEventError(message)
    return upcast(data)


def decode_tenant_event(type_name: str, schema_version: int, data: bytes | str) -> TenantEvent:
    """Read the JSON of an event of a tenant's own stream. Raises `UnknownEventError`."""
    decoder = _TENANT_DECODERS.get(type_name) if schema_version == SCHEMA_VERSION else None
    if decoder is None:
        message = f"event type {type_name!r} with schema version {schema_version} is not known"
        raise UnknownEventError(message)
    return decoder.decode(data)


def decode_any_event(type_name: str, schema_version: int, data: bytes | str) -> Event:
    """Read an event's JSON, whatever stream it stands in. Raises `UnknownEventError`."""
    if type_name in TENANT_EVENT_TYPES:
        return decode_tenant_event(type_name, schema_version, data)
    return decode_event(type_name, schema_version, data)
