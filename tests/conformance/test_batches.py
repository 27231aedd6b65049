"""Commands that are applied all or none: one append or one decline, whoever else is at work."""

import asyncio
from collections.abc import Sequence

import pytest

from ledger.command_handling import processor
from ledger.command_handling.case import as_it_stands
from ledger.command_handling.errors import OverloadedError
from ledger.command_handling.results import rejection_of
from ledger.command_handling.submission import Settled
from schemas.commands import (
    MAX_BATCH_COMMANDS,
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    ReverseTransaction,
    TransferMoney,
)
from schemas.events import ChangeDeclined, decode_event
from schemas.rejections import (
    BatchDeclined,
    InsufficientFunds,
    NotReversible,
    ReferenceReused,
    WalletExists,
    WalletNotEmpty,
    WalletUnknown,
)
from tests.conformance.backends import Backend
from tests.specs.decider import OPENED, WALLET_ID, Given
from tests.specs.invariants import all_events, check, references_of
from tests.specs.world import Writer, submission

NOWHERE = "wal_" + "0" * 32


async def together(
    writer: Writer, commands: Sequence[Command], key: str | None = None
) -> list[Settled]:
    """Hand commands in, to be applied all or none."""
    submissions = [
        submission(command, None if key is None else f"{key}/{number}")
        for number, command in enumerate(commands)
    ]
    return list(await asyncio.gather(*writer.processor.enqueue_together(submissions)))


def out(wallet: str, amount: int, reference: str) -> DebitWallet:
    return DebitWallet(wallet_id=wallet, amount=amount, reference=reference)


async def test_all_are_applied_in_one_append(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    here, there = await writer.open_wallet("a"), await writer.open_wallet("b")
    before = (await writer.log.head()).number
    commands: list[Command] = [
        CreditWallet(wallet_id=here, amount=100, reference="in"),
        TransferMoney(from_wallet_id=here, to_wallet_id=there, amount=70, reference="move"),
        out(there, 70, "out"),
    ]
    settled = await together(writer, commands)
    assert [each.result.status for each in settled] == ["accepted"] * 3
    assert (await writer.log.head()).number == before + 1
    again = await together(writer, commands)
    assert [each.result for each in again] == [each.result for each in settled]
    assert all(each.replayed for each in again)
    await writer.stop()


async def test_one_decline_takes_the_others_back_and_is_all_that_is_written(
    backend: Backend,
) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 100, "in")
    before = await all_events(writer.log)
    commands: list[Command] = [
        out(wallet, 80, "first"),
        out(wallet, 50, "second"),
        out(wallet, 1, "third"),
    ]
    settled = await together(writer, commands)
    assert [each.result.rejection for each in settled] == [
        BatchDeclined(index=1),
        InsufficientFunds(amount=50, available=20),
        BatchDeclined(index=1),
    ]
    events = await all_events(writer.log)
    check(events)
    assert [each.type for each in events[len(before) :]] == ["wallet.debit_declined"]
    assert references_of(events) == ["in"], "no reference was consumed"
    alone = await writer.debit(wallet, 80, "first")
    assert alone.result.status == "accepted"
    await writer.stop()


async def test_what_was_declined_under_a_key_stays_declined(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    commands: list[Command] = [
        CreditWallet(wallet_id=wallet, amount=10, reference="in"),
        out(wallet, 50, "out"),
    ]
    first = await together(writer, commands, "key")
    await writer.credit(wallet, 1_000, "later")
    again = await together(writer, commands, "key")
    assert [each.result for each in again] == [each.result for each in first]
    assert all(each.replayed for each in again)
    decided_anew = await together(writer, commands)
    assert [each.result.status for each in decided_anew] == ["accepted"] * 2
    await writer.stop()


async def test_a_first_member_that_was_declined_under_its_key_stays_declined(
    backend: Backend,
) -> None:
    """Its event is in an earlier append; the repetition writes nothing."""
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    commands: list[Command] = [
        out(wallet, 50, "out"),
        CreditWallet(wallet_id=wallet, amount=60, reference="in"),
    ]
    first = await together(writer, commands, "key")
    before = await all_events(writer.log)
    again = await together(writer, commands, "key")
    assert first[0].result.rejection == InsufficientFunds(amount=50, available=0)
    assert [each.result for each in again] == [each.result for each in first]
    assert all(each.replayed for each in again)
    assert await all_events(writer.log) == before
    await writer.stop()


async def test_who_stands_beside_a_group_stands_alone(backend: Backend) -> None:
    """In one batch with it: neither a decline of the group nor one of the others undoes them."""
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    before = (await writer.log.head()).number
    alone: list[Command] = [
        out(wallet, 1, "too early"),
        CreditWallet(wallet_id=wallet, amount=5, reference="in"),
    ]
    group = [out(wallet, 2, "two"), out(wallet, 9, "nine")]
    settled = await asyncio.gather(
        *(writer.processor.enqueue(submission(each)) for each in alone),
        *writer.processor.enqueue_together([submission(each) for each in group]),
        writer.processor.enqueue(submission(out(wallet, 5, "all"))),
    )
    assert (await writer.log.head()).number == before + 1
    assert [each.result.rejection for each in settled] == [
        InsufficientFunds(amount=1, available=0),
        None,
        BatchDeclined(index=1),
        InsufficientFunds(amount=9, available=3),
        None,
    ]
    await writer.stop()


async def test_a_key_that_was_used_for_another_group_takes_no_new_member(
    backend: Backend,
) -> None:
    """What it does not stand for yet is not frozen: it can still be sent with what it was for."""
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 100, "in")
    group: list[Command] = [out(wallet, 1, "a"), out(wallet, 1, "b"), out(wallet, 1, "c")]
    first = await together(writer, group, "key")
    others: list[Command] = [
        group[0],
        out(wallet, 2, "other b"),
        out(wallet, 2, "other c"),
        out(wallet, 1, "d"),
    ]
    mixed = await together(writer, others, "key")
    reused = ReferenceReused(what="idempotency_key")
    assert mixed[0] == Settled(first[0].result, replayed=True)
    assert [each.result.rejection for each in mixed[1:]] == [reused, reused, BatchDeclined(index=1)]
    longer = await together(writer, [*group, others[3]], "key")
    assert [each.result.status for each in longer] == ["accepted"] * 4
    assert [each.replayed for each in longer] == [True, True, True, False]
    await writer.stop()


async def test_what_is_wrong_in_itself_leaves_no_trace(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 100, "in")
    before = await all_events(writer.log)
    unknown = await together(writer, [out(wallet, 1, "a"), out(NOWHERE, 1, "b")])
    assert unknown[1].result.rejection == WalletUnknown()
    reused = await together(writer, [out(wallet, 1, "a"), out(wallet, 2, "in")])
    assert reused[1].result.rejection == ReferenceReused(what="reference")
    assert await all_events(writer.log) == before
    await writer.stop()


async def test_a_group_that_left_no_trace_is_decided_anew_under_its_key(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 100, "in")
    before = await all_events(writer.log)
    for wrong in (
        out(NOWHERE, 1, "b"),
        out(wallet, 2, "in"),
        TransferMoney(from_wallet_id=wallet, to_wallet_id=wallet, amount=1, reference="t"),
    ):
        commands: list[Command] = [out(wallet, 1, "a"), wrong, out(wallet, 1, "c")]
        key = f"key of {wrong.reference}"
        first = await together(writer, commands, key)
        again = await together(writer, commands, key)

        assert [each.result.status for each in first] == ["declined"] * 3
        assert first[0].result.rejection == BatchDeclined(index=1)
        assert not isinstance(first[1].result.rejection, BatchDeclined)
        assert again == first
        assert not any(each.replayed for each in again)
    assert await all_events(writer.log) == before
    mended: list[Command] = [out(wallet, 1, "a"), out(wallet, 1, "b"), out(wallet, 1, "c")]
    accepted = await together(writer, mended, "key of b")
    assert [each.result.status for each in accepted] == ["accepted"] * 3
    await writer.stop()


async def test_a_declined_close_says_what_was_there_and_what_is(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    commands: list[Command] = [
        CreditWallet(wallet_id=wallet, amount=100, reference="in"),
        CloseWallet(wallet_id=wallet),
    ]
    first = await together(writer, commands, "key")
    assert first[1].result.rejection == WalletNotEmpty(balance=100)
    declined = decode_event("wallet.change_declined", 1, (await all_events(writer.log))[-1].data)
    assert isinstance(declined, ChangeDeclined)
    assert (declined.balance, declined.decided_on) == (0, 100)
    again = await together(writer, commands, "key")
    assert [each.result for each in again] == [each.result for each in first]
    await writer.stop()


def test_a_declined_close_names_the_balance_that_was_in_its_way() -> None:
    """Also where both wallets had as much, so that the event says it once."""
    half = 2**52
    event = ChangeDeclined(
        change="close", code="balance_limit_exceeded", balance=half, wallet_id=NOWHERE
    )
    wallet = Given(OPENED).wallets[WALLET_ID]
    after = as_it_stands(event, wallet)
    assert isinstance(after, ChangeDeclined)
    assert rejection_of(after) == rejection_of(event)


async def test_a_refusal_without_an_event_stays_with_its_group(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet("known")
    await writer.credit(wallet, 100, "in")
    declined = (await writer.debit(wallet, 999, "too much")).result.transaction
    assert declined is not None
    before = await all_events(writer.log)
    refusals: list[Command] = [
        CreateWallet(customer_id="known", currency="GHS"),
        ReverseTransaction(transaction_id=declined.id, reference="back"),
    ]
    for number, refused in enumerate(refusals):
        commands: list[Command] = [out(wallet, 1, "a"), refused]
        first = await together(writer, commands, f"key {number}")
        again = await together(writer, commands, f"key {number}")

        assert first[0].result.rejection == BatchDeclined(index=1)
        assert isinstance(first[1].result.rejection, (WalletExists, NotReversible))
        assert [each.result for each in again] == [each.result for each in first]
        assert all(each.replayed for each in again)
    assert await all_events(writer.log) == before
    await writer.stop()


async def test_a_refusal_that_came_of_what_was_undone_leaves_no_trace(backend: Backend) -> None:
    """Nobody has the wallet that it names, so it must not be what the key stands for."""
    writer = await Writer(await backend.log()).start()
    twice: list[Command] = [CreateWallet(customer_id="x", currency="GHS")] * 2
    for _ in range(2):
        settled = await together(writer, twice, "key")
        assert settled[0].result.rejection == BatchDeclined(index=1)
        assert isinstance(settled[1].result.rejection, WalletExists)
        assert not any(each.replayed for each in settled)
    assert await all_events(writer.log) == []
    wallet = await writer.open_wallet("x")
    exists = await together(writer, twice, "key")
    assert exists[0].result.rejection == WalletExists(wallet_id=wallet)
    again = await together(writer, twice, "key")
    assert [each.result for each in again] == [each.result for each in exists]
    assert all(each.replayed for each in again)
    await writer.stop()


async def test_a_group_for_which_there_is_no_room_is_not_handed_in_in_part(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "MAX_WAITING_COMMANDS", 5)
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    into = [
        submission(CreditWallet(wallet_id=wallet, amount=1, reference=f"{number}"))
        for number in range(6)
    ]
    alone = [writer.processor.enqueue(each) for each in into[:3]]
    with pytest.raises(OverloadedError):
        writer.processor.enqueue_together(into[3:])
    assert writer.processor.waiting_commands == 3
    group = writer.processor.enqueue_together(into[3:5])
    with pytest.raises(OverloadedError):
        writer.processor.enqueue(into[5])
    settled = await asyncio.gather(*alone, *group)
    assert [each.result.status for each in settled] == ["accepted"] * 5
    assert references_of(await all_events(writer.log)) == ["0", "1", "2", "3", "4"]
    await writer.stop()


async def test_a_group_is_not_torn_where_a_batch_is_full(backend: Backend) -> None:
    """And is never larger than a batch, so that no append is larger than two."""
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    before = (await writer.log.head()).number
    into = [
        submission(CreditWallet(wallet_id=wallet, amount=1, reference=f"{number}"))
        for number in range(MAX_BATCH_COMMANDS + 1)
    ]
    with pytest.raises(ValueError, match=f"{MAX_BATCH_COMMANDS + 1} commands together"):
        writer.processor.enqueue_together(into)
    alone = writer.processor.enqueue(into[0])
    settled = await asyncio.gather(alone, *writer.processor.enqueue_together(into[1:]))
    assert {each.result.status for each in settled} == {"accepted"}
    assert (await writer.log.head()).number == before + 1
    await writer.stop()


async def test_groups_of_two_writers_are_each_whole(backend: Backend) -> None:
    writers = [await Writer(await backend.log(), seed).start() for seed in range(2)]
    wallets = [await writers[0].open_wallet(f"customer {n}") for n in range(2)]
    await writers[0].credit(wallets[0], 60, "in")
    groups: list[list[Command]] = [
        [
            out(wallets[0], 5, f"out {number}"),
            CreditWallet(wallet_id=wallets[1], amount=5, reference=f"in {number}"),
        ]
        for number in range(30)
    ]
    settled = await asyncio.gather(
        *(together(writers[number % 2], group) for number, group in enumerate(groups))
    )
    accepted = [all(each.result.status == "accepted" for each in group) for group in settled]
    declined = [all(each.result.status == "declined" for each in group) for group in settled]
    assert accepted.count(True) == 12
    assert declined.count(True) == 18
    folded = check(await all_events(writers[0].log))
    balances = sorted(known.wallet.balance for known in folded.values() if known.wallet)
    assert balances == [0, 60]
    for writer in writers:
        await writer.stop()
