"""Results out of what was recorded. Pure, so that a replay says what the first answer said."""

from typing import Literal, assert_never

import msgspec

from ledger.domain.wallet import Wallet
from schemas.events import (
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    RecordedEvent,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    decode_event,
)
from schemas.events.wallet import DeclineCode
from schemas.identifiers import transaction_id
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    InsufficientFunds,
    Rejection,
    WalletClosed,
    WalletFrozen,
    WalletNotEmpty,
)
from schemas.results import CommandResult, TransactionView, WalletView

_encode = msgspec.json.Encoder().encode
_decode_result = msgspec.json.Decoder(CommandResult).decode

Direction = Literal["credit", "debit"]
Declined = DebitDeclined | CreditDeclined | ChangeDeclined


def wallet_view(wallet: Wallet) -> WalletView:
    """A wallet's state as answers show it."""
    return WalletView(
        id=wallet.wallet_id,
        customer_id=wallet.customer_id,
        user_id=wallet.user_id,
        currency=wallet.currency,
        balance=wallet.balance,
        available_balance=wallet.available,
        status=wallet.status,
        created_at=wallet.opened_at,
        updated_at=wallet.changed_at,
        version=wallet.version,
        metadata=wallet.metadata,
    )


def result_of_event(recorded: RecordedEvent, event: WalletEvent) -> CommandResult:
    """The answer to the credit or debit, or to the declined change, that this event records."""
    match event:
        case WalletCredited() | WalletDebited():
            return CommandResult(
                status="accepted",
                transaction=_transaction(recorded, event),
                position=recorded.position,
                version=recorded.version,
            )
        case DebitDeclined() | CreditDeclined() | ChangeDeclined():
            return CommandResult(
                status="declined",
                rejection=rejection_of(event),
                transaction=(
                    None
                    if isinstance(event, ChangeDeclined)
                    else _failed_transaction(recorded, event)
                ),
                position=recorded.position,
                version=recorded.version,
            )
        case _:
            raise AssertionError(f"the outcome of {recorded.type} is kept beside it")


def result_of_record(outcome: bytes | None, event: RecordedEvent | None) -> CommandResult:
    """The first result again, from what idempotency remembers."""
    if outcome is not None:
        return _decode_result(outcome)
    assert event is not None, "a record has an outcome or an event"
    return result_of_event(event, decode_event(event.type, event.schema_version, event.data))


def encode_outcome(result: CommandResult) -> bytes:
    """The form in which a result without an event of its own is kept."""
    return _encode(result)


def rejection_of(event: Declined) -> Rejection:
    """Why it was declined, in full, out of the event."""
    match event:
        case ChangeDeclined():
            return _rejection(event.code, 0, event.balance, event.balance)
        case DebitDeclined() | CreditDeclined():
            return _rejection(event.code, event.amount, event.balance, event.available)
        case _:
            assert_never(event)


def _rejection(code: DeclineCode, amount: int, balance: int, available: int) -> Rejection:
    match code:
        case "insufficient_funds":
            return InsufficientFunds(amount=amount, available=available)
        case "wallet_frozen":
            return WalletFrozen()
        case "wallet_closed":
            return WalletClosed()
        case "wallet_not_empty":
            return WalletNotEmpty(balance=balance)
        case "balance_limit_exceeded":
            return BalanceLimitExceeded(amount=amount, balance=balance, limit=MAX_AMOUNT_MINOR)
        case _:
            raise AssertionError(f"no wallet declines with {code!r}")


def _transaction(recorded: RecordedEvent, event: WalletCredited | WalletDebited) -> TransactionView:
    direction: Direction = "credit" if isinstance(event, WalletCredited) else "debit"
    return TransactionView(
        id=transaction_id(recorded.event_id),
        wallet_id=recorded.stream_id,
        type=direction,
        kind=direction,
        status="completed",
        amount=event.amount,
        balance_before=event.balance_before,
        balance_after=event.balance_after,
        available_balance=event.available_after,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        code=None,
        created_at=recorded.recorded_at,
        version=recorded.version,
        metadata=event.metadata,
    )


def _failed_transaction(
    recorded: RecordedEvent, event: DebitDeclined | CreditDeclined
) -> TransactionView:
    direction: Direction = "credit" if isinstance(event, CreditDeclined) else "debit"
    return TransactionView(
        id=transaction_id(recorded.event_id),
        wallet_id=recorded.stream_id,
        type=direction,
        kind=direction,
        status="failed",
        amount=event.amount,
        balance_before=event.balance,
        balance_after=event.balance,
        available_balance=event.available,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        code=event.code,
        created_at=recorded.recorded_at,
        version=recorded.version,
        metadata=event.metadata,
    )
