"""What a processor that is watched shows while commands wait, and when they are settled."""

import asyncio

from prometheus_client import CollectorRegistry

from ledger.command_handling.rules import NO_RULES
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from schemas.commands import CreateWallet
from services.runtime.processor_metrics import observed_processor
from tests.specs.world import SeededEnvironment, SteppingClock, submission


async def test_commands_that_wait_are_shown_until_a_batch_takes_them() -> None:
    registry = CollectorRegistry()
    log = MemoryEventLog(MemoryStore(SteppingClock()))
    processor = observed_processor(log, SeededEnvironment(0), NO_RULES, registry)
    await processor.start()

    settled = [
        processor.enqueue(submission(CreateWallet(customer_id=f"cus_{number}", currency="GHS")))
        for number in range(3)
    ]

    assert registry.get_sample_value("ledger_waiting_commands") == 3
    await asyncio.gather(*settled)
    assert registry.get_sample_value("ledger_waiting_commands") == 0
    accepted = {"outcome": "accepted"}
    assert registry.get_sample_value("ledger_commands_total", accepted) == 3
    await processor.stop()
