"""Whatever is killed, or loses a race, leaves nothing for long: `ledger vault reconcile` finds it.

Time passes here by changing when files and keys were made.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from services.customers import leftovers
from services.runtime.environment import SystemEnvironment
from services.runtime.settings import SecretText
from services.runtime.sql import load_statement
from services.scheduler import metrics
from services.scheduler.upkeep import Upkeep
from services.vault.customer import Customer
from tests.specs.baas_client import baas_with_vault, in_credit_wallets
from tests.specs.customers_line import Line, at_tier_three
from tests.specs.form_server import form, head
from tests.specs.people import TIER_ONE, TIER_THREE
from tests.specs.pictures import png
from tests.specs.vault_line import somebody

PERSON = {name: str(value) for name, value in TIER_THREE.items()}
LEDGER = ("-m", "services.command_line")
pytestmark = pytest.mark.long


DIES_BEFORE_DELETING = """
import os, signal
from services.vault.document_store import FileDocumentStore
async def die(self, name):
    os.kill(os.getpid(), signal.SIGKILL)
FileDocumentStore.delete = die
from services.command_line.main import main
main()
"""
DIES_WITH_A_BILL_KEPT = """
import os, signal
from services.gateway.baas.sealed_people import SealedPeople
async def die(self, *_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
SealedPeople.seal = die
from services.command_line.main import main
main()
"""


@pytest.fixture
async def line(database: str, empty_database: str, tmp_path: Path) -> AsyncIterator[Line]:
    async with baas_with_vault(database, empty_database, tmp_path) as baas:
        yield Line(baas, database)


def grow_old(paths: list[Path]) -> None:
    """Two hours pass for files."""
    for path in paths:
        os.utime(path, (time.time() - 7200,) * 2)


async def pass_an_hour(line: Line) -> None:
    """An hour passes for keys, and for marks on them."""
    connection = await asyncpg.connect(line.baas.vault.settings.require_vault_database_url())
    try:
        await connection.execute(
            "UPDATE customer_keys SET created_at = created_at - interval '61 minutes', "
            "unused_since = unused_since - interval '61 minutes' WHERE destroyed_at IS NULL"
        )
    finally:
        await connection.close()


async def reconciled(line: Line) -> list[str]:
    """What the command has removed: keys, documents, uploads."""
    ended = await line.run("vault", "reconcile")
    assert ended.status == 0, ended
    return [said.rsplit(" ", 2)[1] for said in ended.output.splitlines()[-3:]]


async def keys(line: Line) -> int:
    """How many keys there are."""
    living = "SELECT 1 FROM customer_keys WHERE wrapped_key IS NOT NULL"
    return len(await line.baas.vault.fetch(living))


async def connected(port: int) -> asyncio.StreamWriter:
    """A connection, once somebody listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            return writer


async def a_gateway_that_dies(line: Line, program: tuple[str, ...], body: bytes) -> None:
    """A gateway process that is sent this of a form, and is killed: by itself, or on the way."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    before = len(line.documents())
    process = await line.begin(program, "gateway", LEDGER_HTTP_PORT=str(port))
    async with asyncio.timeout(60):
        writer = await connected(port)
        whole = form(PERSON, png(picture=b"x" * 500_000))
        start = head(len(whole), X_API_Key=line.baas.api_key())
        writer.write(start.replace(b"POST / ", b"POST /baas/v1/wallets/tier-3 ") + body)
        await writer.drain()
        if len(body) < len(whole):
            while len(line.documents()) == before:  # noqa: ASYNC110 - files tell nobody
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
        writer.close()


async def test_an_erasure_killed_before_the_bill_was_removed(line: Line) -> None:
    """The key is gone, and with it who has which bill; but the bill is nobody's any more."""
    erased = await at_tier_three(line.baas)
    other = await at_tier_three(line.baas, bvn="22222222223")
    program = ("-c", DIES_BEFORE_DELETING)
    process = await line.begin(program, "customers", "erase", erased["user_id"], "--yes")
    assert await process.wait() == -signal.SIGKILL
    assert (await keys(line), len(line.documents())) == (1, 2)
    assert (await line.erase(erased["user_id"])).output.endswith("documents  0 removed\n")
    assert await reconciled(line) == ["0", "0", "0"]

    grow_old(line.documents())

    assert await reconciled(line) == ["0", "1", "0"]
    assert len(line.documents()) == 1
    await line.baas.gateway.project()
    path = f"/reviews/{in_credit_wallets(other['id'])}/utility-bill"
    reply = await line.baas.gateway.get(path, who="admin")
    assert (reply.status, reply.body) == (200, png())
    assert await reconciled(line) == ["0", "0", "0"]


async def test_an_upload_killed_midway(line: Line) -> None:
    whole = form(PERSON, png(picture=b"x" * 500_000))
    await a_gateway_that_dies(line, LEDGER, whole[:300_000])
    (broken,) = line.documents()
    assert broken.name.endswith(".new")
    assert await reconciled(line) == ["0", "0", "0"]
    grow_old([broken])
    assert await reconciled(line) == ["0", "0", "1"]
    assert line.documents() == []


async def test_an_enrolment_killed_when_the_bill_was_kept(line: Line) -> None:
    """What came in and what was kept of it lie there; the key is nobody's."""
    known = (await line.baas.post("/wallets", TIER_ONE | {"bvn": "22222222229"})).json["data"]
    whole = form(PERSON, png(picture=b"x" * 500_000))
    await a_gateway_that_dies(line, ("-c", DIES_WITH_A_BILL_KEPT), whole)
    assert (await keys(line), len(line.documents())) == (2, 2)
    assert await reconciled(line) == ["0", "0", "0"]

    grow_old(line.documents())
    await pass_an_hour(line)
    assert await reconciled(line) == ["0", "2", "0"]
    await pass_an_hour(line)
    assert await reconciled(line) == ["1", "0", "0"]

    assert (await keys(line), line.documents()) == (1, [])
    shown = await line.baas.get(f"/wallets/{known['user_id']}")
    assert shown.json["data"]["account_name"] == known["account_name"]


async def test_enrolments_that_lost_a_race_leave_no_keys(line: Line) -> None:
    replies = await asyncio.gather(*(at_tier_three(line.baas) for _ in range(6)))
    assert len({reply["id"] for reply in replies}) == 1
    for _ in range(3):
        await pass_an_hour(line)
        await reconciled(line)
    assert (await keys(line), len(line.documents())) == (1, 1)
    wallet = in_credit_wallets(replies[0]["id"])
    assert (await line.baas.gateway.get(f"/reviews/{wallet}", who="admin")).status == 200


async def test_a_key_that_is_used_after_all_stays(line: Line) -> None:
    """Somebody may repeat after hours what was declined or broken off."""
    await line.baas.post("/wallets", TIER_ONE)
    person = Customer(
        tenant_id=line.baas.gateway.merchant.sandbox_tenant_id, user_id=somebody().user_id
    )
    async with line.baas.vault.open() as vault:
        await vault.obtain_key(person)
        await pass_an_hour(line)
        assert await reconciled(line) == ["0", "0", "0"]
        await pass_an_hour(line)
        await vault.obtain_key(person)
        assert await reconciled(line) == ["0", "0", "0"]
        assert await keys(line) == 2
        await pass_an_hour(line)
        assert await reconciled(line) == ["1", "0", "0"]
        # It is no erasure: there is a new one for who asks again.
        assert await vault.find_key(person) is None
        await vault.obtain_key(person)
    assert await keys(line) == 2


async def test_with_another_log_nothing_is_removed(line: Line, other_database: str) -> None:
    await at_tier_three(line.baas)
    grow_old(line.documents())
    for _ in range(3):
        await pass_an_hour(line)
        ended = await line._replace(database=other_database).run("vault", "reconcile")
        assert "left as it is    the log names nobody whose key the vault has" in ended.output
    assert (await keys(line), len(line.documents())) == (1, 1)


async def test_with_another_log_no_settled_customers_bill_is_removed(
    line: Line, other_database: str
) -> None:
    """Of keys there is nothing to ask any more."""
    await at_tier_three(line.baas)
    await pass_an_hour(line)
    assert await reconciled(line) == ["0", "0", "0"]
    grow_old(line.documents())
    ended = await line._replace(database=other_database).run("vault", "reconcile")
    assert "left as it is    the log names nobody whose key the vault has" in ended.output
    assert len(line.documents()) == 1


async def test_without_somebodys_key_no_document_is_removed(line: Line) -> None:
    """It cannot be told what is theirs; a backup of the keys may still come."""
    first = await at_tier_three(line.baas)
    rows = await line.baas.vault.copy_rows()
    await at_tier_three(line.baas, bvn="22222222223")
    grow_old(line.documents())
    await line.baas.vault.put_back(rows)
    ended = await line.run("vault", "reconcile")
    assert "left as it is    the vault lacks keys" in ended.output
    assert first["user_id"] not in ended.output
    assert len(line.documents()) == 2


async def spoil_seal(line: Line, user_id: str, sealed: str) -> None:
    """Let the log have something else in place of what was sealed of a customer."""
    connection = line.baas.gateway.connection
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            "UPDATE events AS e SET data = "
            "jsonb_set(e.data::jsonb, '{identity}', to_jsonb($2::text))::json "
            "FROM wallets AS w JOIN customers AS c USING (tenant_id, customer_id) "
            "WHERE w.tenant_id = e.tenant_id AND w.wallet_id = e.stream_id "
            "AND c.user_id = $1 AND (e.data ->> 'identity') IS NOT NULL",
            *(UUID(user_id), sealed),
        )


@pytest.mark.parametrize("spoiled", ["the key", "c3BvaWxlZA==", "c3BvaWxlZ"])
async def test_a_customer_who_cannot_be_read_any_more_is_in_the_way_until_erased(
    line: Line, spoiled: str
) -> None:
    """Nothing has to be readable to be forgotten, and the bill goes with what is left over."""
    user_id = (await at_tier_three(line.baas))["user_id"]
    other = await at_tier_three(line.baas, bvn="22222222223")
    grow_old(line.documents())
    if spoiled == "the key":
        await line.baas.vault.spoil_key(user_id)
    else:
        await spoil_seal(line, user_id, spoiled)
    ended = await line.run("vault", "reconcile")
    what = "the key" if spoiled == "the key" else "what is sealed"
    assert f"left as it is    {what} of customer {user_id} of " in ended.output
    assert (ended.status, len(line.documents())) == (0, 2)

    ended = await line.erase(user_id)

    assert ended.status == 0, ended
    assert ended.output.endswith("key        destroyed\ndocuments  0 removed\n")
    assert await reconciled(line) == ["0", "1", "0"]
    assert (await keys(line), len(line.documents())) == (1, 1)
    shown = await line.baas.get(f"/wallets/{other['user_id']}")
    assert shown.json["data"]["account_name"] == other["account_name"]


async def test_who_is_at_tier_three_is_found_by_an_index(line: Line) -> None:
    """Among all the events of the log these are few."""
    connection = line.baas.gateway.connection
    statement = load_statement(leftovers.__file__, "read_tier_three")
    async with connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")
        explained = await connection.fetch(f"EXPLAIN {statement}", 0, 500)
    plan = "\n".join(row[0] for row in explained)
    assert "Index Scan using tier_three on events" in plan, plan


async def test_the_scheduler_does_the_same(line: Line, database: str) -> None:
    settings = replace(line.baas.vault.settings, database_url=SecretText(database))
    upkeep = Upkeep(settings, SystemEnvironment())
    wallet = await at_tier_three(line.baas)
    grow_old(line.documents())
    assert await upkeep.is_done()
    assert len(line.documents()) == 1
    program = ("-c", DIES_BEFORE_DELETING)
    process = await line.begin(program, "customers", "erase", wallet["user_id"], "--yes")
    await process.wait()
    count = metrics.REMOVED.labels("document")._value.get()
    assert await upkeep.is_done()
    assert line.documents() == []
    assert metrics.REMOVED.labels("document")._value.get() == count + 1

    nowhere = replace(settings, vault_database_url=SecretText(f"{database}_nowhere"))
    assert not await Upkeep(nowhere, SystemEnvironment()).is_done()


async def test_where_there_is_no_vault_nothing_is_kept_up(line: Line, database: str) -> None:
    settings = replace(
        line.baas.vault.settings, database_url=SecretText(database), vault_database_url=None
    )
    async with asyncio.timeout(1):
        await Upkeep(settings, SystemEnvironment()).run()
