"""One effect for each command, however often, wherever and in whatever company it comes."""

import asyncio
from datetime import UTC, datetime

import pytest

from ledger.command_handling.submission import Settled
from schemas.commands import (
    CancelTopup,
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    ReverseTransaction,
    TransferMoney,
    VoidHold,
)
from schemas.identifiers import user_id_of
from schemas.rejections import (
    CurrencyMismatch,
    CustomerIdConflict,
    ExpiryNotAhead,
    HoldUnknown,
    InsufficientFunds,
    ReferenceReused,
    Rejection,
    SameWallet,
    TopupUnknown,
    TransactionUnknown,
    WalletExists,
    WalletUnknown,
)
from tests.conformance.backends import Backend
from tests.specs.invariants import all_events, check, references_of
from tests.specs.world import OTHER_TENANT, TENANT, Writer


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


async def test_a_command_id_stays_free_where_its_reference_was_reused(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 500, "salary")
    for _ in range(2):
        refused = await writer.debit(wallet, 5, "salary", command_id="c-1")
        assert refused.result.rejection == ReferenceReused(what="reference")
    mended = await writer.debit(wallet, 5, "rent", command_id="c-1")
    assert mended.result.status == "accepted"
    await writer.stop()


async def test_a_command_id_stays_free_where_the_command_was_wrong_in_itself(
    backend: Backend,
) -> None:
    """Whatever the wallet's state: what is frozen is only what a wallet has decided."""
    writer = await Writer(await backend.log()).start()
    wallet, naira = await writer.open_wallet(), await writer.open_wallet(currency="NGN")
    nowhere = "0" * 32
    await writer.credit(wallet, 500, "salary")
    past = datetime(2020, 1, 1, tzinfo=UTC)
    wrong: list[tuple[Command, Rejection]] = [
        (
            CreditWallet(wallet_id=wallet, amount=1, reference="r", expires_at=past),
            ExpiryNotAhead(),
        ),
        (
            TransferMoney(from_wallet_id=wallet, to_wallet_id=naira, amount=1, reference="r"),
            CurrencyMismatch(),
        ),
        (
            TransferMoney(from_wallet_id=wallet, to_wallet_id=wallet, amount=1, reference="r"),
            SameWallet(),
        ),
        (DebitWallet(wallet_id=f"wal_{nowhere}", amount=1, reference="r"), WalletUnknown()),
        (VoidHold(hold_id=f"hol_{nowhere}"), HoldUnknown()),
        (CancelTopup(topup_id=f"top_{nowhere}"), TopupUnknown()),
        (
            ReverseTransaction(transaction_id=f"txn_{nowhere}", reference="r"),
            TransactionUnknown(),
        ),
    ]
    before = await all_events(writer.log)
    for command, rejection in wrong:
        for _ in range(2):
            refused = await writer.send(command, command_id="c-1")
            assert (refused.result.rejection, refused.replayed) == (rejection, False)
    assert await all_events(writer.log) == before
    mended = await writer.debit(wallet, 5, "r", command_id="c-1")
    assert mended.result.status == "accepted"
    await writer.stop()


async def test_a_repeat_that_would_be_declined_now_is_a_repeat(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 100, "salary")
    first = await writer.debit(wallet, 100, "rent")
    before = await writer.log.head()
    again = await writer.debit(wallet, 100, "rent")
    assert again == Settled(first.result, replayed=True)
    assert await writer.log.head() == before, "not even an empty append"
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
    assert created.result.position == (await writer.log.head()).last_position
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


async def test_two_customers_of_one_batch_are_not_known_by_one_user_id(backend: Backend) -> None:
    """A customer id that is a UUID stands for itself, and may be what another one leads to."""
    writer = await Writer(await backend.log()).start()
    user_id = user_id_of(TENANT, "ama")
    first, second = await asyncio.gather(
        writer.send(CreateWallet(customer_id="ama", currency="GHS")),
        writer.send(CreateWallet(customer_id=user_id, currency="NGN")),
    )
    assert first.result.status == "accepted"
    assert isinstance(second.result.rejection, CustomerIdConflict)
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
