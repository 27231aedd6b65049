"""The client: publishes commands over Kafka and awaits their results.

For internal services. It needs Kafka only, no database.
"""

from services.client.client import CommandClient
from services.client.errors import (
    CommandRejectedError,
    NotPublishedError,
    ResultsUnreadableError,
    ResultTimeoutError,
)

__all__ = [
    "CommandClient",
    "CommandRejectedError",
    "NotPublishedError",
    "ResultTimeoutError",
    "ResultsUnreadableError",
]
