"""Handing commands to the ledger from the command line, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.submission import Submission
from ledger.event_log.postgres import PostgresEventLog
from schemas.commands import Command
from schemas.results import CommandResult
from services.runtime.administration import operator_name
from services.runtime.environment import SystemEnvironment
from services.runtime.rules import rules_of
from services.runtime.settings import Settings


class Submitting:
    """Settles commands. Raises `CommandHandlingError` where the ledger cannot be reached."""

    def __init__(self, processor: CommandProcessor, who: str) -> None:
        self._processor = processor
        self._who = who

    async def settle(self, tenant_id: str, command: Command) -> CommandResult:
        """What a command has come to."""
        settled = await self._processor.submit(
            Submission(
                tenant_id=tenant_id,
                command=command,
                command_id=None,
                who=self._who,
                correlation_id=None,
            )
        )
        return settled.result


@asynccontextmanager
async def submitting(settings: Settings, by: str | None = None) -> AsyncIterator[Submitting]:
    """The ledger, for as long as the block lasts; without `by` it is the machine's user's name."""
    log = PostgresEventLog(settings.require_database_url())
    try:
        processor = CommandProcessor(log, SystemEnvironment(), rules=rules_of(settings))
        await processor.start()
        try:
            yield Submitting(processor, operator_name(by))
        finally:
            await processor.stop()
    finally:
        await log.close()
