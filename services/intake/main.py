"""The intake process: its parts, put together."""

import asyncio
import contextlib
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ledger.event_log.postgres import PostgresEventLog
from services.intake.consumer import CommandConsumer
from services.intake.intake import Intake
from services.intake.ownership import LedgerMark, OtherLedgerError, check_ownership
from services.intake.publisher import ReplyPublisher
from services.intake.tenants import KnownTenants
from services.runtime.environment import SystemEnvironment
from services.runtime.health import HealthServer
from services.runtime.kafka import client_options
from services.runtime.postgres import pool
from services.runtime.processor_metrics import observed_processor
from services.runtime.rules import rules_of
from services.runtime.settings import Settings
from services.runtime.topics import ensure_topics, ledger_topics

GROUP_ID = "ledger.intake"
_CLIENT_ID = "ledger-intake"
_REPLY_BATCH_BYTES = 256 * 1024
_REQUEST_TIMEOUT_MS = 10_000
# How long the partitions of a process that was killed wait for another: the least that
# brokers allow.
_SESSION_TIMEOUT_MS = 6_000
_HEARTBEAT_INTERVAL_MS = 1_500
_REBALANCE_TIMEOUT_MS = 10_000
# While the database is away nothing is polled for; giving the partitions to another
# member, for which it is away too, would only add rebalances.
_MAX_POLL_INTERVAL_MS = 3_600_000
_WATCH_EVERY_S = 2.0
_WATCH_KAFKA_EVERY_S = 5.0


async def run(settings: Settings) -> None:
    """Apply commands from Kafka until cancelled, then finish what is under way.

    Raises `SettingsError` where database or Kafka are not configured,
    `TopicUnavailableError` and the drivers' errors where they cannot be reached at first. Exits
    with 1 where the commands are another ledger's.
    """
    dsn = settings.require_database_url()
    options = client_options(settings, _CLIENT_ID)
    environment = SystemEnvironment()
    rules = rules_of(settings)
    async with contextlib.AsyncExitStack() as stack:
        await ensure_topics(settings, ledger_topics(settings))
        database = await stack.enter_async_context(
            await pool(dsn, "ledger intake", min_size=1, max_size=2)
        )
        mark = LedgerMark(database)
        await _check_ownership(settings, mark)
        event_log = PostgresEventLog(dsn)
        stack.push_async_callback(event_log.close)
        await event_log.start()
        processor = observed_processor(event_log, environment, rules)
        stack.push_async_callback(processor.stop)
        await processor.start()
        publisher = ReplyPublisher(lambda: _producer(options), environment)
        stack.push_async_callback(publisher.stop)
        consumer = CommandConsumer(_consumer(options), settings.commands_topic, mark)
        tenants = KnownTenants(database, environment.monotonic)
        intake = Intake(
            consumer=consumer,
            processor=processor,
            tenants=tenants,
            publisher=publisher,
            environment=environment,
            results_topic=settings.results_topic,
            rejected_topic=settings.rejected_topic,
        )
        stack.push_async_callback(consumer.stop)
        await consumer.start(intake.finish_batches)
        await stack.enter_async_context(HealthServer.of(settings, intake.reasons_not_ready))
        for watch in (
            intake.watch_database(_WATCH_EVERY_S),
            intake.watch_kafka(_WATCH_KAFKA_EVERY_S),
        ):
            stack.callback(asyncio.create_task(watch).cancel)
        structlog.get_logger().info("intake_started", topic=settings.commands_topic)
        await intake.run()


async def _check_ownership(settings: Settings, mark: LedgerMark) -> None:
    try:
        await check_ownership(settings, GROUP_ID, await mark.read())
    except OtherLedgerError as error:
        structlog.get_logger().critical("commands_topic_refused", reason=str(error))
        raise SystemExit(1) from error


def _consumer(options: dict[str, Any]) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **options,
        group_id=GROUP_ID,
        enable_auto_commit=False,
        # What to do without a usable offset is said in `CommandConsumer`, not silently here.
        auto_offset_reset="none",
        # A producer's aborted transaction is not a wish.
        isolation_level="read_committed",
        session_timeout_ms=_SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=_HEARTBEAT_INTERVAL_MS,
        rebalance_timeout_ms=_REBALANCE_TIMEOUT_MS,
        max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
    )


def _producer(options: dict[str, Any]) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **options,
        enable_idempotence=True,
        acks="all",
        max_batch_size=_REPLY_BATCH_BYTES,
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
    )
