"""What nobody touches lapses all the same: scheduler, intake, relay and projectors together."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.end_to_end.curl import Curl, merchant
from tests.specs.running_stack import RunningStack, eventually

_SOON = timedelta(seconds=2)
_BALANCE = "SELECT balance FROM balances WHERE wallet_id = $1::uuid"


@pytest.fixture
def curl(stack: RunningStack) -> Curl:
    """The sandbox's merchant."""
    return merchant(stack)


async def test_an_expired_credit_lapses_with_nobody_touching_the_wallet(
    stack: RunningStack, curl: Curl
) -> None:
    wallet = await _open_wallet(curl)
    await _credit(curl, wallet, 500)
    expires_at = datetime.now(UTC) + _SOON
    promotion = await _credit(curl, wallet, 200, expires_at=expires_at.isoformat())
    assert promotion["balance_after"] == 700

    # The read model is asked by SQL: not even a reader is to touch the wallet.
    await eventually(lambda: _shows(stack, wallet, 700), "the credit is there")
    await eventually(lambda: _shows(stack, wallet, 500), "the credit has lapsed")

    shown = await curl.get(f"/wallets/{wallet}")
    assert (shown.json["balance"], shown.json["available_balance"]) == (500, 500)
    (lapse,) = (await curl.get(f"/wallets/{wallet}/transactions?type=expiry")).json["data"]
    assert (lapse["type"], lapse["kind"], lapse["amount"]) == ("expiry", "expiry", 200)
    assert (lapse["balance_before"], lapse["balance_after"]) == (700, 500)
    assert datetime.fromisoformat(lapse["expires_at"]) == expires_at
    assert datetime.fromisoformat(lapse["created_at"]) >= expires_at

    ((who, command_id),) = await stack.fetch(
        "SELECT metadata ->> 'who', metadata ->> 'causation_id' FROM events"
        " WHERE stream_id = $1::uuid AND type = 'wallet.credit_lapsed'",
        wallet.removeprefix("wal_"),
    )
    assert who == "kafka:/ledger/scheduler"
    assert command_id.startswith(f"expire-due/{wallet}/")


async def test_an_expired_hold_is_freed_with_nobody_touching_the_wallet(
    stack: RunningStack, curl: Curl
) -> None:
    wallet = await _open_wallet(curl)
    await _credit(curl, wallet, 500)
    expires_at = datetime.now(UTC) + _SOON
    placed = await curl.post(
        f"/wallets/{wallet}/holds",
        {"amount": 300, "reference": uuid4().hex, "expires_at": expires_at.isoformat()},
    )
    assert (placed.status, placed.json["status"]) == (201, "open"), placed
    hold = placed.json["id"]

    async def is_expired() -> bool:
        rows = await stack.fetch(
            "SELECT 1 FROM holds WHERE hold_id = $1::uuid AND status = 'expired'",
            hold.removeprefix("hol_"),
        )
        return rows != []

    await eventually(is_expired, "the hold has expired")
    shown = await curl.get(f"/wallets/{wallet}")
    assert (shown.json["balance"], shown.json["available_balance"]) == (500, 500)
    assert (await curl.get(f"/holds/{hold}")).json["status"] == "expired"


async def test_a_topup_that_is_not_paid_expires_with_nobody_touching_the_wallet(
    stack: RunningStack, curl: Curl
) -> None:
    wallet = await _open_wallet(curl)
    expires_at = datetime.now(UTC) + _SOON
    created = await curl.post(
        f"/wallets/{wallet}/topups",
        {
            "amount": 300,
            "redirect_url": "http://localhost/thanks",
            "expires_at": expires_at.isoformat(),
        },
    )
    assert created.status == 201, created
    topup = created.json["id"]

    await eventually(lambda: _is_expired(stack, topup), "the top-up has expired")

    shown = (await curl.get(f"/topups/{topup}")).json
    assert (shown["status"], shown["transaction_id"]) == ("expired", None)
    assert datetime.fromisoformat(shown["updated_at"]) >= expires_at
    ((who, cause),) = await stack.fetch(
        "SELECT metadata ->> 'who', data ->> 'cause' FROM events"
        " WHERE stream_id = $1::uuid AND type = 'wallet.topup_ended'",
        wallet.removeprefix("wal_"),
    )
    assert (who, cause) == ("kafka:/ledger/scheduler", "expired")


async def _is_expired(stack: RunningStack, topup: str) -> bool:
    rows = await stack.fetch(
        "SELECT status FROM topups WHERE topup_id = $1::uuid", topup.removeprefix("top_")
    )
    return [row["status"] for row in rows] == ["expired"]


async def _open_wallet(curl: Curl) -> str:
    reply = await curl.post("/wallets", {"customer_id": f"cus_{uuid4().hex}", "currency": "GHS"})
    assert reply.status == 201, reply
    return str(reply.json["id"])


async def _credit(curl: Curl, wallet: str, amount: int, **more: str) -> dict[str, object]:
    body = {"amount": amount, "reference": uuid4().hex, **more}
    reply = await curl.post(f"/wallets/{wallet}/credit", body)
    assert reply.status == 200, reply
    shown: dict[str, object] = reply.json
    return shown


async def _shows(stack: RunningStack, wallet: str, balance: int) -> bool:
    rows = await stack.fetch(_BALANCE, wallet.removeprefix("wal_"))
    return [row["balance"] for row in rows] == [balance]
