"""Top-ups, which only the Credit Wallets API makes, as the BaaS API shows them by reference."""

from collections.abc import AsyncIterator

import pytest

from ledger.command_handling.processor import CommandProcessor
from ledger.event_log.postgres import PostgresEventLog
from services.gateway.baas.identifiers import uuid_of
from services.runtime.environment import SystemEnvironment
from tests.integration.test_gateway_topups import PAYMENTS, Payments
from tests.specs.baas_client import BaasClient, in_credit_wallets, metadata_of
from tests.specs.running_gateway import RunningGateway, running_gateway


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database, PAYMENTS) as gateway:
        yield gateway


@pytest.fixture
async def payments(database: str, gateway: RunningGateway) -> AsyncIterator[Payments]:
    log = PostgresEventLog(database)
    processor = CommandProcessor(log, SystemEnvironment())
    await processor.start()
    yield Payments(processor, gateway.merchant.sandbox_tenant_id)
    await processor.stop()
    await log.close()


async def test_top_ups_by_their_reference(gateway: RunningGateway, payments: Payments) -> None:
    """Waited for, they are pending; over without a payment, they have failed."""
    baas = BaasClient(gateway)
    user_id, wallet_id = await baas.open_wallet()
    wallet = in_credit_wallets(wallet_id)
    await baas.credit(user_id, 5, "in")
    named = await gateway.create_topup(wallet, 1_050, reference="top", metadata={"a": 1})
    nameless = await gateway.create_topup(wallet, 20)
    await gateway.project()

    shown = (await baas.get("/transactions/top")).json["data"]
    assert (shown["status"], shown["category"], shown["type"]) == ("PENDING", "TOPUP", "CREDIT")
    assert (shown["amount"], shown["balance_before"], shown["balance_after"]) == (10.5, 5, 5)
    assert (metadata_of(shown), shown["user_id"]) == ('{"a": 1}', user_id)
    own = await baas.get(f"/transactions/customer/{user_id}/{nameless}")
    assert (own.json["data"]["status"], own.json["data"]["reference"]) == ("PENDING", nameless)

    await gateway.post(f"/topups/{named}/cancel")
    await gateway.project()
    shown = (await baas.get("/transactions/top")).json["data"]
    assert (shown["status"], shown["description"]) == ("FAILED", "Top-up is not pending")

    topup = await gateway.create_topup(wallet, 300, reference="paid")
    paid = await payments.come(topup, 300, "pay_1", "NGN")
    assert paid.result.transaction is not None
    await gateway.project()
    shown = (await baas.get("/transactions/paid")).json["data"]
    assert (shown["status"], shown["amount"], shown["balance_after"]) == ("COMPLETED", 3, 8)
    assert shown["id"] == uuid_of(paid.result.transaction.id)
    listed = (await baas.get(f"/transactions/customer/{user_id}")).json["data"]
    assert [each["category"] for each in listed] == ["TOPUP", "CREDIT_CUSTOMER_WALLET"]
