"""Every refusal of the BaaS API: status, sentence and fields, and that nothing is written."""

from collections.abc import AsyncIterator
from functools import reduce

import pytest

from tests.integration.test_errors import filled
from tests.specs.baas_client import BaasClient, failure
from tests.specs.refused_baas import ROWS
from tests.specs.running_gateway import FAST, running_gateway


@pytest.fixture
async def baas(database: str) -> AsyncIterator[BaasClient]:
    async with running_gateway(database) as gateway:
        yield BaasClient(gateway)


async def test_every_refusal_of_the_table(baas: BaasClient, subtests: pytest.Subtests) -> None:
    """One gateway for all rows, as nothing that is refused leaves anything behind."""
    names = await scene(baas)
    before = (await baas.gateway.position(), await baas.gateway.appends())
    for row in ROWS:
        with subtests.test(row.name):
            reply = await baas.call(
                row.method,
                filled(row.path, names),
                filled(row.body, names),
                data=None if row.data is None else filled_bytes(row.data, names),
                headers=FAST | filled(row.headers or {}, names),
                who=row.who,
            )
            status, message, fields = failure(reply)
            assert (status, message, tuple(fields)) == (row.status, row.message, row.fields)
            assert not [what for name, what in fields.items() if what.startswith(name)], fields
            assert (status == 401) == ("WWW-Authenticate" in reply.headers)
            assert (status == 405) == ("Allow" in reply.headers)
            assert (await baas.gateway.position(), await baas.gateway.appends()) == before


async def scene(baas: BaasClient) -> dict[str, str]:
    """What the rows' calls find, by the names that stand for it."""
    user_id, wallet_id = await baas.open_wallet("cus_1")
    friend, friend_wallet = await baas.open_wallet("cus_2")
    await baas.credit(user_id, 10, "in")
    await baas.gateway.project()
    return {
        "{user}": user_id,
        "{wallet}": wallet_id,
        "{friend}": friend,
        "{friend_wallet}": friend_wallet,
        "{key}": baas.api_key(),
    }


def filled_bytes(data: bytes, names: dict[str, str]) -> bytes:
    """The same bytes with real ids in them."""
    return reduce(lambda text, name: text.replace(name.encode(), names[name].encode()), names, data)


def test_the_names_of_the_rows_are_unique() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
