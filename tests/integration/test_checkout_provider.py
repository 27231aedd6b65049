"""The sandbox provider as a process: its door for servers, its callbacks, over a restart."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
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
        ({"topup_id": f"{TOPUP}\n"}, 400),
        ({"currency": "ZZZ"}, 400),
        ({"currency": "GHS\n"}, 400),
        ({"return_url": "https://shop.example/\r\nSet-Cookie: a=b"}, 400),
        ({"return_url": "https://[::1/"}, 400),
        ({"callback_url": "http://"}, 400),
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


@pytest.mark.parametrize("body", [b"", b"{", b'{"topup_id":"top_\xff"}', b'{"x":' + b"[" * 30_000])
async def test_a_body_that_cannot_be_read_is_refused(tmp_path: Path, body: bytes) -> None:
    async with (
        running_provider(tmp_path) as url,
        aiohttp.ClientSession(url) as client,
        client.post("/v1/sessions", data=body, headers=MERCHANT) as answer,
    ):
        assert answer.status == 400


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def part_with(line: str) -> bytes:
    """A form of one part, with one more header."""
    head = f"--x\r\nContent-Disposition: form-data; name=card\r\n{line}\r\n\r\n"
    return head.encode() + b"4\r\n--x--\r\n"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        (f"{FORM}; charset=nonsense", b"card=1", 400),
        (f"{FORM}; charset=utf-8", b"card=\xff", 400),
        (f"{FORM}; charset=idna", b"card=\xff", 400),
        (f"{FORM}; charset=hex", b"card=1", 400),
        (FORM, b"&".join(b"card=%d" % number for number in range(500)), 303),
        (FORM, b"card=" + b"4" * 40_000, 413),
        (MULTIPART, b"--x\r\nbroken", 400),
        (f"{MULTIPART}; boundary=x", b"--x\r\nbroken", 400),
        (f"{MULTIPART}; boundary=x", b"", 400),
        (f"{MULTIPART}; boundary={'x' * 71}", b"--x--", 400),
        (f"{MULTIPART}; boundary=x", part_with("Content-Type: text/plain; charset=nonsense"), 400),
        (f"{MULTIPART}; boundary=x", part_with("Content-Transfer-Encoding: nonsense"), 400),
        (f"{MULTIPART}; boundary=x", part_with("Content-Type: text/plain"), 303),
        ("text/plain", b"card=1", 303),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_and_pays_nothing(
    tmp_path: Path, listener: Listener, content_type: str, body: bytes, status: int
) -> None:
    async with running_provider(tmp_path) as url, aiohttp.ClientSession(url) as client:
        session = await open_session(client, listener)
        headers = {"Content-Type": content_type}
        async with client.post(
            f"/pay/{session}/pay", data=body, headers=headers, allow_redirects=False
        ) as answer:
            assert answer.status == status
        async with client.get(f"/pay/{session}") as shown:
            assert "Card number" in await shown.text()


async def test_a_locked_file_is_a_503_and_works_again_afterwards(
    tmp_path: Path, listener: Listener
) -> None:
    file = tmp_path / "sandbox-provider" / "sessions.sqlite"
    async with running_provider(tmp_path) as url, aiohttp.ClientSession(url) as client:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            async with client.post("/v1/sessions", json=wish(listener), headers=MERCHANT) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            # The gateway waits for five seconds.
            assert time.monotonic() - began < 4
            other.execute("ROLLBACK")
        session = await open_session(client, listener)
        await pay(client, session, GOOD_CARD)
        await eventually(lambda: len(listener.came) == 1, "it is told")


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
