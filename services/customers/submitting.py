"""Handing commands to the ledger from the command line, in this process."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.submission import Submission
from ledger.event_log.postgres import PostgresEventLog
from schemas.commands import Command
from schemas.results import CommandResult
from services.runtime.environment import SystemEnvironment
from services.runtime.rules import rules_of
from services.runtime.settings import Settings


class Submitting:
    """Settles commands. Raises `CommandHandlingError` where the ledger cannot be reached."""

    def __init__(self, processor: CommandProcessor) -> None:
        self._processor = processor

    async def settle(self, tenant_id: str, command: Command) -> CommandResult:
        """What a command has come to. Who sends it is the user of the machine."""
        settled = await self._processor.submit(
            Submission(
                tenant_id=tenant_id,
                command=command,
                command_id=None,
                who=f"operator:{getpass.getuser()}",
                correlation_id=None,
            )
        )
        return settled.result


@asynccontextmanager
async def submitting(settings: Settings) -> AsyncIterator[Submitting]:
    """The ledger, for as long as the block lasts."""
    log = PostgresEventLog(settings.require_database_url())
    try:
        processor = CommandProcessor(log, SystemEnvironment(), rules=rules_of(settings))
        await processor.start()
        try:
            yield Submitting(processor)
        finally:
            await processor.stop()
    finally:
        await log.close()
