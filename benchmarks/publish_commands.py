"""Publishes debit commands to Kafka as fast as it takes them; a process of its own.

    python -m benchmarks.publish_commands < ORDER

It prepares all messages first and says `prepared`, waits for a line, sends them, and says
`sent`. So whoever measures decides when the topic fills.
"""

import asyncio
import sys
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from msgspec import Struct

from services.runtime.kafka import partition_for

_BATCH_BYTES = 256 * 1024
_BATCHES_AT_ONCE = 12


class Order(Struct, frozen=True, kw_only=True):
    """What to publish, and where. Command id and reference are the prefix and a number."""

    bootstrap: str
    topic: str
    partitions: int
    tenant_id: str
    wallets: list[str]
    count: int
    prefix: str


async def main() -> None:
    """Read the order, prepare, wait, send."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    producer = AIOKafkaProducer(
        bootstrap_servers=order.bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=_BATCH_BYTES,
    )
    await producer.start()
    try:
        batches = _prepare(producer, order)
        _say("prepared")
        if not await asyncio.to_thread(sys.stdin.readline):
            # Whoever gave the order is gone.
            return
        for first in range(0, len(batches), _BATCHES_AT_ONCE):
            sent = [
                await producer.send_batch(batch, order.topic, partition=partition)
                for partition, batch in batches[first : first + _BATCHES_AT_ONCE]
            ]
            await asyncio.gather(*sent)
        _say("sent")
    finally:
        await producer.stop()


def _prepare(producer: AIOKafkaProducer, order: Order) -> list[tuple[int, Any]]:
    """All messages, in batches of one partition each, in order."""
    places = [
        (wallet.encode(), partition_for(wallet.encode(), order.partitions))
        for wallet in order.wallets
    ]
    batches: list[tuple[int, Any]] = []
    open_batches: dict[int, Any] = {}
    for number in range(order.count):
        wallet, partition = places[number % len(places)]
        command_id = b"%s%09d" % (order.prefix.encode(), number)
        message = {
            "key": wallet,
            "value": b'{"wallet_id":"%s","amount":1,"description":"bench","reference":"%s"}'
            % (wallet, command_id),
            "timestamp": None,
            "headers": [
                ("ce_specversion", b"1.0"),
                ("ce_id", command_id),
                ("ce_source", b"/bench"),
                ("ce_type", b"ledger.command.debit_wallet.v1"),
                ("ce_tenantid", order.tenant_id.encode()),
                ("content-type", b"application/json"),
            ],
        }
        batch = open_batches.get(partition)
        if batch is None or not batch.append(**message):
            batch = open_batches[partition] = producer.create_batch()
            batches.append((partition, batch))
            batch.append(**message)
    return batches


def _say(word: str) -> None:
    print(word, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
