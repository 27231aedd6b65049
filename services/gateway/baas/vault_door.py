"""The door to the vault: opened when it is first needed, so that money moves whatever happens.

Opening looks through everything that was ever erased, so it may take longer than a call waits:
it goes on by itself, once for all who ask.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final, TypeVar

import asyncpg
import structlog
from prometheus_client import CollectorRegistry

from schemas.identifiers import TenantId
from services.customers.erasures import erasures_in
from services.gateway.baas.failures import VAULT_UNAVAILABLE
from services.gateway.baas.vault_metrics import VaultMetrics
from services.gateway.database import GATHERED, Database
from services.gateway.problems import ReadsUnavailableError, RefusedError
from services.runtime.postgres import LOST, limited
from services.runtime.settings import Settings, SettingsError
from services.vault.blind_index import BlindIndex
from services.vault.document_store import DocumentStore
from services.vault.errors import (
    CustomerErasedError,
    KeyFileError,
    SealBrokenError,
    VaultError,
)
from services.vault.opening import open_vault
from services.vault.places import blind_index, document_store
from services.vault.vault import Vault

Result = TypeVar("Result")

_MAX_SECONDS: Final = 5.0
_AWAY: Final = (*LOST, ReadsUnavailableError, SettingsError)

_AWAY_NOW: Final = "the vault of personal data cannot be used now, try again"
_NOT_SET_UP: Final = (
    "this ledger cannot keep persons, until who runs it sets up its vault and keys; trying again "
    "does not help"
)

_log = structlog.get_logger(__name__)


class VaultDoor:
    """Opens the vault once. While it cannot be used, calls are refused with 503.

    The refusal says whether trying again helps: not where the vault, or a key, is not set up.
    """

    def __init__(
        self,
        open_: Callable[[], AbstractAsyncContextManager[Vault]],
        index: Callable[[], BlindIndex],
        documents: DocumentStore,
        max_seconds: float = _MAX_SECONDS,
        *,
        metrics: VaultMetrics,
    ) -> None:
        self._open = open_
        self._read_index = index
        self.documents = documents
        self._max_seconds = max_seconds
        self._vault: Vault | None = None
        self._index: BlindIndex | None = None
        self._opening: asyncio.Task[Vault] | None = None
        self._stack = AsyncExitStack()
        self._failed_last = False
        self._metrics = metrics
        metrics.watch(lambda: self.is_open)

    @property
    def is_open(self) -> bool:
        """Whether it was opened, and its last use did not fail for the vault's sake."""
        return self._vault is not None and not self._failed_last

    async def use(self, work: Callable[[Vault], Awaitable[Result]]) -> Result:
        """Do something with the vault. `CustomerErasedError` and broken seals pass through."""
        try:
            async with limited(self._max_seconds):
                done = await work(self._vault or await self._opened())
        except (CustomerErasedError, SealBrokenError):
            raise
        except (*_AWAY, VaultError) as error:
            self._failed_last = True
            raise self._unavailable(error) from None
        self._failed_last = False
        return done

    def index_of(self, tenant_id: TenantId, purpose: str, value: str) -> bytes:
        """The blind index of a value, by which one person is found again."""
        if self._index is None:
            try:
                self._index = self._read_index()
            except (*_AWAY, VaultError) as error:
                raise self._unavailable(error) from None
        return self._index.index(tenant_id, purpose, value)

    async def close(self) -> None:
        """Close what was opened."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        await self._stack.aclose()
        await self.documents.close()

    async def _opened(self) -> Vault:
        """The vault; who stops waiting for it does not stop its opening."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open_once(), name="vault-opening")
            self._opening.add_done_callback(self._opening_ended)
        return await asyncio.shield(self._opening)

    async def _open_once(self) -> Vault:
        self._vault = await self._stack.enter_async_context(self._open())
        self._failed_last = False
        return self._vault

    def _opening_ended(self, opening: "asyncio.Task[Vault]") -> None:
        # After a failure the next call tries again.
        self._opening = None
        error = None if opening.cancelled() else opening.exception()
        if error is not None:
            # Those who asked may have gone before it was known why.
            self._metrics.failed()
            _tell("vault_not_opened", error)

    def _unavailable(self, error: Exception) -> RefusedError:
        self._metrics.failed()
        _tell("vault_unavailable", error)
        is_set_up = not isinstance(error, SettingsError | KeyFileError)
        return RefusedError(VAULT_UNAVAILABLE, _AWAY_NOW if is_set_up else _NOT_SET_UP)


def _tell(event: str, error: BaseException) -> None:
    # What the message of another's error says is not known; ours name no person.
    reason = str(error) if isinstance(error, VaultError | SettingsError) else None
    _log.warning(event, error=type(error).__name__, reason=reason)


def vault_door(settings: Settings, database: Database, registry: CollectorRegistry) -> VaultDoor:
    """The door to the vault that the settings name."""

    async def fetch(statement: str, after: int, limit: int) -> list[asyncpg.Record]:
        return await database.read(GATHERED, lambda pool: pool.fetch(statement, after, limit))

    return VaultDoor(
        lambda: open_vault(settings, "ledger-gateway-vault", erasures_in(fetch)),
        lambda: blind_index(settings),
        document_store(settings),
        metrics=VaultMetrics(registry),
    )
