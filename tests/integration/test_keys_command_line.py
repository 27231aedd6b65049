"""`ledger keys list` and `ledger keys limit`, as processes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest

from ledger.tenants.administrator import Administrator
from ledger.tenants.store import Merchant
from services.runtime.administration import administering
from services.runtime.postgres import Connection, connect
from tests.specs.running_stack import Ended


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    opened = await connect(database, "test")
    yield opened
    await opened.close()


@pytest.fixture
async def administrator(database: str) -> AsyncIterator[Administrator]:
    async with administering(database, "operator:test") as administrator:
        yield administrator


@pytest.fixture
async def merchant(administrator: Administrator) -> Merchant:
    return await administrator.create_merchant("Kiosk")


async def keys(database: str, *words: str) -> Ended:
    """Run `ledger keys …` to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.command_line", "keys", *words),
        env={**os.environ, "LEDGER_DATABASE_URL": database},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode())


async def test_keys_are_listed_without_their_secrets(
    database: str, connection: Connection, administrator: Administrator, merchant: Merchant
) -> None:
    create = administrator.create_credential
    live = await create(merchant.live_tenant_id, ["wallets:read", "admin"])
    old = await create(merchant.sandbox_tenant_id, ["wallets:read"])
    await administrator.revoke_credential(old.key_id)
    used = "INSERT INTO credential_usage VALUES ($1, 3, '2026-05-24 10:00:00.5+02')"
    await connection.execute(used, live.key_id)

    listed = await keys(database, "list")

    heading, first, second = listed.output.splitlines()
    assert listed.status == 0
    assert heading.split("  ")[0] == "client id"
    assert first.split()[:4] == [live.key_id, merchant.live_tenant_id, "live", "default"]
    assert first.split()[5:] == ["2026-05-24T08:00:00Z", "-", "admin,wallets:read"]
    assert second.split()[:4] == [old.key_id, merchant.sandbox_tenant_id, "sandbox", "default"]
    assert second.split()[5] == "-"
    assert second.split()[6].endswith("Z")
    assert live.secret not in listed.output

    one = await keys(database, "list", "--tenant", merchant.sandbox_tenant_id)
    assert [line.split()[0] for line in one.output.splitlines()] == ["client", old.key_id]
    none = await keys(database, "list", "--tenant", merchant.merchant_id)
    assert (none.status, none.output) == (0, "There are no credentials.\n")


async def test_a_key_is_limited_and_then_not_any_more(database: str, merchant: Merchant) -> None:
    words = ("create", "--tenant", merchant.live_tenant_id, "--rate-limit", "100/s:500")
    key_id = (await keys(database, *words)).output.split()[2]
    assert await limit_shown(database) == "100/s:500"
    said = await keys(database, "limit", key_id, "7/s")
    assert (said.status, said.output) == (0, f"limited {key_id} to 7/s\n")
    assert await limit_shown(database) == "7/s"
    said = await keys(database, "limit", key_id, "default")
    assert said.output == f"limited {key_id} to default\n"
    assert await limit_shown(database) == "default"
    await keys(database, "limit", key_id, "7/s")
    new_key_id = (await keys(database, "rotate", key_id)).output.split()[2]
    listed = (await keys(database, "list")).output.splitlines()
    assert [line.split()[3] for line in listed if new_key_id in line] == ["7/s"]


async def limit_shown(database: str) -> str:
    """The limit of the one key that there is."""
    return (await keys(database, "list")).output.splitlines()[1].split()[3]


async def test_what_cannot_be_limited_so_is_said(database: str, merchant: Merchant) -> None:
    unknown = await keys(database, "limit", "key_" + "0" * 24, "7/s")
    assert unknown.status == 1
    assert "there is no credential key_0" in unknown.output
    for words in (("limit", "key_" + "0" * 24, "fast"), ("limit", "key", "100/s:5")):
        wrong = await keys(database, *words)
        assert wrong.status == 2
        assert "a rate limit is like 100/s" in wrong.output or "at least" in wrong.output
    assert (await keys(database, "create", "--tenant", merchant.live_tenant_id)).status == 0
