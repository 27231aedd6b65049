"""How well customers are known, in the rows of `balances`: folded, listed, and rebuilt alike."""

from collections.abc import AsyncIterator, Sequence

import pytest

from projections.balances import read_model as balances
from schemas.events import (
    CustomerErased,
    TierRaised,
    WalletEvent,
    WalletOpened,
    WalletReviewed,
)
from schemas.identifiers import wallet_id
from schemas.results import WalletView
from tests.specs.event_factory import TENANT_ID
from tests.specs.event_streams import Stream
from tests.specs.known_customers import KNOWN, SEALED, UNDER_REVIEW
from tests.specs.read_models import Models, read_models

APPROVED = WalletReviewed(outcome="approved", bank_code="999999", account_number="0000000006")
RAISED = TierRaised(tier="TIER_TWO", identity="YmV0dGVy")
ERASED = CustomerErased(user_id=KNOWN.user_id, reason="asked for")


@pytest.fixture
async def models(database: str) -> AsyncIterator[Models]:
    async with read_models(database) as models:
        yield models


def known(models: Models, opened: WalletOpened, *events: WalletEvent) -> str:
    """A wallet with these events."""
    identifier = wallet_id(models.factory.new_id())
    models.factory.streams[identifier] = Stream(TENANT_ID)
    for event in (opened, *events):
        models.factory.record(identifier, event)
    return identifier


async def rows(models: Models) -> Sequence[WalletView]:
    """Newest first."""
    listed = await balances.list_wallets(models.connection, TENANT_ID, limit=10)
    return [each.reading.view for each in listed if each.reading.view is not None]


async def test_rows_show_what_is_known_of_their_customers(models: Models) -> None:
    plain = models.factory.open()
    one = known(models, KNOWN)
    waiting = known(models, UNDER_REVIEW)
    await models.happened()
    third, second, first = await rows(models)
    assert (first.id, first.tier, first.identity, first.is_erased) == (plain, None, None, False)
    assert (second.id, second.tier, second.account_number) == (one, "TIER_ONE", "0000000006")
    assert (second.identity, second.kyc_updated) == (SEALED, False)
    assert (third.id, third.review, third.status, third.frozen) == (
        waiting, "pending", "frozen", "all",
    )  # fmt: skip
    models.factory.record(one, RAISED)
    models.factory.record(waiting, APPROVED)
    models.factory.record(plain, ERASED)
    await models.happened()
    third, second, first = await rows(models)
    assert (second.tier, second.identity, second.kyc_updated) == ("TIER_TWO", "YmV0dGVy", True)
    assert (third.review, third.status, third.frozen) == ("approved", "active", None)
    assert third.account_number == "0000000006"
    assert (first.is_erased, first.tier) == (True, None)


async def test_all_of_it_in_one_batch_is_the_same(models: Models) -> None:
    known(models, KNOWN, RAISED, ERASED)
    await models.happened()
    (row,) = await rows(models)
    assert (row.tier, row.identity, row.is_erased, row.kyc_updated) == (
        "TIER_TWO", None, True, True,
    )  # fmt: skip


async def test_an_erased_identity_is_not_in_the_table(models: Models) -> None:
    wallet = known(models, KNOWN)
    await models.happened()
    models.factory.record(wallet, ERASED)
    await models.happened()
    text = await models.connection.fetchval("SELECT string_agg(b::text, '') FROM balances AS b")
    assert SEALED not in text
