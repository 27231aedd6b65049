"""Which topic a name stands for: its id, and how many partitions it has.

The id tells a topic from one of the same name that was deleted and made again, whose
offsets mean something else. aiokafka speaks the metadata request up to version 5 and
topic ids came with version 10, so version 12 is spelled out here, as Kafka's protocol
guide has it.
"""

from typing import Any, NamedTuple
from uuid import UUID

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from services.runtime.kafka import client_options, close_client, why_unreachable
from services.runtime.settings import Settings
from services.runtime.topics import TopicUnavailableError

_TOPIC_AUTHORIZATION_FAILED = 29
_UINT64 = 0xFFFF_FFFF_FFFF_FFFF


class TopicIdentity(NamedTuple):
    """Which topic a name stands for at the moment."""

    topic_id: str
    """A UUID as text."""
    partition_count: int


async def describe_topic(settings: Settings, name: str) -> TopicIdentity:
    """The topic's id and partition count.

    Raises `TopicUnavailableError` if there is no such topic or Kafka cannot be asked.
    """
    admin = AIOKafkaAdminClient(**client_options(settings, "ledger-topics"))
    try:
        await admin.start()
        node_id = admin._client.get_random_node()  # noqa: SLF001 - no public way to send it
        response = await admin._send_request_to_node(node_id, _TopicIdRequest(name))  # noqa: SLF001
    except (KafkaError, OSError) as error:
        reason = await why_unreachable(settings) or repr(error)
        message = f"Kafka could not be asked about topic {name}: {reason}"
        raise TopicUnavailableError(message) from error
    finally:
        await close_client(admin.close())
    ((error_code, _, high, low, _, partitions, *_),) = response.topics
    if error_code == _TOPIC_AUTHORIZATION_FAILED:
        message = f"Kafka does not let this user describe topic {name} (error {error_code})"
        raise TopicUnavailableError(message)
    if error_code != 0:
        message = f"there is no topic {name} (Kafka says error {error_code})"
        raise TopicUnavailableError(message)
    topic_id = UUID(int=(high & _UINT64) << 64 | low & _UINT64)
    return TopicIdentity(str(topic_id), len(partitions))


class _MetadataResponseV12(Response):
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id_high", Int64),
                ("topic_id_low", Int64),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestV12(RequestStruct):
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponseV12
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id_high", Int64),
                ("topic_id_low", Int64),
                ("name", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicIdRequest(Request[_MetadataRequestV12]):
    API_KEY = 3

    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class([(0, 0, self._name, {})], False, False, {})
