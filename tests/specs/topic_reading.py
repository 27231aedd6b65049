"""Reading a topic from its beginning to where it ends now."""

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition


async def all_records(bootstrap: str, topic: str, partitions: int) -> list[ConsumerRecord]:
    """Everything that the topic holds now; the records of a partition in its order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        whole = [TopicPartition(topic, number) for number in range(partitions)]
        ends = await consumer.end_offsets(whole)
        consumer.assign(whole)
        await consumer.seek_to_beginning(*whole)
        found: list[ConsumerRecord] = []
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += records
        return found
    finally:
        await consumer.stop()
