"""Nothing of a person is in clear: in no table, no Kafka log, no line that a process logs."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.specs.form_server import BOUNDARY, form
from tests.specs.people import PERSONAL_STRINGS, TIER_ONE, TIER_THREE, TIER_TWO
from tests.specs.pictures import png
from tests.specs.running_stack import RunningStack

FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


@pytest.fixture
async def session(stack: RunningStack) -> AsyncIterator[aiohttp.ClientSession]:
    key = {"X-API-Key": stack.sandbox["API_KEY"]}
    async with aiohttp.ClientSession(f"{stack.url}/baas/v1/", headers=key) as session:
        yield session


async def test_nothing_of_a_person_is_in_clear(
    stack: RunningStack, session: aiohttp.ClientSession
) -> None:
    async def sent(path: str, expected: int, **body: object) -> None:
        async with session.post(path, **body) as answer:  # type: ignore[arg-type]
            assert answer.status == expected, await answer.text()

    # Numbers of this test's own: others enrol people on the same stack.
    one = TIER_ONE | {"bvn": "22222222231"}
    await sent("wallets", 201, json=one)
    await sent("wallets", 422, json=one | {"email": "ngozi@other.example"})
    await sent("wallets", 400, json=TIER_ONE | {"phone_number": None, "bvn": "2222222222x"})
    await sent("wallets/tier-2", 201, json=TIER_TWO | {"bvn": "22222222232"})
    await sent("wallets/tier-2", 503, json=TIER_TWO | {"bvn": "22200000503"})
    person = {name: str(value) for name, value in TIER_THREE.items()}
    bill = png(picture=b"Marina Road" * 100)
    body = form(person | {"bvn": "22222222233"}, bill)
    await sent("wallets/tier-3", 201, data=body, headers=FORM)
    await sent("wallets/tier-3", 400, data=body[:-30], headers=FORM)
    await stack.wait_until_caught_up()
    async with session.get("wallets?limit=100") as answer:
        assert "Ngozi" in await answer.text()

    databases = [stack.sandbox["DATABASE_URL"], stack.sandbox["VAULT_DATABASE_URL"]]
    dumps = [await dump(dsn) for dsn in databases]
    assert "wallet.opened" in dumps[0]
    files = [path.read_bytes() for path in kept_files(stack.home)]
    assert any(b"wallet.opened" in content for content in files)
    everything = [each.encode() for each in dumps] + [*files, stack.said().encode()]
    numbers = ("22222222231", "22222222232", "22222222233")
    for personal in (*PERSONAL_STRINGS, *numbers):
        assert not any(personal.lower().encode() in each.lower() for each in everything), personal


async def dump(dsn: str) -> str:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(
            "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'"
        )
        rows = [
            await connection.fetch(f"SELECT t::text FROM {name} AS t")  # noqa: S608
            for (name,) in tables
        ]
    finally:
        await connection.close()
    return "\n".join(row[0] for of_table in rows for row in of_table)


def kept_files(home: Path) -> list[Path]:
    """What Kafka and the processes have written: all files but PostgreSQL's own."""
    return [
        path
        for path in home.rglob("*")
        if path.is_file() and "postgres" not in path.relative_to(home).parts[0]
    ]
