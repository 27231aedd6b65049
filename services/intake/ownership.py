"""Whose commands are in a topic: the group's offsets have the mark of the ledger that takes them.

Two ledgers with one commands topic would share its partitions, and each would reject what is the
other's. So an intake refuses offsets that have another ledger's mark. Offsets without one, of an
older release or set by hand, are taken over.
"""

import asyncio
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code

from services.runtime.kafka import client_options, close_client, why_unreachable
from services.runtime.postgres import LOST, Pool, limited
from services.runtime.settings import Settings
from services.runtime.sql import load_statement
from services.runtime.topics import TopicUnavailableError

_FIRST_HASH: Final = load_statement(__file__, "first_hash")
_PREFIX: Final = "ledger:"
_HASH_BYTES: Final = 16
_PATIENCE_SECONDS: Final = 1.0
# Kafka makes its own topic of groups when it is asked for one for the first time.
_TRIES: Final = 40
_TRY_AGAIN_SECONDS: Final = 0.5


class OtherLedgerError(Exception):
    """The topic's commands are another ledger's. The message says what to do."""


class LedgerMark:
    """The mark of this ledger: its first event, which no restore and no move changes."""

    def __init__(self, database: Pool) -> None:
        """`database` is only read from."""
        self._database = database
        self._mark = ""

    async def read(self) -> str:
        """The mark; empty while the log is. Raises what asyncpg raises."""
        if not self._mark:
            found = await self._database.fetchval(_FIRST_HASH)
            self._mark = "" if found is None else _PREFIX + found[:_HASH_BYTES].hex()
        return self._mark

    async def read_if_possible(self) -> str:
        """The same; empty, too, while the database does not say."""
        try:
            async with limited(_PATIENCE_SECONDS):
                return await self.read()
        except LOST:
            return ""


async def check_ownership(settings: Settings, group_id: str, mark: str) -> None:
    """Raise `OtherLedgerError` if another ledger takes the commands of the topic.

    Raises `TopicUnavailableError` if Kafka cannot be asked.
    """
    topic = settings.commands_topic
    marks = await _marks(settings, group_id, topic)
    if any(each.startswith(_PREFIX) and each != mark for each in marks):
        raise OtherLedgerError(
            f"another ledger's intake takes the commands of {topic}. Ledgers on one Kafka need "
            "topics of their own: set LEDGER_COMMANDS_TOPIC, LEDGER_RESULTS_TOPIC, "
            "LEDGER_REJECTED_TOPIC and LEDGER_EVENTS_TOPIC for one of them. If that ledger is no "
            "more, make the topics anew, or delete the offsets: kafka-consumer-groups.sh "
            f"--delete-offsets --group {group_id} --topic {topic}"
        )


class _Admin(AIOKafkaAdminClient):  # type: ignore[misc]  # aiokafka has no types
    """Also raises what an answer says of the whole group, as while its coordinator is loading.

    aiokafka looks at errors of single partitions only, and takes such an answer for no offsets.
    """

    async def _send_request(self, request: Any, node_id: int | None = None) -> Any:
        response = await super()._send_request(request, node_id)
        if error_code := getattr(response, "error_code", 0):
            raise for_code(error_code)
        return response


async def _marks(settings: Settings, group_id: str, topic: str) -> set[str]:
    failure: Exception | None = None
    for _ in range(_TRIES):
        admin = _Admin(**client_options(settings, "ledger-intake-ownership"))
        try:
            await admin.start()
            offsets = await admin.list_consumer_group_offsets(group_id)
        except (KafkaError, OSError) as error:
            failure = error
        else:
            return {each.metadata for place, each in offsets.items() if place.topic == topic}
        finally:
            await close_client(admin.close())
        await asyncio.sleep(_TRY_AGAIN_SECONDS)
    reason = await why_unreachable(settings) or repr(failure)
    message = f"Kafka could not be asked for the offsets of {group_id}: {reason}"
    raise TopicUnavailableError(message) from failure
