"""Top-ups: a payment counts once, whoever tells of it and how often, and none is ever lost."""

import asyncio
from datetime import timedelta

from ledger.command_handling.snapshots import SNAPSHOT_EVERY_EVENTS
from ledger.command_handling.submission import Settled
from schemas.commands import (
    CancelTopup,
    CloseWallet,
    Command,
    CompleteTopup,
    CreateTopup,
    ExpireDue,
    FreezeWallet,
    ReverseTransaction,
)
from schemas.events import RecordedEvent
from schemas.rejections import (
    BatchDeclined,
    NotReversible,
    PaymentMismatch,
    TopupAlreadyPaid,
    TopupNotPending,
    TopupUnknown,
    WalletClosed,
)
from schemas.results import TopupView
from tests.conformance.backends import Backend
from tests.specs.invariants import all_events, check
from tests.specs.world import OTHER_TENANT, Writer, snapshots_are_saved, submission

SHOP = "https://shop.example/thanks"
NOWHERE = "top_" + "0" * 31 + "1"


def asked(wallet: str, amount: int = 70, reference: str | None = None) -> CreateTopup:
    return CreateTopup(wallet_id=wallet, amount=amount, redirect_url=SHOP, reference=reference)


def paid(topup: TopupView, payment: str = "pay 1", amount: int = 70) -> CompleteTopup:
    return CompleteTopup(topup_id=topup.id, payment_id=payment, amount=amount, currency="GHS")


async def writers(backend: Backend, count: int) -> list[Writer]:
    return [await Writer(await backend.log(), seed).start() for seed in range(count)]


async def pending(writer: Writer, wallet: str, amount: int = 70) -> TopupView:
    """Ask for a payment."""
    topup = (await writer.send(asked(wallet, amount))).result.topup
    assert topup is not None
    return topup


async def opened(writer: Writer) -> tuple[str, TopupView]:
    """A wallet of which a payment is asked for."""
    wallet = await writer.open_wallet()
    return wallet, await pending(writer, wallet)


async def booked(writer: Writer, wallet: str) -> int:
    """The balance, folded from the log."""
    for key, known in check(await all_events(writer.log)).items():
        if key.stream_id == wallet and known.wallet is not None:
            return known.wallet.balance
    raise AssertionError(f"there is no {wallet}")


async def types_since(writer: Writer, before: list[RecordedEvent]) -> list[str]:
    return [each.type for each in (await all_events(writer.log))[len(before) :]]


async def end(*all_of_them: Writer) -> None:
    for writer in all_of_them:
        await writer.stop()


async def test_a_payment_told_again_and_again_in_one_batch_is_credited_once(
    backend: Backend,
) -> None:
    (writer,) = await writers(backend, 1)
    wallet, topup = await opened(writer)
    before, head = await all_events(writer.log), await writer.log.head()
    settled = await asyncio.gather(*(writer.send(paid(topup)) for _ in range(5)))
    assert [each.result.status for each in settled] == ["accepted"] * 5
    assert [each.result.transaction is not None for each in settled] == [True, *[False] * 4]
    assert all(each.result.wallet and each.result.wallet.balance == 70 for each in settled[1:])
    assert (await writer.log.head()).number == head.number + 1, "it was one batch"
    assert await types_since(writer, before) == ["wallet.topped_up"]
    assert await booked(writer, wallet) == 70
    await end(writer)


async def test_a_payment_told_again_later_is_credited_once(backend: Backend) -> None:
    one, other = await writers(backend, 2)
    wallet, topup = await opened(one)
    before = await all_events(one.log)
    first = (await one.send(paid(topup), command_id="told 1")).result
    assert first.transaction is not None
    assert (first.transaction.type, first.transaction.kind) == ("topup", "topup")
    assert (first.transaction.topup_id, first.transaction.payment_id) == (topup.id, "pay 1")
    assert (first.transaction.reference, first.transaction.balance_after) == (topup.id, 70)
    for number, writer in enumerate((one, other, one), start=2):
        again = (await writer.send(paid(topup), command_id=f"told {number}")).result
        assert (again.status, again.position) == ("accepted", None)
        assert again.wallet is not None
        assert again.wallet.balance == 70
    assert await types_since(one, before) == ["wallet.topped_up"]
    assert await booked(one, wallet) == 70
    await end(one, other)


async def test_a_payment_told_to_several_writers_at_once_is_credited_once(
    backend: Backend,
) -> None:
    several = await writers(backend, 3)
    wallet, topup = await opened(several[0])
    before = await all_events(several[0].log)
    settled: list[Settled] = await asyncio.gather(
        *(writer.send(paid(topup)) for _ in range(4) for writer in several)
    )
    assert {each.result.status for each in settled} == {"accepted"}
    assert sum(each.result.transaction is not None for each in settled) == 1
    assert await types_since(several[0], before) == ["wallet.topped_up"]
    assert await booked(several[0], wallet) == 70
    await end(*several)


async def test_of_two_payments_that_race_one_is_credited_and_one_is_kept(
    backend: Backend,
) -> None:
    several = await writers(backend, 2)
    wallet, topup = await opened(several[0])
    settled: list[Settled] = await asyncio.gather(
        *(
            writer.send(paid(topup, f"pay {number}"))
            for number, writer in enumerate(several)
            for _ in range(3)
        )
    )
    refused = [each.result for each in settled if each.result.status == "declined"]
    assert [each.rejection for each in refused] == [TopupAlreadyPaid(topup_id=topup.id)]
    assert refused[0].transaction is not None
    assert (refused[0].transaction.status, refused[0].transaction.type) == ("failed", "topup")
    assert refused[0].transaction.code == "topup_already_paid"
    kinds = [each.type for each in await all_events(several[0].log)]
    assert (kinds.count("wallet.topped_up"), kinds.count("wallet.topup_unapplied")) == (1, 1)
    assert await booked(several[0], wallet) == 70
    named = [each.result.transaction.id for each in settled if each.result.transaction]
    assert len(named) == 2
    for transaction in named:
        back = ReverseTransaction(transaction_id=transaction, reference=f"back {transaction}")
        refusal = (await several[1].send(back)).result.rejection
        assert refusal == NotReversible(transaction_id=transaction)
    await end(*several)


async def test_a_payment_that_comes_late_is_credited(backend: Backend) -> None:
    (writer,) = await writers(backend, 1)
    wallet, topup = await opened(writer)
    cancelled = (await writer.send(CancelTopup(topup_id=topup.id))).result.topup
    assert cancelled is not None
    assert (cancelled.status, cancelled.created_at) == ("cancelled", topup.created_at)
    assert (await writer.send(CancelTopup(topup_id=topup.id))).result.rejection == TopupNotPending(
        topup_id=topup.id
    )
    soon = (await all_events(writer.log))[-1].recorded_at + timedelta(milliseconds=200)
    brief = CreateTopup(wallet_id=wallet, amount=5, redirect_url=SHOP, expires_at=soon)
    short = (await writer.send(brief)).result.topup
    assert short is not None
    while (await all_events(writer.log))[-1].recorded_at < soon:
        await asyncio.sleep(0.02)
        await writer.credit(wallet, 1, f"tick {asyncio.get_running_loop().time()}")
    await writer.send(ExpireDue(wallet_id=wallet))
    before, had = await all_events(writer.log), await booked(writer, wallet)
    assert [each.type for each in before].count("wallet.topup_ended") == 2
    late = await asyncio.gather(
        writer.send(paid(topup)), writer.send(paid(short, "pay 2", amount=5))
    )
    assert [each.result.status for each in late] == ["accepted"] * 2
    assert await types_since(writer, before) == ["wallet.topped_up"] * 2
    assert await booked(writer, wallet) == had + 75
    await end(writer)


async def test_a_payment_for_a_closed_wallet_is_kept_and_moves_nothing(backend: Backend) -> None:
    one, other = await writers(backend, 2)
    wallet, topup = await opened(one)
    await one.send(CloseWallet(wallet_id=wallet))
    before = await all_events(one.log)
    assert before[-2].type == "wallet.topup_ended"
    kept = (await other.send(paid(topup))).result
    assert kept.rejection == WalletClosed()
    assert kept.transaction is not None
    assert (kept.transaction.status, kept.transaction.amount) == ("failed", 70)
    again = (await one.send(paid(topup))).result
    assert (again.status, again.position) == ("accepted", None)
    assert await types_since(one, before) == ["wallet.topup_unapplied"]
    assert await booked(one, wallet) == 0
    await end(one, other)


async def test_every_answer_is_given_again_under_its_command_id(backend: Backend) -> None:
    one, other = await writers(backend, 2)
    wallet = await one.open_wallet()
    topup = await pending(one, wallet)
    second = await pending(one, wallet)
    commands: list[Command] = [
        asked(wallet, reference="asked"),
        CompleteTopup(topup_id=topup.id, payment_id="wrong", amount=70, currency="USD"),
        paid(topup, "short", amount=69),
        paid(topup),
        paid(topup, "twice"),
        paid(topup),
        CancelTopup(topup_id=second.id),
        CancelTopup(topup_id=second.id),
        CancelTopup(topup_id=topup.id),
    ]
    first = [await one.send(each, command_id=str(n)) for n, each in enumerate(commands)]
    assert not any(each.replayed for each in first)
    mismatch = PaymentMismatch(amount=70, currency="GHS")
    assert [each.result.rejection for each in first] == [
        None,
        mismatch,
        mismatch,
        None,
        TopupAlreadyPaid(topup_id=topup.id),
        None,
        None,
        TopupNotPending(topup_id=second.id),
        TopupNotPending(topup_id=topup.id),
    ]
    await one.send(FreezeWallet(wallet_id=wallet, scope="all"))
    before = await all_events(one.log)
    for writer in (one, other):
        again = [await writer.send(each, command_id=str(n)) for n, each in enumerate(commands)]
        assert all(each.replayed for each in again)
        assert [each.result for each in again] == [each.result for each in first]
    by_reference = await other.send(asked(wallet, reference="asked"))
    assert by_reference.replayed
    assert by_reference.result == first[0].result
    assert await all_events(one.log) == before
    await end(one, other)


async def test_a_topup_is_known_to_another_writer_and_to_no_other_tenant(
    backend: Backend,
) -> None:
    one, other = await writers(backend, 2)
    _, topup = await opened(one)
    before = await all_events(one.log)
    for command in (paid(topup), CancelTopup(topup_id=topup.id)):
        stranger = await other.send(command, tenant_id=OTHER_TENANT, command_id="stranger's")
        assert stranger.result.rejection == TopupUnknown()
    nothing = CompleteTopup(topup_id=NOWHERE, payment_id="pay", amount=1, currency="GHS")
    assert (await other.send(nothing)).result.rejection == TopupUnknown()
    assert await all_events(one.log) == before
    assert (await other.send(paid(topup))).result.status == "accepted"
    await end(one, other)


async def test_what_a_group_takes_back_was_not_paid(backend: Backend) -> None:
    (writer,) = await writers(backend, 1)
    wallet, topup = await opened(writer)
    before = await all_events(writer.log)
    group = [submission(each) for each in (paid(topup), paid(topup, "pay 2"))]
    settled = await asyncio.gather(
        *writer.processor.enqueue_together(group),
        writer.processor.enqueue(submission(paid(topup))),
    )
    assert [each.result.rejection for each in settled] == [
        BatchDeclined(index=1),
        TopupAlreadyPaid(topup_id=topup.id),
        None,
    ]
    assert settled[2].result.transaction is not None
    assert await types_since(writer, before) == ["wallet.topup_unapplied", "wallet.topped_up"]
    assert await booked(writer, wallet) == 70
    await end(writer)


async def test_what_is_pending_is_in_a_snapshot_and_without_one_in_the_events(
    backend: Backend,
) -> None:
    (writer,) = await writers(backend, 1)
    wallet, topup = await opened(writer)
    for number in range(SNAPSHOT_EVERY_EVENTS + 5):
        await writer.credit(wallet, 1, f"{number}")
    await snapshots_are_saved()
    with_snapshot = await Writer(await backend.log(), 5).start()
    another = await pending(with_snapshot, wallet)
    assert (await with_snapshot.send(CancelTopup(topup_id=topup.id))).result.topup is not None
    await backend.drop_snapshots()
    without = await Writer(await backend.log(), 6).start()
    refused = (await without.send(CancelTopup(topup_id=topup.id))).result.rejection
    assert refused == TopupNotPending(topup_id=topup.id)
    assert (await without.send(CancelTopup(topup_id=another.id))).result.topup is not None
    await end(writer, with_snapshot, without)
