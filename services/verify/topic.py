"""The events topic against the log: everything up to what the relay says it has published.

It is read as a subscriber reads it: of a wallet, a version that is not above the highest
seen is a repetition. What retention has removed is not missed.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ledger.event_log.rows import recorded_event
from projections.envelope import decode_hash, decode_message
from projections.interface import Connection, ProjectedEvent, UnreadableEventError
from schemas.events import RecordedEvent
from schemas.identifiers import stream_name
from services.runtime.consumers import stop_consumer
from services.runtime.kafka import client_options, partition_for
from services.runtime.settings import Settings
from services.runtime.sql import load_statement
from services.runtime.topic_identity import describe_topic
from services.runtime.topics import TopicUnavailableError
from services.verify.report import Report

_READ_RELAY = load_statement(__file__, "read_relay")
_READ_HASHES = load_statement(__file__, "read_hashes")
_READ_PUBLISHED = load_statement(__file__, "read_published")
_BATCH_LIMIT = 5000
_SILENCE_MS = 10_000
_CREATE_SEEN = """
CREATE TABLE seen (tenant_id TEXT, wallet_id TEXT, version INTEGER,
                   PRIMARY KEY (tenant_id, wallet_id)) WITHOUT ROWID
"""
_GET_SEEN = "SELECT version FROM seen WHERE tenant_id = ? AND wallet_id = ?"
_PUT_SEEN = "INSERT OR REPLACE INTO seen VALUES (?, ?, ?)"


class Topic:
    """Reads the topic once, from the earliest offsets to what were its ends at the start."""

    def __init__(self, settings: Settings, connection: Connection, report: Report) -> None:
        self._settings = settings
        self._connection = connection
        self._relay = report.invariant("the relay's progress is of this log and topic")
        self._content = report.invariant("messages equal the log's events")
        self._order = report.invariant("messages of each wallet are in order, without a gap")
        self._all = report.invariant("Kafka has everything that was published")
        self._seen_positions = bytearray()
        self._first: dict[int, int] = {}
        self._first_positions: dict[int, int] = {}
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute(_CREATE_SEEN)

    def close(self) -> None:
        """Remove what it remembered of the messages, which is a temporary file."""
        self._seen.close()

    def skip(self, reason: str) -> None:
        """Say why nothing was checked."""
        for invariant in (self._relay, self._content, self._order, self._all):
            invariant.skipped = reason

    async def check(self) -> None:
        """Check everything."""
        relay = await self._connection.fetchrow(_READ_RELAY)
        if relay is None:
            self.skip("the relay has never run")
            return
        try:
            await self._check_relay(relay)
            await self._read(relay)
        except (KafkaError, TopicUnavailableError, OSError) as error:
            self._all.fail(f"Kafka cannot be read: {error!r}")
            return
        await self._check_all(relay)

    async def _check_relay(self, relay: asyncpg.Record) -> None:
        found = await describe_topic(self._settings, relay["topic"])
        self._relay.check(
            found == (relay["topic_id"], relay["partition_count"]),
            f"recorded {relay['topic_id']}, {relay['partition_count']} partitions; found {found}",
        )
        self._relay.check(
            relay["published_hash"] == relay["log_hash"],
            f"at {relay['published_position']} the log has another event than was published",
        )

    async def _read(self, relay: asyncpg.Record) -> None:
        self._seen_positions = bytearray(relay["published_position"] // 8 + 1)
        consumer = AIOKafkaConsumer(
            **client_options(self._settings, "ledger-verify"),
            enable_auto_commit=False,
            auto_offset_reset="none",
        )
        try:
            await consumer.start()
            tps = [TopicPartition(relay["topic"], each) for each in range(relay["partition_count"])]
            first = await consumer.beginning_offsets(tps)
            ends = await consumer.end_offsets(tps)
            self._first = {tp.partition: offset for tp, offset in first.items()}
            unread = {tp: end for tp, end in ends.items() if end > first[tp]}
            consumer.assign(list(unread))
            for tp in unread:
                consumer.seek(tp, first[tp])
            await self._read_to(consumer, unread)
        finally:
            await stop_consumer(consumer)

    async def _read_to(self, consumer: AIOKafkaConsumer, unread: dict[TopicPartition, int]) -> None:
        while unread:
            records = await consumer.getmany(timeout_ms=_SILENCE_MS, max_records=_BATCH_LIMIT)
            if not records:
                self._all.fail(f"Kafka gave nothing more of {sorted(unread)} for a while")
                return
            for tp, messages in records.items():
                await self._check_messages(tp.partition, messages)
                if tp in unread and messages[-1].offset + 1 >= unread[tp]:
                    del unread[tp]
                    consumer.pause(tp)

    async def _check_messages(self, partition: int, messages: Sequence[Any]) -> None:
        events: list[tuple[ProjectedEvent, bytes]] = []
        for message in messages:
            try:
                event = decode_message(message.key, message.value, message.headers)
                events.append((event, decode_hash(message.headers)))
            except UnreadableEventError as error:
                self._content.fail(f"partition {partition} offset {message.offset}: {error}")
        if not events:
            return
        self._first_positions.setdefault(partition, events[0][0].position)
        rows = await self._connection.fetch(
            _READ_PUBLISHED, [event.position for event, _ in events]
        )
        log = {row["position"]: recorded_event(row) for row in rows}
        highest: dict[tuple[str, str], int] = {}
        for event, digest in events:
            self._check_content(event, digest, log)
            self._check_order(event, highest, from_start=self._first[partition] == 0)
            if event.position < 8 * len(self._seen_positions):
                self._seen_positions[event.position // 8] |= 1 << event.position % 8
        self._seen.execute("BEGIN")
        self._seen.executemany(
            _PUT_SEEN, [(*wallet, version) for wallet, version in highest.items()]
        )
        self._seen.execute("COMMIT")

    def _check_content(
        self, event: ProjectedEvent, digest: bytes, log: Mapping[int, RecordedEvent]
    ) -> None:
        recorded = log.get(event.position)
        if recorded is None:
            self._content.fail(f"position {event.position}: the log has no such event")
            return
        wrong = [name for name, found, told in _parts(event, digest, recorded) if found != told]
        if wrong:
            verb = "differs" if len(wrong) == 1 else "differ"
            self._content.fail(
                f"position {event.position} of {recorded.stream_id}: {', '.join(wrong)} {verb}"
            )
        else:
            self._content.hold()

    def _check_order(
        self, event: ProjectedEvent, highest: dict[tuple[str, str], int], *, from_start: bool
    ) -> None:
        seen = highest.get(event.wallet)
        if seen is None:
            row = self._seen.execute(_GET_SEEN, event.wallet).fetchone()
            seen = None if row is None else row[0]
        if seen is None:
            # Where retention removed the beginning, a wallet may begin anywhere.
            seen = 0 if from_start else event.version - 1
        if event.version > seen:
            if event.version == seen + 1:
                self._order.hold()
            else:
                said = f"{event.wallet.stream_id}: version {event.version} follows {seen}"
                self._order.fail(said)
        highest[event.wallet] = max(seen, event.version)

    async def _check_all(self, relay: asyncpg.Record) -> None:
        missing: list[int] = []
        for position in range(1, relay["published_position"] + 1):
            if self._seen_positions[position // 8] >> position % 8 & 1:
                self._all.hold()
                continue
            missing.append(position)
            if len(missing) == _BATCH_LIMIT:
                await self._judge_missing(missing, relay["partition_count"])
                missing.clear()
        await self._judge_missing(missing, relay["partition_count"])

    async def _judge_missing(self, positions: Sequence[int], partition_count: int) -> None:
        """Missed are only those that retention has not removed."""
        if not positions:
            return
        for row in await self._connection.fetch(_READ_HASHES, positions):
            key = stream_name(row["tenant_id"], row["stream_id"]).encode()
            partition = partition_for(key, partition_count)
            kept_from = self._first_positions.get(partition)
            removed = self._first[partition] > 0 and (
                kept_from is None or row["position"] < kept_from
            )
            if not removed:
                self._all.fail(f"position {row['position']} is not in partition {partition}")


def _parts(
    event: ProjectedEvent, digest: bytes, recorded: RecordedEvent
) -> tuple[tuple[str, object, object], ...]:
    """What a message says, and what the log does: all that a subscriber goes by."""
    return (
        ("tenant", event.wallet.tenant_id, recorded.tenant_id),
        ("wallet", event.wallet.stream_id, recorded.stream_id),
        ("version", event.version, recorded.version),
        ("hash", digest, recorded.hash),
        ("event id", event.event_id.replace("-", ""), recorded.event_id),
        ("type", event.type, recorded.type),
        ("schema version", event.schema_version, recorded.schema_version),
        ("time", event.recorded_at, recorded.recorded_at),
        ("value", event.data, recorded.data.encode()),
    )
