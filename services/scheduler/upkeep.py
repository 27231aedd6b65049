"""Once an hour: what is left over in the vault is removed.

It is there where the vault is set up, and nothing else that the scheduler does waits for it.
"""

from typing import Final

import structlog

from services.customers.errors import CustomerCommandError
from services.customers.leftovers import Leftovers
from services.runtime.environment import SystemEnvironment
from services.runtime.postgres import LOST
from services.runtime.settings import Settings, SettingsError
from services.scheduler import metrics
from services.vault.errors import VaultError

INTERVAL_S: Final = 3600.0
_PAUSE_S: Final = 300.0
_NAME: Final = "ledger-scheduler-upkeep"
_FAILURES: Final = (
    *LOST,
    CustomerCommandError,
    SettingsError,
    VaultError,
)

_log = structlog.get_logger()


class Upkeep:
    """The upkeep of one scheduler. Any number may be at it: each removal happens once."""

    def __init__(self, settings: Settings, environment: SystemEnvironment) -> None:
        self._settings = settings
        self._environment = environment
        self._leftovers = Leftovers(settings, _NAME)

    async def run(self) -> None:
        """Work until cancelled; returns at once where there is no vault."""
        if self._settings.vault_database_url is None:
            return
        while True:
            await self._environment.sleep(INTERVAL_S if await self.is_done() else _PAUSE_S)

    async def is_done(self) -> bool:
        """Remove what is left over; False where that failed, which is logged."""
        try:
            removed = await self._leftovers.remove()
        except _FAILURES as error:
            metrics.FAILURES.labels("vault").inc()
            # Our own messages name no person; of others' it is not known.
            reason = str(error) if isinstance(error, VaultError | SettingsError) else None
            _log.warning("upkeep_failed", error=type(error).__name__, reason=reason)
            return False
        metrics.REMOVED.labels("key").inc(removed.keys)
        metrics.REMOVED.labels("document").inc(removed.documents)
        metrics.REMOVED.labels("upload").inc(removed.uploads)
        if removed.keys or removed.documents or removed.uploads:
            _log.info(
                "leftovers_removed",
                keys=removed.keys,
                documents=removed.documents,
                uploads=removed.uploads,
            )
        return True
