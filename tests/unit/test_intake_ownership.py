"""Whose the commands are: offsets get the ledger's mark, and an answer without any is no proof."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NoOffsetForPartitionError
from aiokafka.structs import OffsetAndMetadata

from services.intake import ownership
from services.intake.consumer import CommandConsumer
from services.intake.ownership import LedgerMark, check_ownership
from services.runtime.settings import Settings
from services.runtime.topics import TopicUnavailableError

PLACE = TopicPartition("ledger.commands", 0)
MARK = f"ledger:{'aa' * 16}"


class Database:
    """Has the first event's hash, when there is one."""

    def __init__(self) -> None:
        self.first_hash: bytes | None = None

    async def fetchval(self, _statement: str) -> bytes | None:
        """The hash."""
        return self.first_hash


class Group:
    """A consumer of a topic without messages; what is committed outlives it."""

    class _Client:
        _sync_task = None

    _client = _Client()

    def __init__(self) -> None:
        self.committed_offsets: dict[TopicPartition, OffsetAndMetadata] = {}

    async def getmany(self, **_limits: Any) -> dict[TopicPartition, Any]:
        """Nothing; or that nobody has begun."""
        if PLACE not in self.committed_offsets:
            raise NoOffsetForPartitionError(PLACE)
        return {}

    async def seek_to_beginning(self, _partition: TopicPartition) -> None:
        """It is there already."""

    async def position(self, _partition: TopicPartition) -> int:
        """The beginning."""
        return 0

    def assignment(self) -> set[TopicPartition]:
        """The one partition."""
        return {PLACE}

    async def committed(self, partition: TopicPartition) -> int:
        """How far the group has come."""
        return int(self.committed_offsets[partition].offset)

    async def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        """Keep them."""
        self.committed_offsets |= offsets

    def highwater(self, _partition: TopicPartition) -> int:
        """The end."""
        return 7


def member(group: Group, database: Database) -> CommandConsumer:
    """An intake that has just got its partition."""
    anything: Any = group
    consumer = CommandConsumer(anything, PLACE.topic, LedgerMark(database))  # type: ignore[arg-type]
    consumer.begin_assignment()
    return consumer


async def test_an_offset_gets_its_mark_when_the_log_has_its_first_event() -> None:
    group, database = Group(), Database()
    consumer = member(group, database)
    await consumer.read(10)
    assert group.committed_offsets == {PLACE: OffsetAndMetadata(0, "")}
    database.first_hash = b"\xaa" * 32
    await consumer.read(10)
    assert group.committed_offsets == {PLACE: OffsetAndMetadata(0, MARK)}


async def test_an_older_releases_offset_gets_its_mark_and_stays_where_it_is() -> None:
    group, database = Group(), Database()
    database.first_hash = b"\xaa" * 32
    group.committed_offsets[PLACE] = OffsetAndMetadata(5, "")
    await member(group, database).read(10)
    assert group.committed_offsets == {PLACE: OffsetAndMetadata(5, MARK)}


class Answer:
    """A coordinator's, which is loading, or does not know this client."""

    topics: tuple[()] = ()

    def __init__(self, error_code: int) -> None:
        self.error_code = error_code


@pytest.mark.parametrize("error_code", [14, 16, 30])
async def test_an_answer_that_is_an_error_is_no_topic_without_offsets(
    monkeypatch: pytest.MonkeyPatch, error_code: int
) -> None:
    async def nothing(*_arguments: Any) -> None:
        pass

    async def coordinator(*_arguments: Any) -> int:
        return 0

    async def answer(*_arguments: Any) -> Answer:
        return Answer(error_code)

    for name, stand_in in (
        ("start", nothing),
        ("close", nothing),
        ("find_coordinator", coordinator),
        ("_send_request", answer),
    ):
        monkeypatch.setattr(AIOKafkaAdminClient, name, stand_in)
    monkeypatch.setattr(ownership, "_TRY_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(ownership, "_TRIES", 2)
    with pytest.raises(TopicUnavailableError):
        await check_ownership(Settings(kafka_bootstrap="127.0.0.1:1"), "ledger.intake", MARK)
