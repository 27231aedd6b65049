"""The client's publisher leaves nothing open behind it."""

import asyncio
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

from services.client.publisher import CommandPublisher


class SlowProducer:
    """A producer that is started only when it may be."""

    def __init__(self) -> None:
        self.may_start = asyncio.Event()
        self.is_open = False

    async def start(self) -> None:
        """See `AIOKafkaProducer`."""
        await self.may_start.wait()
        self.is_open = True

    async def stop(self) -> None:
        """See `AIOKafkaProducer`."""
        self.is_open = False


async def test_a_producer_that_starts_while_its_publisher_stops_is_closed_unused() -> None:
    producer = SlowProducer()
    publisher = CommandPublisher(lambda: cast("AIOKafkaProducer", producer))
    publishing = asyncio.create_task(publisher.publish("topic", b"value", b"key", []))
    await asyncio.sleep(0)
    await publisher.stop()
    producer.may_start.set()
    with pytest.raises(ProducerClosed):
        await publishing
    assert not producer.is_open
