"""Commands that name what was before, or two wallets: one effect, whoever else is at work."""

import asyncio
from datetime import timedelta

from ledger.command_handling.submission import Settled
from schemas.commands import (
    CaptureHold,
    CloseWallet,
    CreateTopup,
    CreditWallet,
    ExpireDue,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    VoidHold,
)
from schemas.rejections import (
    HoldUnknown,
    InsufficientFunds,
    ReversalExceedsTransaction,
    TransactionUnknown,
    WalletUnknown,
)
from tests.conformance.backends import Backend
from tests.specs.invariants import all_events, check
from tests.specs.world import OTHER_TENANT, Writer

NOWHERE = "0" * 31 + "1"


async def balances(writer: Writer) -> dict[str, tuple[int, int]]:
    """Booked and available of every wallet, folded from the log."""
    folded = check(await all_events(writer.log))
    return {
        known.wallet.wallet_id: (known.wallet.balance, known.wallet.available)
        for known in folded.values()
        if known.wallet is not None
    }


async def held(writer: Writer, wallet: str, amount: int, reference: str) -> str:
    """Place a hold and name it."""
    hold = PlaceHold(wallet_id=wallet, amount=amount, reference=reference)
    settled = await writer.send(hold)
    assert settled.result.hold is not None, settled
    return settled.result.hold.id


async def test_captures_and_voids_of_one_hold_have_one_winner(backend: Backend) -> None:
    writers = [await Writer(await backend.log(), seed).start() for seed in range(3)]
    wallet = await writers[0].open_wallet()
    await writers[0].credit(wallet, 100, "in")
    hold = await held(writers[0], wallet, 60, "hold")
    attempts: list[Settled] = await asyncio.gather(
        *(
            writer.send(command)
            for writer in writers
            for command in (CaptureHold(hold_id=hold), VoidHold(hold_id=hold))
        )
    )
    winners = [each for each in attempts if each.result.status == "accepted"]
    assert len(winners) == 1
    expected = (40, 40) if winners[0].result.transaction else (100, 100)
    assert (await balances(writers[0]))[wallet] == expected
    for writer in writers:
        await writer.stop()


async def test_a_hold_is_known_to_another_writer_and_to_no_other_tenant(
    backend: Backend,
) -> None:
    placing, capturing = [await Writer(await backend.log(), seed).start() for seed in (1, 2)]
    wallet = await placing.open_wallet()
    await placing.credit(wallet, 100, "in")
    hold = await held(placing, wallet, 60, "hold")
    stranger = await capturing.send(CaptureHold(hold_id=hold), tenant_id=OTHER_TENANT)
    assert stranger.result.rejection == HoldUnknown()
    nothing = await capturing.send(CaptureHold(hold_id=f"hol_{NOWHERE}"))
    assert nothing.result.rejection == HoldUnknown()
    part = CaptureHold(hold_id=hold, amount=20, reference="part")
    first, again = await capturing.send(part), await placing.send(part)
    assert (first.replayed, again.replayed) == (False, True)
    assert first.result == again.result
    assert first.result.transaction is not None
    assert first.result.transaction.held_after == 40
    assert (await balances(placing))[wallet] == (80, 40)
    for writer in (placing, capturing):
        await writer.stop()


async def test_transfers_that_race_move_each_unit_once(backend: Backend) -> None:
    writers = [await Writer(await backend.log(), seed).start() for seed in range(2)]
    wallets = [await writers[0].open_wallet(f"customer {n}") for n in range(3)]
    for number, wallet in enumerate(wallets):
        await writers[0].credit(wallet, 50, f"in {number}")
    moves = [
        TransferMoney(
            from_wallet_id=wallets[number % 3],
            to_wallet_id=wallets[(number + 1 + number % 2) % 3],
            amount=1 + number % 30,
            reference=f"move {number % 40}",
        )
        for number in range(120)
        if number % 3 != (number + 1 + number % 2) % 3
    ]
    await asyncio.gather(*(writers[number % 2].send(move) for number, move in enumerate(moves)))
    now = await balances(writers[0])
    assert sum(booked for booked, _ in now.values()) == 150
    assert all(available >= 0 for _, available in now.values())
    for writer in writers:
        await writer.stop()


async def test_a_transfer_hands_back_what_happened_to_who_gets_the_money(backend: Backend) -> None:
    """As the log has it; only the first time, as a repetition remembers the sender's event."""
    writer = await Writer(await backend.log(), 0).start()
    sender, receiver = await writer.open_wallet("cus_1"), await writer.open_wallet("cus_2")
    await writer.credit(sender, 100, "in")
    command = TransferMoney(from_wallet_id=sender, to_wallet_id=receiver, amount=5, reference="t")
    first, again = await writer.send(command), await writer.send(command)
    assert not first.replayed
    assert first.received in await all_events(writer.log)
    assert first.received is not None
    assert first.received.stream_id == receiver
    assert first.result.transfer is not None
    received_id = first.result.transfer.received_transaction_id
    assert received_id == f"txn_{first.received.event_id}"
    assert (again.result, again.replayed, again.received) == (first.result, True, None)


async def test_whatever_moves_money_or_sets_it_aside_does_so_once_for_its_reference(
    backend: Backend,
) -> None:
    writer = await Writer(await backend.log()).start()
    wallet, other = await writer.open_wallet("a"), await writer.open_wallet("b")
    credited = (await writer.credit(wallet, 100, "in")).result.transaction
    assert credited is not None
    hold = await held(writer, wallet, 60, "hold")
    for command in (
        TransferMoney(from_wallet_id=wallet, to_wallet_id=other, amount=1, reference="move"),
        ReverseTransaction(transaction_id=credited.id, amount=1, reference="back"),
        CaptureHold(hold_id=hold, amount=1, reference="part"),
        PlaceHold(wallet_id=wallet, amount=1, reference="another"),
        CreateTopup(
            wallet_id=wallet, amount=1, redirect_url="https://shop.example", reference="top"
        ),
    ):
        first = await writer.send(command)
        before = await writer.log.head()
        again = await writer.send(command)
        assert (first.result.status, first.replayed) == ("accepted", False), command
        assert (again.result, again.replayed) == (first.result, True), command
        assert await writer.log.head() == before
    await writer.stop()


async def test_no_more_is_reversed_than_was_moved_however_many_ask(backend: Backend) -> None:
    writers = [await Writer(await backend.log(), seed).start() for seed in range(2)]
    wallet = await writers[0].open_wallet()
    await writers[0].credit(wallet, 100, "in")
    debit = (await writers[0].debit(wallet, 60, "out")).result.transaction
    assert debit is not None
    attempts = await asyncio.gather(
        *(
            writers[number % 2].send(
                ReverseTransaction(transaction_id=debit.id, amount=25, reference=f"back {number}")
            )
            for number in range(6)
        )
    )
    declined = [each.result.rejection for each in attempts if each.result.status == "declined"]
    assert declined == [ReversalExceedsTransaction(amount=25, reversible=10)] * 4
    rest = ReverseTransaction(transaction_id=debit.id, reference="the rest")
    last = (await writers[0].send(rest)).result.transaction
    assert last is not None
    assert (last.amount, last.reverses) == (10, debit.id)
    assert (await balances(writers[0]))[wallet] == (100, 100)
    unknown = ReverseTransaction(transaction_id=f"txn_{NOWHERE}", reference="nothing")
    assert (await writers[0].send(unknown)).result.rejection == TransactionUnknown()
    for writer in writers:
        await writer.stop()


async def test_a_transfers_reversal_takes_both_legs_back_from_either_end(
    backend: Backend,
) -> None:
    writer = await Writer(await backend.log()).start()
    sender, receiver = await writer.open_wallet("a"), await writer.open_wallet("b")
    await writer.credit(sender, 100, "in")
    move = TransferMoney(from_wallet_id=sender, to_wallet_id=receiver, amount=70, reference="move")
    transfer = (await writer.send(move)).result.transfer
    assert transfer is not None
    await writer.debit(receiver, 50, "spent")
    by_sender = ReverseTransaction(transaction_id=transfer.sent_transaction_id, reference="1")
    short = (await writer.send(by_sender)).result
    assert short.rejection == InsufficientFunds(amount=70, available=20, wallet_id=receiver)
    assert (await writer.send(by_sender)).result.rejection == short.rejection
    by_receiver = ReverseTransaction(
        transaction_id=transfer.received_transaction_id, amount=15, reference="2"
    )
    assert (await writer.send(by_receiver)).result.status == "accepted"
    too_much = ReverseTransaction(
        transaction_id=transfer.sent_transaction_id, amount=56, reference="3"
    )
    assert (await writer.send(too_much)).result.rejection == ReversalExceedsTransaction(
        amount=56, reversible=55
    )
    assert await balances(writer) == {sender: (45, 45), receiver: (5, 5)}
    await writer.stop()


async def test_a_close_into_another_wallet_is_one_append(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    closing, heir = await writer.open_wallet("a"), await writer.open_wallet("b")
    await writer.credit(closing, 30, "in")
    await held(writer, closing, 10, "hold")
    close = CloseWallet(wallet_id=closing, remaining_balance=TransferTo(transfer_to=heir))
    closed = (await writer.send(close, command_id="close")).result
    assert closed.wallet is not None
    assert (closed.wallet.status, closed.wallet.balance) == ("closed", 0)
    assert await balances(writer) == {closing: (0, 0), heir: (30, 30)}
    assert (await writer.send(close, command_id="close")).result == closed
    assert (await writer.open_wallet("a")) != closing, "the customer's slot is free again"
    await writer.stop()


async def test_of_two_wallets_the_one_that_is_not_there_is_named(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet, nowhere = await writer.open_wallet(), f"wal_{NOWHERE}"
    await writer.credit(wallet, 1, "in")
    move = TransferMoney(from_wallet_id=nowhere, to_wallet_id=wallet, amount=1, reference="a")
    back = TransferMoney(from_wallet_id=wallet, to_wallet_id=nowhere, amount=1, reference="a")
    into = CloseWallet(wallet_id=wallet, remaining_balance=TransferTo(transfer_to=nowhere))
    for command in (move, back, into):
        settled = await writer.send(command, command_id="once")
        assert settled.result.rejection == WalletUnknown(wallet_id=nowhere)
    alone = CloseWallet(wallet_id=nowhere, remaining_balance=TransferTo(transfer_to=wallet))
    assert (await writer.send(alone)).result.rejection == WalletUnknown()
    await writer.stop()


async def test_an_expired_credit_is_not_spent_and_lapses_once(backend: Backend) -> None:
    writers = [await Writer(await backend.log(), seed).start() for seed in range(2)]
    wallet = await writers[0].open_wallet()
    opened = (await all_events(writers[0].log))[0]
    soon = opened.recorded_at + timedelta(milliseconds=400)
    expiring = CreditWallet(wallet_id=wallet, amount=40, reference="promotion", expires_at=soon)
    first = await writers[0].send(expiring)
    await writers[0].credit(wallet, 10, "paid")
    while (await all_events(writers[0].log))[-1].recorded_at < soon:
        await asyncio.sleep(0.02)
        await writers[0].credit(wallet, 1, f"tick {asyncio.get_running_loop().time()}")
    await asyncio.gather(
        *(writer.send(ExpireDue(wallet_id=wallet)) for writer in writers for _ in range(3))
    )
    events = await all_events(writers[0].log)
    assert [each.type for each in events].count("wallet.credit_lapsed") == 1
    booked, available = (await balances(writers[0]))[wallet]
    assert booked == available
    over = (await writers[0].debit(wallet, available + 1, "over")).result
    assert over.rejection == InsufficientFunds(amount=available + 1, available=available)
    again = await writers[1].send(expiring)
    assert again.replayed
    assert again.result == first.result, "the same answer even when it has lapsed since"
    for writer in writers:
        await writer.stop()
