"""One merchant uses both contracts in random turns: they agree on every balance and history."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from schemas.identifiers import transaction_id
from tests.specs.baas_client import BaasClient, in_contract_a, uuid_of_transaction
from tests.specs.running_gateway import Reply, running_gateway

SEEDS = range(4)
TURNS = 60


@pytest.fixture
async def baas(database: str) -> AsyncIterator[BaasClient]:
    async with running_gateway(database) as gateway:
        yield BaasClient(gateway)


class Merchant:
    """Moves money of a few customers, by either contract, and keeps its own accounts."""

    def __init__(self, baas: BaasClient, chance: random.Random) -> None:
        self.baas = baas
        self.chance = chance
        self.wallets: dict[str, str] = {}
        self.balances: dict[str, int] = {}
        self.references = 0

    async def begin(self, customers: int) -> None:
        """Open the wallets."""
        for number in range(customers):
            user_id, wallet_id = await self.baas.open_wallet(f"cus_{number}")
            self.wallets[user_id] = wallet_id
            self.balances[user_id] = 0

    async def turn(self) -> None:
        """One movement, which may be declined."""
        self.references += 1
        reference = f"r{self.references}"
        amount = self.chance.randint(1, 5_000)
        one, other = self.chance.sample(sorted(self.wallets), 2)
        kind = self.chance.choice(("credit", "debit", "transfer"))
        by_b = self.chance.random() < 0.5
        move = self._transfer if kind == "transfer" else self._movement
        reply = await move(kind, one, other, amount, reference, by_b=by_b)
        if kind != "credit" and amount > self.balances[one]:
            assert reply.status == 409, reply
            return
        assert reply.status in (200, 201), reply
        self.balances[one] += amount if kind == "credit" else -amount
        if kind == "transfer":
            self.balances[other] += amount

    async def _movement(
        self, kind: str, one: str, _: str, amount: int, reference: str, *, by_b: bool
    ) -> Reply:
        if by_b:
            body: dict[str, object] = {"customer_id": one, "reference": reference}
            return await self.baas.post(f"/wallets/{kind}", body | {"amount": amount / 100})
        path = f"/wallets/{in_contract_a(self.wallets[one])}/{kind}"
        return await self.baas.gateway.post(path, {"amount": amount, "reference": reference})

    async def _transfer(
        self, _: str, one: str, other: str, amount: int, reference: str, *, by_b: bool
    ) -> Reply:
        sender, receiver = self.wallets[one], self.wallets[other]
        if by_b:
            body: dict[str, object] = {"from_wallet_id": sender, "to_wallet_id": receiver}
            more = {"amount": amount / 100, "reference": reference}
            return await self.baas.post("/wallets/transfer/bank", body | more)
        body = {"from": in_contract_a(sender), "to": in_contract_a(receiver)}
        return await self.baas.gateway.post(
            "/transfers", body | {"amount": amount, "reference": reference}
        )


async def history_of(baas: BaasClient, user_id: str) -> list[Any]:
    """Everything that contract B lists, page by page."""
    found: list[Any] = []
    page = 1
    while True:
        reply = await baas.get(f"/transactions/customer/{user_id}?page={page}&limit=7")
        assert reply.status == 200, reply
        found += reply.json["data"]
        if page >= reply.json["meta"]["totalPages"]:
            assert len(found) == reply.json["meta"]["totalItems"]
            return found
        page += 1


@pytest.mark.parametrize("seed", SEEDS)
async def test_both_contracts_tell_the_same(baas: BaasClient, seed: int) -> None:
    merchant = Merchant(baas, random.Random(seed))  # noqa: S311 - no secret
    await merchant.begin(3)
    for _ in range(TURNS):
        await merchant.turn()
    await baas.gateway.project()
    for user_id, wallet_id in merchant.wallets.items():
        wallet = in_contract_a(wallet_id)
        here = (await baas.get(f"/wallets/{user_id}")).json["data"]
        there = (await baas.gateway.get(f"/wallets/{wallet}")).json
        assert there["balance"] == merchant.balances[user_id]
        assert round(here["booked_balance"] * 100) == merchant.balances[user_id]
        listed = await history_of(baas, user_id)
        for status, name in (("completed", "COMPLETED"), ("failed", "FAILED")):
            path = f"/wallets/{wallet}/transactions?status={status}&limit=100"
            lines = (await baas.gateway.get(path)).json["data"]
            assert [
                (uuid_of_transaction(each["id"]), each["amount"], each["balance_after"])
                for each in lines
            ] == [
                (each["id"], round(each["amount"] * 100), round(each["balance_after"] * 100))
                for each in listed
                if each["status"] == name
            ]
        for each in listed:
            path = f"/transactions/customer/{user_id}/{each['reference']}"
            shown = (await baas.get(path)).json["data"]
            assert shown == {name: each[name] for name in each if name != "total_items"}
            there = await baas.gateway.get(f"/transactions/{transaction_id(_digits(each['id']))}")
            assert there.json["reference"] == each["reference"]


def _digits(uuid: str) -> str:
    return uuid.replace("-", "")
