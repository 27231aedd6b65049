"""The command client: one publisher, one reader of results that filters by its own commands.

Each client reads all results from the moment it starts, without a consumer group, so
a result finds the client that waits for it wherever it runs.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError

from schemas.commands import (
    CancelTopup,
    CaptureHold,
    Command,
    CompleteTopup,
    CreateWallet,
    EnrollCustomer,
    ReverseTransaction,
    TransferMoney,
    VoidHold,
)
from schemas.results import CommandResult, RejectedMessage
from services.client.errors import (
    CommandRejectedError,
    NotPublishedError,
    ResultsUnreadableError,
    ResultTimeoutError,
)
from services.client.publisher import CommandPublisher
from services.runtime.consumers import check_consumer, stop_consumer

_POLL_TIMEOUT_MS = 500
_PAUSE_S = 0.5

_encode = msgspec.json.Encoder().encode
_decode_result = msgspec.json.Decoder(CommandResult).decode
_decode_rejected = msgspec.json.Decoder(RejectedMessage).decode
_log = structlog.get_logger()


class CommandClient:
    """Publishes one tenant's commands. Use it as `async with CommandClient(…) as client:`."""

    def __init__(
        self,
        bootstrap: str,
        tenant_id: str,
        source: str,
        *,
        commands_topic: str = "ledger.commands",
        results_topic: str = "ledger.command-results",
        rejected_topic: str = "ledger.commands.rejected",
        kafka_options: Mapping[str, Any] | None = None,
    ) -> None:
        """`source` names the sending service, as CloudEvents has it: `/billing`.

        `kafka_options` go to aiokafka as they are: TLS, SASL, a client id.
        """
        self._tenant = tenant_id.encode()
        self._source = source.encode()
        self._commands_topic = commands_topic
        self._rejected_topic = rejected_topic
        options = {"bootstrap_servers": bootstrap, **(kafka_options or {})}
        self._publisher = CommandPublisher(
            lambda: AIOKafkaProducer(**options, enable_idempotence=True, acks="all")
        )
        self._consumer = AIOKafkaConsumer(
            results_topic,
            rejected_topic,
            **options,
            group_id=None,
            auto_offset_reset="latest",
            enable_auto_commit=False,
        )
        self._waiting: dict[str, list[asyncio.Future[CommandResult]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._reading_failed: BaseException | None = None
        self._is_closing = False

    async def __aenter__(self) -> Self:
        try:
            await self._publisher.start()
            await self._consumer.start()
            # A result may come right after its command is published: know the ends first.
            await self._consumer.seek_to_end()
            for partition in self._consumer.assignment():
                await self._consumer.position(partition)
        except BaseException:
            await self._close()
            raise
        self._reader = asyncio.create_task(self._read_results(), name="results")
        self._reader.add_done_callback(self._reading_ended)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def execute(
        self,
        command: Command,
        *,
        command_id: str | None = None,
        correlation_id: str | None = None,
        timeout_s: float = 30.0,
    ) -> CommandResult:
        """Publish a command and await what it came to: accepted or declined.

        Without a `command_id` it gets one of its own, and cannot be repeated safely
        but by its reference. Raises `CommandRejectedError`, `ResultTimeoutError`,
        `NotPublishedError`, `ResultsUnreadableError`.
        """
        command_id = command_id or str(uuid4())
        if self._reading_failed is not None:
            raise ResultsUnreadableError(command_id) from self._reading_failed
        waiting: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(command_id, []).append(waiting)
        try:
            async with asyncio.timeout(timeout_s):
                await self.publish(command, command_id=command_id, correlation_id=correlation_id)
                return await waiting
        except TimeoutError as error:
            raise ResultTimeoutError(command_id, timeout_s) from error
        finally:
            self._forget(command_id, waiting)

    async def publish(
        self,
        command: Command,
        *,
        command_id: str | None = None,
        correlation_id: str | None = None,
    ) -> str:
        """Publish a command without awaiting its result; returns its command id.

        Comes back when Kafka has it. Raises `NotPublishedError`.
        """
        command_id = command_id or str(uuid4())
        tag = command.__struct_config__.tag
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", command_id.encode()),
            ("ce_source", self._source),
            ("ce_type", f"ledger.command.{tag}.v1".encode()),
            ("ce_tenantid", self._tenant),
            ("content-type", b"application/json"),
        ]
        if correlation_id is not None:
            headers.append(("ce_correlationid", correlation_id.encode()))
        try:
            await self._publisher.publish(
                self._commands_topic, _encode(command), _key_of(command), headers
            )
        except (KafkaError, OSError) as error:
            raise NotPublishedError(command_id) from error
        return command_id

    async def _read_results(self) -> None:
        while True:
            check_consumer(self._consumer)
            try:
                found = await self._consumer.getmany(timeout_ms=_POLL_TIMEOUT_MS)
            except KafkaError as error:
                _log.warning("results_cannot_be_read", error=repr(error))
                await asyncio.sleep(_PAUSE_S)
                continue
            for records in found.values():
                for record in records:
                    self._take(record)

    def _reading_ended(self, reader: asyncio.Task[None]) -> None:
        """Tell whoever waits for a result that none will come."""
        # While Kafka is away, aiokafka lets the cancellation of its own fetches out, too.
        error = asyncio.CancelledError() if reader.cancelled() else reader.exception()
        if not self._is_closing:
            _log.error("results_not_read_any_more", error=repr(error))
        self._reading_failed = error
        for command_id, futures in self._waiting.items():
            for waiting in futures:
                if not waiting.done():
                    told = ResultsUnreadableError(command_id)
                    told.__cause__ = error
                    waiting.set_exception(told)

    def _take(self, record: ConsumerRecord) -> None:
        """Give a reply to those who wait for it; most replies are other clients'."""
        command_id = (record.key or b"").decode(errors="replace")
        if command_id not in self._waiting:
            return
        # A message that did not say whose it is can still be rejected by its command id.
        if dict(record.headers).get("ce_tenantid", self._tenant) != self._tenant:
            return
        outcome: CommandResult | CommandRejectedError
        try:
            if record.topic == self._rejected_topic:
                rejected = _decode_rejected(record.value)
                outcome = CommandRejectedError(command_id, rejected.reason, rejected.detail)
            else:
                outcome = _decode_result(record.value)
        except (msgspec.MsgspecError, TypeError) as error:
            _log.error("result_not_understood", command_id=command_id, error=repr(error))
            return
        for waiting in self._waiting.pop(command_id):
            if waiting.done():
                continue
            if isinstance(outcome, CommandRejectedError):
                waiting.set_exception(outcome)
            else:
                waiting.set_result(outcome)

    def _forget(self, command_id: str, waiting: asyncio.Future[CommandResult]) -> None:
        if not waiting.cancel() and not waiting.cancelled():
            waiting.exception()  # Whoever waited hears of what went wrong first.
        others = self._waiting.get(command_id, [])
        if waiting in others:
            others.remove(waiting)
            if not others:
                del self._waiting[command_id]

    async def _close(self) -> None:
        self._is_closing = True
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        await stop_consumer(self._consumer)
        await self._publisher.stop()


def _key_of(command: Command) -> bytes:
    """What keeps commands in order: the wallet's id where the command has it.

    Otherwise what it names: a customer's wallets, a hold's captures and a top-up's payments are
    in order too.
    """
    match command:
        case CreateWallet() | EnrollCustomer():
            return command.customer_id.encode()
        case CaptureHold() | VoidHold():
            return command.hold_id.encode()
        case CompleteTopup() | CancelTopup():
            return command.topup_id.encode()
        case ReverseTransaction():
            return command.transaction_id.encode()
        case TransferMoney():
            return command.from_wallet_id.encode()
        case _:
            return command.wallet_id.encode()
