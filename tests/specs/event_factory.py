"""Makes valid logs: wallets' events with right balances, versions, hashes and appends.

`EventFactory` is in memory; `write_log` puts what it made into PostgreSQL by SQL, as the
ledger would have, and `message_of` is what the relay publishes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Raw

from ledger.event_log.interface import GENESIS_HASH, Head
from projections.interface import ProjectedEvent
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    CompleteTopup,
    CreateTopup,
    CreditWallet,
    DebitWallet,
    ExpireDue,
    FreezeScope,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)
from schemas.events import (
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    RecordedEvent,
    WalletOpened,
)
from schemas.identifiers import StreamKey, hold_id, topup_id, transaction_id, user_id_of, wallet_id
from tests.specs.event_streams import EPOCH, EventStreams, Stream
from tests.specs.log_writing import write_log
from tests.specs.random_history import METADATA, late_payment, some_command

__all__ = ["EPOCH", "TENANT_ID", "EventFactory", "Message", "message_of", "projected", "write_log"]

TENANT_ID = "5b1f7c52-0c5e-4a6c-8a59-6d0a3f2f6d11"

Message = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""Key, value and headers."""


class EventFactory(EventStreams):
    """One log, and words for what happens in it."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.append_number = 0
        self.append_hash = GENESIS_HASH
        self.others_events = 0
        """How many of the log's events are none of wallets."""

    @property
    def of_wallets(self) -> int:
        """How many of the log's events are wallets'."""
        return self.position - self.others_events

    def go_on_after(self, head: Head) -> None:
        """Others have appended, to a log that had all that was made: go on behind that."""
        assert not self.new, "it was written"
        self.append_number, self.append_hash = head.number, head.hash
        self.others_events += head.last_position - self.position
        self.passed = max(self.passed, head.recorded_at - EPOCH)
        self.position = head.last_position

    def open(
        self,
        *,
        tenant_id: str = TENANT_ID,
        customer_id: str | None = None,
        currency: str = "GHS",
        metadata: bytes = b"null",
    ) -> str:
        """A new wallet's id."""
        identifier = wallet_id(self.new_id())
        self.streams[identifier] = Stream(tenant_id)
        customer = customer_id or f"cus_{self.position}"
        opened = WalletOpened(
            customer_id=customer,
            user_id=user_id_of(tenant_id, customer),
            currency=currency,
            metadata=Raw(metadata),
        )
        self.record(identifier, opened)
        return identifier

    def credit(
        self,
        identifier: str,
        amount: int,
        metadata: bytes = b"null",
        expires_at: datetime | None = None,
    ) -> RecordedEvent:
        """Money comes in."""
        return self.answer(
            identifier,
            CreditWallet(
                wallet_id=identifier,
                amount=amount,
                reference=f"credit-{self.position}",
                description="A credit",
                expires_at=expires_at,
                metadata=Raw(metadata),
            ),
        )

    def debit(self, identifier: str, amount: int) -> RecordedEvent:
        """Money goes out."""
        return self.answer(
            identifier,
            DebitWallet(
                wallet_id=identifier,
                amount=amount,
                reference=f"debit-{self.position}",
                description="A debit",
            ),
        )

    def hold(
        self, identifier: str, amount: int, expires_at: datetime | None = None
    ) -> RecordedEvent:
        """Money is set aside."""
        return self.answer(
            identifier,
            PlaceHold(
                wallet_id=identifier,
                amount=amount,
                reference=f"hold-{self.position}",
                description="A hold",
                expires_at=expires_at,
                metadata=METADATA,
            ),
        )

    def capture(
        self, placed: RecordedEvent, amount: int | None = None, *, final: bool = False
    ) -> RecordedEvent:
        """Held money goes out."""
        command = CaptureHold(hold_id=hold_id(placed.event_id), amount=amount, final=final)
        return self.answer(placed.stream_id, command)

    def void(self, placed: RecordedEvent) -> RecordedEvent:
        """Held money comes free."""
        return self.answer(placed.stream_id, VoidHold(hold_id=hold_id(placed.event_id)))

    def topup(
        self, identifier: str, amount: int, expires_at: datetime | None = None
    ) -> RecordedEvent:
        """A payment is asked for."""
        return self.answer(
            identifier,
            CreateTopup(
                wallet_id=identifier,
                amount=amount,
                redirect_url="https://shop.example/thanks",
                cancel_url="https://shop.example/basket",
                expires_at=expires_at,
                reference=f"topup-{self.position}",
                description="A top-up",
                metadata=METADATA,
            ),
        )

    def pay(
        self,
        created: RecordedEvent,
        amount: int,
        payment_id: str = "pay_1",
        currency: str | None = None,
    ) -> list[RecordedEvent]:
        """A payment comes: it is credited, kept as unapplied, or known already."""
        command = CompleteTopup(
            topup_id=topup_id(created.event_id),
            payment_id=payment_id,
            amount=amount,
            currency=currency or self.wallet(created.stream_id).currency,
        )
        return self.do(created.stream_id, command)

    def cancel_topup(self, created: RecordedEvent) -> RecordedEvent:
        """A payment is no longer waited for."""
        command = CancelTopup(topup_id=topup_id(created.event_id))
        return self.answer(created.stream_id, command)

    def transfer(self, sender: str, receiver: str, amount: int) -> list[RecordedEvent]:
        """Money goes from one wallet to another: both events, the sender's first."""
        return self.do(
            sender,
            TransferMoney(
                from_wallet_id=sender,
                to_wallet_id=receiver,
                amount=amount,
                reference=f"transfer-{self.position}",
                description="A transfer",
            ),
        )

    def reverse(
        self, of: RecordedEvent, amount: int | None = None, *, allow_negative: bool = False
    ) -> list[RecordedEvent]:
        """A transaction is undone: one event, or both of a transfer."""
        return self.do(
            of.stream_id,
            ReverseTransaction(
                transaction_id=transaction_id(of.event_id),
                amount=amount,
                reference=f"reversal-{self.position}",
                description="A reversal",
                allow_negative=allow_negative,
            ),
        )

    def expire_due(self, identifier: str) -> list[RecordedEvent]:
        """What is due by now lapses."""
        return self.do(identifier, ExpireDue(wallet_id=identifier))

    def freeze(self, identifier: str, scope: FreezeScope = "debits") -> RecordedEvent:
        """The wallet freezes."""
        return self.answer(identifier, FreezeWallet(wallet_id=identifier, scope=scope))

    def unfreeze(self, identifier: str) -> RecordedEvent:
        """The wallet thaws."""
        return self.answer(identifier, UnfreezeWallet(wallet_id=identifier))

    def close(self, identifier: str) -> list[RecordedEvent]:
        """The wallet closes; what it held is forfeited first."""
        return self.do(identifier, CloseWallet(wallet_id=identifier, remaining_balance="forfeit"))

    def decline(self, identifier: str, direction: Literal["debit", "credit"]) -> RecordedEvent:
        """A debit or credit is declined."""
        wallet = self.wallet(identifier)
        declined = DebitDeclined if direction == "debit" else CreditDeclined
        return self.record(
            identifier,
            declined(
                code="insufficient_funds" if direction == "debit" else "balance_limit_exceeded",
                amount=max(wallet.balance, 0) + 1,
                balance=wallet.balance,
                available=wallet.available,
                currency=wallet.currency,
                reference=f"declined-{self.position}",
                description="Declined",
            ),
        )

    def decline_change(self, identifier: str) -> RecordedEvent:
        """A close is declined."""
        balance = self.wallet(identifier).balance
        declined = ChangeDeclined(change="close", code="wallet_not_empty", balance=balance)
        return self.record(identifier, declined)

    def some_event(self, identifiers: Sequence[str]) -> None:
        """One more event, or a few, of any kind that is valid for one of these wallets."""
        identifier = self.random.choice(identifiers)
        before = self.position
        closed = self.wallet(identifier).status == "closed"
        if closed:
            command = late_payment(self, identifier)
        else:
            command = some_command(self, identifier, identifiers)
        if command is not None:
            self.do(identifier, command)
        elif not closed:
            self.decline_change(identifier)
        if self.position == before:
            self.decline(identifier, self.random.choice(("debit", "credit")))

    def history(self, wallet_count: int, event_count: int) -> list[str]:
        """Open wallets and let `event_count` things happen to them; the wallets' ids."""
        identifiers = [
            self.open(currency=self.random.choice(("GHS", "NGN", "JPY")))
            for _ in range(wallet_count)
        ]
        for _ in range(event_count):
            self.some_event(identifiers)
        return identifiers


def projected(event: RecordedEvent) -> ProjectedEvent:
    """The event as a projection gets it."""
    return ProjectedEvent(
        position=event.position,
        wallet=StreamKey(event.tenant_id, event.stream_id),
        version=event.version,
        event_id=event.event_id,
        type=event.type,
        schema_version=event.schema_version,
        data=event.data,
        recorded_at=event.recorded_at,
    )


def message_of(event: RecordedEvent) -> Message:
    """The event as it stands in the topic."""
    time = event.recorded_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(UUID(event.event_id)),
        "ce_source": f"/ledger/{event.tenant_id}",
        "ce_type": f"ledger.{event.type}.v{event.schema_version}",
        "ce_subject": event.stream_id,
        "ce_time": time,
        "ce_tenantid": event.tenant_id,
        "ce_position": str(event.position),
        "ce_version": str(event.version),
        "ce_hash": event.hash.hex(),
        "ce_who": "client:tests",
        "content-type": "application/json",
    }
    return (
        event.stream_id.encode(),
        event.data.encode(),
        [(name, value.encode()) for name, value in headers.items()],
    )
