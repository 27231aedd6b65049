"""What a writer keeps between its batches: never more than the log has, nor less than it needs."""

import asyncio

import asyncpg
import pytest

from ledger.command_handling import deciding
from ledger.command_handling.errors import PoisonCommandError
from ledger.command_handling.submission import Settled
from ledger.event_log.interface import LogUnavailableError
from ledger.event_log.postgres import PostgresEventLog
from schemas.commands import (
    MAX_BATCH_COMMANDS,
    CaptureHold,
    CreditWallet,
    PlaceHold,
    ReverseTransaction,
)
from schemas.rejections import TransactionUnknown
from tests.conformance.backends import Backend
from tests.specs.invariants import all_events, check, references_of
from tests.specs.world import Writer, submission

_PATIENCE_S = 60


@pytest.mark.parametrize("poisoned_at", [100, 700, MAX_BATCH_COMMANDS + 300])
async def test_a_poison_command_under_load_costs_no_other_command(
    backend: Backend, poisoned_at: int
) -> None:
    """Behind the halves of a batch that is taken apart, more is decided ahead."""
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    count = 4 * MAX_BATCH_COMMANDS
    references = [f"credit {number}" for number in range(count)]
    references[poisoned_at] = "NUL \x00"
    commands = [
        submission(CreditWallet(wallet_id=wallet, amount=1, reference=reference))
        for reference in references
    ]
    async with asyncio.timeout(_PATIENCE_S):
        results = await asyncio.gather(
            *(writer.processor.enqueue(command) for command in commands), return_exceptions=True
        )
    assert isinstance(results.pop(poisoned_at), PoisonCommandError)
    settled = [result for result in results if isinstance(result, Settled)]
    after = [each.result.transaction.balance_after for each in settled if each.result.transaction]
    assert after == list(range(1, count)), "all others took effect, in their order"
    events = await all_events(writer.log)
    check(events)
    assert len(references_of(events)) == count - 1
    await writer.stop()


async def test_what_is_named_again_is_found_however_much_was_named_between(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "CACHED_ORIGINALS", 3)
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 1_000, "in")
    holds = []
    for number in range(4):
        placed = await writer.send(PlaceHold(wallet_id=wallet, amount=100, reference=f"{number}"))
        assert placed.result.hold is not None
        holds.append(placed.result.hold.id)
    for hold in holds[:3]:
        await writer.send(CaptureHold(hold_id=hold, amount=1, final=False))
    # One batch: of the oldest that is kept, and of one that is not.
    both = await asyncio.gather(
        *(
            writer.processor.enqueue(submission(CaptureHold(hold_id=hold, amount=1, final=False)))
            for hold in (holds[0], holds[3])
        )
    )
    assert [each.result.status for each in both] == ["accepted", "accepted"]
    await writer.stop()


async def test_what_a_restored_log_does_not_have_cannot_be_reversed(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 100, "in")
    head = await writer.log.head()
    debit = (await writer.debit(wallet, 40, "lost by the restore")).result.transaction
    assert debit is not None
    part = ReverseTransaction(transaction_id=debit.id, amount=10, reference="back")
    assert (await writer.send(part)).result.status == "accepted"
    await backend.restore_to(head.last_position, head.number)
    again = await writer.send(part)
    assert again.result.rejection == TransactionUnknown()
    assert (await writer.credit(wallet, 1, "and on")).result.status == "accepted"
    balances = [known.wallet for known in check(await all_events(writer.log)).values()]
    assert [each.balance for each in balances if each is not None] == [101]
    await writer.stop()


async def test_a_turn_whose_connection_broke_is_over(database: str) -> None:
    log = PostgresEventLog(database)
    await log.start()
    with pytest.raises(LogUnavailableError):
        await _broken_turn(log, database)
    async with log.exclusively() as turn:
        assert (await turn.catch_up(None)).head.number == 0
    await log.close()


async def _broken_turn(log: PostgresEventLog, dsn: str) -> None:
    async with log.exclusively() as turn:
        await turn.catch_up(None)
        await _end_others(dsn)


async def _end_others(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    ended = await connection.fetch(
        """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid()
             AND backend_type = 'client backend'"""
    )
    assert ended
    await connection.close()
    # The other side's driver has to see it, too.
    await asyncio.sleep(0.2)
