"""The door to the vault: what calls get while it opens, slowly or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from services.gateway.baas.vault_door import VaultDoor
from services.gateway.baas.vault_metrics import VaultMetrics
from services.gateway.problems import RefusedError
from services.runtime.settings import SettingsError
from services.vault.blind_index import BlindIndex
from services.vault.customer import Customer
from services.vault.document_store import FileDocumentStore
from services.vault.errors import CustomerErasedError, DestroyedListError, KeyFileError
from services.vault.vault import Vault

HARDLY = 0.001
LONG = 30.0
NOBODY = Customer(tenant_id=str(UUID(int=1)), user_id=str(UUID(int=2)))


class SlowVault:
    """A vault that opens when it is told to, and counts how often that was begun and ended."""

    def __init__(self) -> None:
        self.may_open = asyncio.Event()
        self.is_begun = asyncio.Event()
        self.is_open = asyncio.Event()
        self.error: Exception | None = None
        self.begun = self.closed = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Vault]:
        """What a door opens."""
        self.begun += 1
        self.is_begun.set()
        await self.may_open.wait()
        if self.error is not None:
            raise self.error
        self.is_open.set()
        yield cast("Vault", self)
        self.closed += 1


async def nothing(_: Vault) -> str:
    """Work that needs the vault open and no more."""
    return "done"


@pytest.fixture
def slow() -> SlowVault:
    return SlowVault()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def door(
    slow: SlowVault, registry: CollectorRegistry, tmp_path: Path
) -> Callable[[float], VaultDoor]:
    def made(max_seconds: float) -> VaultDoor:
        index = BlindIndex(bytes(32))
        documents = FileDocumentStore(tmp_path)
        metrics = VaultMetrics(registry)
        return VaultDoor(slow.open, lambda: index, documents, max_seconds, metrics=metrics)

    return made


async def test_opening_goes_on_when_nobody_waits_any_more(
    slow: SlowVault, door: Callable[[float], VaultDoor]
) -> None:
    """However long it takes: it is begun once, and the call after its end is served."""
    vault = door(HARDLY)
    for _ in range(3):
        with pytest.raises(RefusedError) as refused:
            await vault.use(nothing)
        assert refused.value.code == "vault_unavailable"
    assert (slow.begun, slow.is_open.is_set()) == (1, False)
    slow.may_open.set()
    await slow.is_open.wait()
    assert await vault.use(nothing) == "done"
    await vault.close()
    assert (slow.begun, slow.closed) == (1, 1)


async def test_all_who_ask_at_once_wait_for_one_opening(
    slow: SlowVault, door: Callable[[float], VaultDoor]
) -> None:
    vault = door(LONG)
    calls = [asyncio.create_task(vault.use(nothing)) for _ in range(5)]
    await slow.is_begun.wait()
    slow.may_open.set()
    assert await asyncio.gather(*calls) == ["done"] * 5
    assert slow.begun == 1
    await vault.close()


async def test_after_a_failed_opening_the_next_call_tries_again(
    slow: SlowVault, door: Callable[[float], VaultDoor]
) -> None:
    vault = door(LONG)
    slow.may_open.set()
    slow.error = DestroyedListError("the list was cut")
    for _ in range(2):
        with pytest.raises(RefusedError):
            await vault.use(nothing)
    slow.error = None
    assert await vault.use(nothing) == "done"
    assert slow.begun == 3
    await vault.close()


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (SettingsError("LEDGER_VAULT_DATABASE_URL is not set"), False),
        (KeyFileError("the file of keys is not there"), False),
        (DestroyedListError("the list was cut"), True),
        (ConnectionRefusedError(), True),
    ],
)
async def test_the_answer_says_whether_trying_again_helps(
    slow: SlowVault, door: Callable[[float], VaultDoor], error: Exception, *, helps: bool
) -> None:
    """Not where there is nothing to open, until who runs the gateway has set it up."""
    vault = door(LONG)
    slow.may_open.set()
    slow.error = error
    with pytest.raises(RefusedError) as refused:
        await vault.use(nothing)
    assert refused.value.code == "vault_unavailable"
    assert refused.value.detail.endswith("try again" if helps else "trying again does not help")
    await vault.close()


async def test_whether_it_is_open_is_shown(
    slow: SlowVault, registry: CollectorRegistry, door: Callable[[float], VaultDoor]
) -> None:
    """And how often it could not be used, or opened."""

    def shown() -> tuple[float | None, float | None]:
        read = registry.get_sample_value
        return read("ledger_vault_open"), read("ledger_vault_failures_total")

    async def fail(_: Vault) -> str:
        raise ConnectionRefusedError

    async def find_nobody(_: Vault) -> str:
        raise CustomerErasedError(NOBODY)

    vault = door(LONG)
    slow.may_open.set()
    assert shown() == (0, 0)
    await vault.use(nothing)
    assert shown() == (1, 0)
    with pytest.raises(RefusedError):
        await vault.use(fail)
    assert shown() == (0, 1)
    await vault.use(nothing)
    assert shown() == (1, 1)
    with pytest.raises(CustomerErasedError):
        await vault.use(find_nobody)
    assert shown() == (1, 1)
    await vault.close()


async def test_a_vault_that_opens_when_nobody_waits_any_more_is_shown_as_open(
    slow: SlowVault, registry: CollectorRegistry, door: Callable[[float], VaultDoor]
) -> None:
    vault = door(HARDLY)
    with pytest.raises(RefusedError):
        await vault.use(nothing)
    assert registry.get_sample_value("ledger_vault_open") == 0
    slow.may_open.set()
    await slow.is_open.wait()
    await asyncio.sleep(0)
    assert registry.get_sample_value("ledger_vault_open") == 1
    await vault.close()


async def test_why_it_did_not_open_is_told_although_nobody_waits(
    slow: SlowVault, door: Callable[[float], VaultDoor], capsys: pytest.CaptureFixture[str]
) -> None:
    vault = door(HARDLY)
    slow.error = DestroyedListError("the list was cut")
    with pytest.raises(RefusedError):
        await vault.use(nothing)
    slow.may_open.set()
    async with asyncio.timeout(10):
        said = ""
        while "vault_not_opened" not in said:
            await asyncio.sleep(0)
            said += capsys.readouterr().out
    assert "the list was cut" in said
    await vault.close()


async def test_closing_ends_an_opening_that_is_under_way(
    slow: SlowVault, door: Callable[[float], VaultDoor]
) -> None:
    vault = door(HARDLY)
    with pytest.raises(RefusedError):
        await vault.use(nothing)
    await vault.close()
    assert (slow.begun, slow.is_open.is_set(), slow.closed) == (1, False, 0)
