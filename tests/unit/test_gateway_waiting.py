"""What the gateway does over time: credentials kept for a second, patience with read models."""

import asyncio

import pytest

from ledger.tenants.store import Credential, hash_secret
from services.gateway.authentication import Authenticator
from services.gateway.patience import Patience
from services.gateway.problems import ReadModelBehindError, ReadsUnavailableError, RefusedError
from tests.specs.running_gateway import basic

KEY_ID = "key_" + "0a" * 12


class HandClock:
    """A clock that sleeping moves, and the test."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.now += seconds
        await asyncio.sleep(0)


class Store:
    """The credentials as a test has them, with a count of the questions."""

    def __init__(self) -> None:
        self.credentials = {
            KEY_ID: Credential(
                key_id=KEY_ID,
                tenant_id="tenant",
                merchant_id="merchant",
                environment="sandbox",
                secret_hash=hash_secret("secret"),
                scopes=frozenset({"wallets:read"}),
                revoked_at=None,
                redirect_origins=frozenset(),
            )
        }
        self.questions = 0
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting: list[str] = []

    async def find(self, key_id: str) -> Credential | None:
        """As the database does."""
        self.questions += 1
        await asyncio.sleep(0)
        self.waiting.append(key_id)
        await self.gate.wait()
        self.waiting.remove(key_id)
        if self.away:
            raise ReadsUnavailableError
        return self.credentials.get(key_id)


async def test_a_credential_is_asked_for_once_a_second() -> None:
    clock, store = HandClock(), Store()
    authenticator = Authenticator(store.find, clock.monotonic)
    header = basic(KEY_ID, "secret")
    principals = await asyncio.gather(*(authenticator.authenticate(header) for _ in range(10)))
    assert {principal.who for principal in principals} == {f"client:{KEY_ID}"}
    assert store.questions == 1
    clock.now += 0.4
    await authenticator.authenticate(header)
    assert store.questions == 1


async def test_a_busy_credential_is_refreshed_without_waiting() -> None:
    clock, store = HandClock(), Store()
    authenticator = Authenticator(store.find, clock.monotonic)
    header = basic(KEY_ID, "secret")
    await authenticator.authenticate(header)
    clock.now += 0.7
    await authenticator.authenticate(header)
    await asyncio.sleep(0.01)
    assert store.questions == 2
    clock.now += 0.7
    store.away = True
    await authenticator.authenticate(header)


async def test_a_credential_that_went_away_is_refused_within_a_second() -> None:
    clock, store = HandClock(), Store()
    authenticator = Authenticator(store.find, clock.monotonic)
    header = basic(KEY_ID, "secret")
    await authenticator.authenticate(header)
    del store.credentials[KEY_ID]
    clock.now += 1.01
    with pytest.raises(RefusedError, match="unauthorized"):
        await authenticator.authenticate(header)


async def test_an_unknown_client_costs_one_question_a_second() -> None:
    clock, store = HandClock(), Store()
    authenticator = Authenticator(store.find, clock.monotonic)
    for _ in range(5):
        with pytest.raises(RefusedError):
            await authenticator.authenticate(basic("key_unknown", "secret"))
    assert store.questions == 1


async def test_without_the_database_nobody_is_let_in_or_turned_away() -> None:
    clock, store = HandClock(), Store()
    store.away = True
    authenticator = Authenticator(store.find, clock.monotonic)
    with pytest.raises(ReadsUnavailableError):
        await authenticator.authenticate(basic(KEY_ID, "secret"))
    store.away = False
    await authenticator.authenticate(basic(KEY_ID, "secret"))


async def test_guesses_are_looked_up_in_turn_and_known_clients_do_not_wait() -> None:
    clock, store = HandClock(), Store()
    authenticator = Authenticator(store.find, clock.monotonic)
    await authenticator.authenticate(basic(KEY_ID, "secret"))
    clock.now += 1.1
    store.gate.clear()
    guesses = [
        asyncio.create_task(authenticator.principal_of(f"key_{n:024}", "guess")) for n in range(10)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    known = asyncio.create_task(authenticator.authenticate(basic(KEY_ID, "secret")))
    while KEY_ID not in store.waiting:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    assert len(store.waiting) == 3, "two guesses, and the one that is known"
    store.gate.set()
    assert (await known).key_id == KEY_ID
    assert await asyncio.gather(*guesses) == [None] * 10


async def test_who_waits_too_long_for_a_turn_is_not_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.gateway.authentication._MAX_TURN_SECONDS", 0.01)
    clock, store = HandClock(), Store()
    authenticator = Authenticator(store.find, clock.monotonic)
    store.gate.clear()
    guesses = [
        asyncio.create_task(authenticator.principal_of(f"key_{n:024}", "guess")) for n in range(2)
    ]
    while len(store.waiting) < 2:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)
    with pytest.raises(ReadsUnavailableError):
        await authenticator.authenticate(basic(KEY_ID, "secret"))
    store.gate.set()
    assert await asyncio.gather(*guesses) == [None] * 2
    assert (await authenticator.authenticate(basic(KEY_ID, "secret"))).key_id == KEY_ID


async def test_waiting_ends_when_the_read_model_has_caught_up() -> None:
    clock = HandClock()
    versions = iter([1, 2, 3, 4])

    async def ask() -> int:
        return next(versions)

    reading = await Patience(clock).wait(ask, lambda version: version >= 3, 0)
    assert reading == 3
    assert clock.now == pytest.approx(100.017)


async def test_a_read_model_that_stands_still_is_not_waited_for() -> None:
    clock = HandClock()
    patience = Patience(clock)
    newest = 0

    async def ask() -> int:
        return newest

    async def took() -> float:
        started = clock.now
        await patience.wait(ask, lambda version: version >= 1, 0)
        return clock.now - started

    assert await took() == pytest.approx(1, abs=0.03)
    assert await took() == 0
    clock.now += 1.1
    # After a second one query tries again, and the others still do not wait.
    *others, trier = sorted(await asyncio.gather(took(), took(), took()))
    assert others == [0, 0]
    assert trier == pytest.approx(1, abs=0.03)
    clock.now += 1.1
    newest = 1
    assert await took() == pytest.approx(0.002)
    assert await took() == pytest.approx(0.002)


async def test_whoever_insists_is_told_that_a_read_model_is_behind() -> None:
    clock = HandClock()
    patience = Patience(clock)

    async def ask() -> int:
        return 1

    assert await patience.until(ask, lambda version: version >= 5, 5) == 5
    assert clock.now == 100, "what has caught up is not waited for"
    assert await patience.until(ask, lambda version: version >= 1, 0) == 1
    with pytest.raises(ReadModelBehindError):
        await patience.until(ask, lambda version: version >= 2, 0)
