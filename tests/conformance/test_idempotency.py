"""One effect for each command, however often, wherever and in whatever company it comes."""

import asyncio

import pytest

from ledger.command_handling.submission import Settled
from schemas.commands import CloseWallet, CreateWallet, CreditWallet, DebitWallet, FreezeWallet
from schemas.rejections import InsufficientFunds, ReferenceReused, WalletExists
from tests.conformance.backends import Backend
from tests.specs.invariants import all_events, check, references_of
from tests.specs.world import OTHER_TENANT, Writer


@pytest.mark.parametrize("where", ["one batch", "two batches", "two writers"])
async def test_a_reference_moves_money_once(backend: Backend, where: str) -> None:
    one = await Writer(await backend.log()).start()
    two = one if where != "two writers" else await Writer(await backend.log(), seed=2).start()
    wallet = await one.open_wallet()
    if where == "one batch":
        first, second = await asyncio.gather(
            one.credit(wallet, 500, "salary"), two.credit(wallet, 500, "salary")
        )
    else:
        first = await one.credit(wallet, 500, "salary")
        second = await two.credit(wallet, 500, "salary")
    assert (first.replayed, second.replayed) == (False, True)
    assert first.result == second.result
    events = await all_events(one.log)
    assert references_of(events) == ["salary"]
    await one.stop()
    await two.stop()


async def test_a_reference_with_other_content_is_refused_and_writes_nothing(
    backend: Backend,
) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 500, "salary")
    before = len(await all_events(writer.log))
    for command in (
        CreditWallet(wallet_id=wallet, amount=501, reference="salary"),
        CreditWallet(wallet_id=wallet, amount=500, reference="salary", description="x"),
        DebitWallet(wallet_id=wallet, amount=500, reference="salary"),
    ):
        settled = await writer.send(command)
        assert settled.result.rejection == ReferenceReused(what="reference")
    assert len(await all_events(writer.log)) == before
    await writer.stop()


async def test_a_repeat_that_would_be_declined_now_is_a_repeat(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 100, "salary")
    first = await writer.debit(wallet, 100, "rent")
    events = len(await all_events(writer.log))
    again = await writer.debit(wallet, 100, "rent")
    assert again == Settled(first.result, replayed=True)
    assert len(await all_events(writer.log)) == events
    await writer.stop()


async def test_a_declined_reference_can_be_tried_again(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    declined = await writer.debit(wallet, 100, "coffee")
    assert declined.result.rejection == InsufficientFunds(amount=100, available=0)
    await writer.credit(wallet, 100, "salary")
    accepted = await writer.debit(wallet, 100, "coffee")
    assert accepted.result.status == "accepted"
    await writer.stop()


async def test_a_decline_is_replayed_by_command_id_after_a_top_up(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    first = await writer.debit(wallet, 100, "coffee", command_id="c-1")
    await writer.credit(wallet, 100, "salary")
    again = await writer.debit(wallet, 100, "coffee", command_id="c-1")
    assert again.replayed
    assert again.result == first.result
    assert again.result.rejection == InsufficientFunds(amount=100, available=0)
    await writer.stop()


async def test_a_replay_by_reference_freezes_the_new_command_id_too(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 300, "salary")
    first = await writer.debit(wallet, 100, "coffee", command_id="c-1")
    by_reference = await writer.debit(wallet, 100, "coffee", command_id="c-2")
    by_command_id = await writer.debit(wallet, 100, "coffee", command_id="c-2")
    other = await writer.debit(wallet, 7, "tea", command_id="c-2")
    assert by_reference == by_command_id == Settled(first.result, replayed=True)
    assert other.result.rejection == ReferenceReused(what="idempotency_key")
    await writer.stop()


async def test_command_ids_freeze_answers_that_have_no_event(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    created = await writer.send(CreateWallet(customer_id="c", currency="GHS"), command_id="1")
    assert created.result.wallet is not None
    wallet = created.result.wallet.id
    exists = await writer.send(CreateWallet(customer_id="c", currency="GHS"), command_id="2")
    assert exists.result.rejection == WalletExists(wallet_id=wallet)
    await writer.send(FreezeWallet(wallet_id=wallet))
    frozen = await writer.send(FreezeWallet(wallet_id=wallet), command_id="3")
    await writer.send(CloseWallet(wallet_id=wallet))
    for command, command_id, first in (
        (CreateWallet(customer_id="c", currency="GHS"), "1", created),
        (CreateWallet(customer_id="c", currency="GHS"), "2", exists),
        (FreezeWallet(wallet_id=wallet), "3", frozen),
    ):
        again = await writer.send(command, command_id=command_id)
        assert again.replayed
        assert again.result.wallet == first.result.wallet
        assert again.result.rejection == first.result.rejection
    await writer.stop()


async def test_tenants_do_not_share_references_customers_or_wallets(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet("ama")
    theirs = await writer.send(
        CreateWallet(customer_id="ama", currency="GHS"), tenant_id=OTHER_TENANT
    )
    assert theirs.result.wallet is not None
    ours = await writer.credit(wallet, 5, "salary")
    credit = CreditWallet(wallet_id=theirs.result.wallet.id, amount=6, reference="salary")
    other = await writer.send(credit, tenant_id=OTHER_TENANT)
    stolen = await writer.send(
        DebitWallet(wallet_id=wallet, amount=1, reference="x"), tenant_id=OTHER_TENANT
    )
    assert ours.result.status == other.result.status == "accepted"
    assert stolen.result.rejection is not None
    wallets = check(await all_events(writer.log))
    assert sorted(known.wallet.balance for known in wallets.values() if known.wallet) == [5, 6]
    await writer.stop()


async def test_closing_frees_the_customers_slot_within_one_batch(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet("ama")
    _, again, third = await asyncio.gather(
        writer.send(CloseWallet(wallet_id=wallet)),
        writer.send(CreateWallet(customer_id="ama", currency="GHS")),
        writer.send(CreateWallet(customer_id="ama", currency="GHS")),
    )
    assert again.result.wallet is not None
    assert again.result.wallet.id != wallet
    assert third.result.rejection == WalletExists(wallet_id=again.result.wallet.id)
    after = await writer.send(CreateWallet(customer_id="ama", currency="GHS"))
    assert after.result.rejection == WalletExists(wallet_id=again.result.wallet.id)
    await writer.stop()
