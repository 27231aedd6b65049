"""`ledger tail`: the log's events as they come, one readable line each.

It reads the log itself, by position, so it also shows what Kafka does not have yet.
"""

import asyncio
from datetime import UTC
from typing import assert_never

import asyncpg
import msgspec
from rich.console import Console
from rich.text import Text

from schemas.events import (
    EVENT_TYPES,
    BalanceForfeited,
    ChangeDeclined,
    CredentialCreated,
    CredentialLimited,
    CredentialRevoked,
    CredentialRotated,
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    CustomerErased,
    DebitDeclined,
    DebitReversed,
    Event,
    EventMetadata,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    IdentityDeclined,
    MerchantCreated,
    RedirectAllowed,
    RedirectDisallowed,
    TenantEvent,
    TierRaised,
    TopupCreated,
    TopupDeclined,
    TopupEnded,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    UnknownEventError,
    VaultMaintenanceBegun,
    VoidDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletReviewed,
    WalletToppedUp,
    WalletUnfrozen,
    decode_any_event,
)
from schemas.identifiers import stream_name
from schemas.money import formatted
from services.runtime import postgres
from services.runtime.settings import Settings
from services.runtime.sql import load_statement
from services.runtime.terminal import printable

Moved = (
    WalletCredited
    | WalletDebited
    | BalanceForfeited
    | CreditLapsed
    | HoldCaptured
    | TransferSent
    | TransferReceived
    | DebitReversed
    | CreditReversed
    | WalletToppedUp
)

_NEWEST_EVENTS = 20
_PAGE_EVENTS = 500
_POLL_S = 0.2
_TYPE_WIDTH = max(map(len, EVENT_TYPES))


async def run(settings: Settings, follow: bool, after: int | None) -> None:
    """Print the events after a position, or the newest twenty; then wait for more, or end.

    Raises what asyncpg raises.
    """
    connection = await postgres.connect(settings.require_database_url(), "ledger tail")
    try:
        await _print_events(connection, Console(highlight=False), follow=follow, after=after)
    finally:
        connection.terminate()


async def _print_events(
    connection: postgres.Connection, console: Console, *, follow: bool, after: int | None
) -> None:
    position = after
    if position is None:
        position = await connection.fetchval(load_statement(__file__, "start"), _NEWEST_EVENTS)
    page = load_statement(__file__, "page")
    while True:
        rows = await connection.fetch(page, position, _PAGE_EVENTS)
        for row in rows:
            console.print(line_of(row), soft_wrap=True)
            position = row["position"]
        if not rows:
            if not follow:
                return
            await asyncio.sleep(_POLL_S)


def line_of(row: asyncpg.Record) -> Text:
    """One event, with the columns of sql/page.sql, as a line."""
    try:
        event = decode_any_event(row["type"], row["schema_version"], row["data"])
        story, style = _told(event)
    except UnknownEventError:
        story, style = "(an event of a newer release)", "magenta"
    metadata = msgspec.json.decode(row["metadata"], type=EventMetadata)
    at = row["recorded_at"].astimezone(UTC)
    return Text.assemble(
        (f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z", "dim"),
        f"  {row['position']:>8}",
        ("  " + stream_name(row["tenant_id"], row["stream_id"]), "cyan"),
        (f" v{row['version']:<5}", "dim"),
        (f" {row['type']:<{_TYPE_WIDTH}}", style),
        f"  {printable(story)}",
        (f"  {printable(metadata.who)}", "dim"),
    )


def _told(event: Event) -> tuple[str, str]:
    """What an event says in a few words, and how it is coloured."""
    if isinstance(event, TenantEvent):
        return _done(event), "magenta"
    return _story(event), _style(event)


def _done(event: TenantEvent) -> str:
    """What an administrator did."""
    because = _because(event.reason)
    match event:
        case MerchantCreated():
            return f"{event.name}, {event.environment}{because}"
        case CredentialCreated():
            return f"{event.key_id}, {' '.join(event.scopes)}{because}"
        case CredentialRotated():
            return f"{event.replaces_key_id} by {event.key_id}{because}"
        case CredentialRevoked():
            return f"{event.key_id}{because}"
        case CredentialLimited():
            return f"{event.key_id} to {_limit(event)}{because}"
        case RedirectAllowed() | RedirectDisallowed():
            return f"{event.origin}{because}"
        case VaultMaintenanceBegun():
            return f"{event.work}{because}"
        case _:
            assert_never(event)


def _limit(event: CredentialLimited) -> str:
    return "default" if event.per_s is None else f"{event.per_s}/s:{event.burst}"


def _story(event: WalletEvent) -> str:  # noqa: C901, PLR0912 - one line for each event
    match event:
        case WalletCredited() | WalletDebited() | BalanceForfeited() | CreditLapsed():
            return _moved(event)
        case HoldCaptured():
            return f"{_moved(event)}, of {event.hold_id}"
        case WalletToppedUp():
            return f"{_moved(event)}, of {event.topup_id}"
        case TopupCreated():
            return f"{formatted(event.amount, event.currency)} by {event.topup_id}"
        case TopupEnded():
            return f"{event.topup_id}, {event.cause}"
        case TopupUnapplied():
            return f"{formatted(event.amount, event.currency)} of {event.topup_id}, {event.code}"
        case TopupDeclined():
            return f"{event.change}, {event.code}"
        case TransferSent():
            return f"{_moved(event)}, to {event.to_wallet_id}"
        case TransferReceived():
            return f"{_moved(event)}, from {event.from_wallet_id}"
        case DebitReversed() | CreditReversed():
            return f"{_moved(event)}, of {event.transaction_id}"
        case HoldPlaced() | HoldReleased():
            amount = formatted(event.amount, event.currency)
            return f"{amount} → available {formatted(event.available_after, event.currency)}"
        case DebitDeclined() | CreditDeclined():
            amount = formatted(event.amount, event.currency)
            balance = formatted(event.balance, event.currency)
            return f"{amount}, {event.code}, balance {balance}"
        case WalletOpened():
            return f"{event.currency} for {event.customer_id}"
        case ChangeDeclined():
            return f"{event.change}, {event.code}"
        case VoidDeclined():
            return f"{event.hold_id}, {event.code}"
        case TierRaised():
            return event.tier
        case WalletReviewed():
            return f"{event.outcome}{_because(event.reason)}"
        case CustomerErased():
            return f"{event.user_id}{_because(event.reason)}"
        case IdentityDeclined():
            return f"{event.change}, {event.code}"
        case WalletFrozen():
            return f"{event.scope}{_because(event.reason)}"
        case WalletUnfrozen():
            return _because(event.reason).removeprefix(", ")
        case WalletClosed():
            return ""
        case _:
            assert_never(event)


def _moved(event: Moved) -> str:
    amount = formatted(event.amount, event.currency)
    return f"{amount} → balance {formatted(event.balance_after, event.currency)}"


def _because(reason: str | None) -> str:
    return "" if reason is None else f", {reason}"


def _style(event: WalletEvent) -> str:
    match event:
        case WalletOpened() | WalletCredited() | TransferReceived() | DebitReversed():
            return "green"
        case WalletUnfrozen() | HoldReleased() | WalletToppedUp():
            return "green"
        case WalletDebited() | HoldCaptured() | TransferSent() | CreditReversed():
            return "blue"
        case BalanceForfeited() | CreditLapsed():
            return "blue"
        case DebitDeclined() | CreditDeclined() | ChangeDeclined() | VoidDeclined():
            return "red"
        case TopupDeclined() | TopupUnapplied() | IdentityDeclined():
            return "red"
        case WalletFrozen() | WalletClosed() | HoldPlaced() | TopupCreated() | TopupEnded():
            return "yellow"
        case TierRaised() | WalletReviewed() | CustomerErased():
            return "yellow"
        case _:
            assert_never(event)
