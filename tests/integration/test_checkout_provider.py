"""The sandbox provider as a process: its door for servers, its callbacks, over a restart."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.gateway.payments.signatures import check_signature
from tests.specs.payments import API_KEY, CALLBACK_SECRET, Listener, listening, running_provider
from tests.specs.running_stack import eventually

MERCHANT = {"Authorization": f"Bearer {API_KEY}"}
GOOD_CARD, FORGED_CARD = "4242424242424242", "4000000000000044"
TOPUP = "top_" + "0a" * 16


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as opened:
        yield opened


def wish(listener: Listener, **other: Any) -> dict[str, Any]:
    return {
        "topup_id": TOPUP,
        "amount": 500,
        "currency": "GHS",
        "merchant": "Shop",
        "description": "",
        "return_url": "https://shop.example/return",
        "callback_url": listener.url,
        "expires_at": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
    } | other


async def open_session(client: aiohttp.ClientSession, listener: Listener) -> str:
    async with client.post("/v1/sessions", json=wish(listener), headers=MERCHANT) as answer:
        assert answer.status in {200, 201}
        return str((await answer.json())["session_id"])


async def pay(client: aiohttp.ClientSession, session: str, card: str) -> str:
    """Where the browser is sent."""
    path = f"/pay/{session}/pay"
    async with client.post(path, data={"card": card}, allow_redirects=False) as answer:
        assert answer.status == 303
        return answer.headers["Location"]


def is_signed_rightly(came: tuple[str, str, bytes]) -> bool:
    timestamp, signature, body = came
    try:
        check_signature(
            CALLBACK_SECRET,
            timestamp=timestamp,
            signature=signature,
            body=body,
            now=float(timestamp),
        )
    except Exception:  # noqa: BLE001 - whatever is wrong with it
        return False
    return True


async def test_a_callback_is_sent_until_it_is_taken(tmp_path: Path, listener: Listener) -> None:
    listener.answers = [500, 302, 404]
    async with (
        running_provider(tmp_path) as url,
        aiohttp.ClientSession(url) as client,
    ):
        session = await open_session(client, listener)
        assert await pay(client, session, GOOD_CARD) == "https://shop.example/return"
        await eventually(lambda: len(listener.came) == 4, "the callback is sent four times")

        assert all(is_signed_rightly(came) for came in listener.came)
        assert len({body for _, _, body in listener.came}) == 1
        await eventually(lambda: _waiting(client, 0.0), "nothing is left to send")
        assert len(listener.came) == 4


async def _waiting(client: aiohttp.ClientSession, count: float) -> bool:
    async with client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return f"ledger_sandbox_provider_waiting_callbacks {count}" in lines


async def test_a_callback_is_sent_after_a_restart(tmp_path: Path, listener: Listener) -> None:
    listener.answers = [503] * 2
    async with running_provider(tmp_path) as url, aiohttp.ClientSession(url) as client:
        session = await open_session(client, listener)
        await pay(client, session, GOOD_CARD)
        await eventually(lambda: len(listener.came) == 1, "it was sent once, in vain")

    listener.answers = []
    async with running_provider(tmp_path) as url, aiohttp.ClientSession(url) as client:
        await eventually(lambda: len(listener.came) == 2, "it is sent again")
        assert is_signed_rightly(listener.came[1])
        assert await open_session(client, listener) == session
        assert await pay(client, session, GOOD_CARD) == "https://shop.example/return"
        assert len(listener.came) == 2


async def test_only_the_first_callback_of_that_card_is_signed_wrongly(
    tmp_path: Path, listener: Listener
) -> None:
    listener.answers = [401]
    async with running_provider(tmp_path) as url, aiohttp.ClientSession(url) as client:
        await pay(client, await open_session(client, listener), FORGED_CARD)
        await eventually(lambda: len(listener.came) == 2, "it is sent again")

    assert [is_signed_rightly(came) for came in listener.came] == [False, True]


async def test_many_tabs_that_pay_at_once_are_one_payment(
    tmp_path: Path, listener: Listener
) -> None:
    async with running_provider(tmp_path) as url, aiohttp.ClientSession(url) as client:
        session = await open_session(client, listener)
        await asyncio.gather(*(pay(client, session, GOOD_CARD) for _ in range(10)))
        await eventually(lambda: _waiting(client, 0.0), "nothing is left to send")

    assert len(listener.came) == 1


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"amount": 0}, 400),
        ({"topup_id": "top_1"}, 400),
        ({"return_url": "javascript:alert(1)"}, 400),
        ({"callback_url": "file:///etc/passwd"}, 400),
        ({"expires_at": "2026-11-22T10:00:00"}, 400),
        ({"merchant": "m" * 40_000}, 413),
    ],
)
async def test_a_session_that_makes_no_sense_is_refused(
    tmp_path: Path, listener: Listener, other: dict[str, Any], status: int
) -> None:
    async with running_provider(tmp_path) as url, aiohttp.ClientSession(url) as client:
        body = wish(listener, **other)
        async with client.post("/v1/sessions", json=body, headers=MERCHANT) as answer:
            assert answer.status == status


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer wrong", f"Basic {API_KEY}"])
@pytest.mark.parametrize("path", ["/v1/sessions", f"/v1/sessions/{TOPUP}/cancel"])
async def test_only_who_knows_the_key_opens_and_cancels_sessions(
    tmp_path: Path, listener: Listener, path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with (
        running_provider(tmp_path) as url,
        aiohttp.ClientSession(url, headers=headers) as client,
        client.post(path, json=wish(listener)) as answer,
    ):
        assert answer.status == 401


async def test_the_page_of_no_session_is_a_404(tmp_path: Path) -> None:
    async with running_provider(tmp_path) as url, aiohttp.ClientSession(url) as client:
        for path in ("/pay/ses_1", f"/pay/ses_{'0a' * 16}", "/pay/%00"):
            async with client.get(path) as answer:
                assert answer.status == 404
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
