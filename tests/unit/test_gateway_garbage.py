"""A call leaves nothing for the garbage collector, whose rounds stop everything meanwhile."""

import gc

from services.gateway.calls import Call
from tests.specs.memory_gateway import memory_gateway

CALLS = 20


async def test_a_call_is_freed_when_it_is_answered() -> None:
    async with memory_gateway() as gateway:
        wallet = await gateway.open_wallet()
        gc.collect()
        gc.disable()
        try:
            for number in range(CALLS):
                credit = {"type": "credit", "wallet_id": wallet, "amount": 1}
                reply = await gateway.batch({"commands": [credit | {"reference": f"{number}"}]})
                assert reply.status == 200
            left = sum(isinstance(each, Call) for each in gc.get_objects())
        finally:
            gc.enable()
    assert left <= 1, "the last may still be on its way out"
