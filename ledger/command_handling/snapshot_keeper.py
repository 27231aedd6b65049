"""Keeps snapshots: writes those that are due, apart from the appends, of committed states only."""

from itertools import islice

import structlog

from ledger.command_handling import snapshots
from ledger.command_handling.environment import Environment
from ledger.command_handling.wallet_cache import Known, WalletCache
from ledger.event_log.interface import AppendRefusedError, EventLog, LogUnavailableError
from schemas.identifiers import StreamKey

SNAPSHOT_PAUSE_S = 0.1
MAX_DUE_WALLETS = 10_000
"""So that states which nobody else keeps any more do not pile up."""

_log = structlog.get_logger(__name__)


class SnapshotKeeper:
    """The wallets of one process whose snapshot is due. `run` writes them, a few at a time."""

    def __init__(self, log: EventLog, environment: Environment, cache: WalletCache) -> None:
        self._log = log
        self._environment = environment
        self._cache = cache
        self._due: dict[StreamKey, Known] = {}

    def note(self, key: StreamKey, known: Known) -> None:
        """A wallet changed, durably, to this."""
        # One that does not fit in now is due again when it changes next.
        if snapshots.is_due(known) and (key in self._due or len(self._due) < MAX_DUE_WALLETS):
            self._due[key] = known

    def forget(self) -> None:
        """What was noted is not to be trusted."""
        self._due.clear()

    async def run(self) -> None:
        """Write what is due, until cancelled."""
        while True:
            await self._environment.sleep(SNAPSHOT_PAUSE_S)
            due = dict(islice(self._due.items(), snapshots.SNAPSHOTS_AT_ONCE))
            if not due:
                continue
            for key in due:
                del self._due[key]
            taken = [(key, snapshots.snapshot_of(known)) for key, known in due.items()]
            try:
                await self._log.save_snapshots(taken)
            except (LogUnavailableError, AppendRefusedError) as error:
                # Nothing depends on a snapshot: the events are there.
                _log.warning("snapshots_not_saved", error=str(error))
                continue
            for key, snapshot in taken:
                self._cache.note_snapshot(key, snapshot.version)
