"""A command's own answer, the read models and the fold of the log say the same, word for word.

Two mappings lead from an event to what a client sees: the write side's results and the
projections. They share no code, because neither side may import the other; this holds
them together over random histories, in memory.
"""

import asyncio

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.commands import NO_METADATA
from schemas.money import MAX_AMOUNT_MINOR
from schemas.results import HoldView, TransactionView, TransferView, WalletView
from tests.specs.invariants import check
from tests.specs.told_history import CUSTOMERS, KINDS, Run, Step, run_of

steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from([*KINDS, *KINDS[:9], *KINDS[:9], "credit"]),
        customer=st.integers(0, CUSTOMERS - 1),
        amount=st.integers(1, 40) | st.just(MAX_AMOUNT_MINOR),
        reference=st.integers(0, 12),
        description=st.sampled_from(["", "Airtime", "é 😀"]),
        metadata=st.sampled_from(
            [NO_METADATA, msgspec.Raw(b"{}"), msgspec.Raw(b'{"a": 1.50,  "b": [null]}')]
        ),
        command_id=st.none() | st.sampled_from(["first", "second"]),
        choice=st.integers(0, 9),
    ),
    max_size=50,
)


@given(steps)
def test_an_answer_is_what_the_read_models_show(history: list[Step]) -> None:
    _compare(asyncio.run(run_of(history)))


def _compare(run: Run) -> None:
    lines, transfers = run.transactions(), run.transfers()
    for settled in run.answers:
        result = settled.result
        if result.transaction is not None:
            assert _json(result.transaction) == _json(lines[result.transaction.id])
        if result.wallet is not None:
            shown = run.wallet(result.wallet.id, result.wallet.version)
            assert _json(result.wallet) == _json(shown)
        if (hold := result.hold) is not None:
            assert _json(hold) == _json(run.holds(hold.wallet_id, hold.version)[hold.id])
        if result.transfer is not None:
            assert _json(result.transfer) == _json(transfers[result.transfer.id])
            _compare_legs(result.transfer, lines)


def _compare_legs(transfer: TransferView, lines: dict[str, TransactionView]) -> None:
    """A transfer is one line in each of the two histories."""
    sent, received = lines[transfer.sent_transaction_id], lines[transfer.received_transaction_id]
    for leg, wallet_id, other_id in (
        (sent, transfer.from_wallet_id, transfer.to_wallet_id),
        (received, transfer.to_wallet_id, transfer.from_wallet_id),
    ):
        assert (leg.wallet_id, leg.other_wallet_id) == (wallet_id, other_id)
        assert (leg.transfer_id, leg.amount, leg.kind) == (transfer.id, transfer.amount, "transfer")
        assert (leg.reference, leg.created_at) == (transfer.reference, transfer.created_at)


@given(steps)
def test_the_read_models_show_what_the_log_folds_to(history: list[Step]) -> None:
    _compare_states(asyncio.run(run_of(history)))


def _compare_states(run: Run) -> None:
    """The write side's own states: what each wallet has in the end, and each of its holds."""
    for key, known in check(run.recorded).items():
        state = known.wallet
        assert state is not None
        shown = run.wallet(key.stream_id, known.version)
        assert shown is not None
        assert (shown.balance, shown.available_balance) == (state.balance, state.available)
        assert (shown.status, shown.frozen) == (state.status, state.frozen)
        lapsing = sum(lot.amount for lot in state.lots if lot.expires_at is not None)
        assert (0 if shown.expiring is None else shown.expiring.amount) == lapsing
        open_holds = {
            hold.id: (hold.held_amount, hold.expires_at, hold.reference)
            for hold in run.holds(key.stream_id, known.version).values()
            if hold.status == "open"
        }
        assert open_holds == {
            name: (hold.amount, hold.expires_at, hold.reference)
            for name, hold in state.holds.items()
        }


@given(steps)
def test_the_history_has_nothing_that_was_not_answered(history: list[Step]) -> None:
    run = asyncio.run(run_of(history))
    results = [settled.result for settled in run.answers]
    answered = {result.transaction.id for result in results if result.transaction is not None}
    for transfer in (result.transfer for result in results):
        if transfer is not None:
            answered |= {transfer.sent_transaction_id, transfer.received_transaction_id}
    shown = run.transactions()
    undone = {shown[name].transfer_id for name in answered if shown[name].kind == "reversal"}
    for line in shown.values():
        if line.id in answered:
            continue
        # These nobody asked for, or the answer was the wallet that was closed.
        assert (
            line.kind in ("forfeiture", "expiry")
            or (line.kind == "transfer" and line.reference is None)
            or (line.kind == "reversal" and line.transfer_id in undone)
        )


def _told(*told: tuple[str, int, int]) -> Run:
    """What these come to: a kind, an amount, and a choice. All are the first customer's."""
    metadata = msgspec.Raw(b'{"k": 1}')
    steps = [
        Step(kind, 0, amount, 2 * number + 1, "why", metadata, None, choice)
        for number, (kind, amount, choice) in enumerate(told)
    ]
    run = asyncio.run(run_of(steps))
    _compare(run)
    _compare_states(run)
    return run


def test_every_kind_of_transaction_has_been_compared() -> None:
    """Random histories may miss one; this one has them all."""
    run = _told(
        ("credit", 100, 0),
        ("credit", MAX_AMOUNT_MINOR, 0),
        ("debit", 30, 0),
        ("debit", 71, 0),
        ("hold", 71, 0),
        ("freeze", 1, 0),
        ("debit", 1, 0),
        ("unfreeze", 1, 0),
        ("forfeit", 1, 0),
        ("debit", 1, 0),
        ("credit", 1, 0),
    )
    assert [(line.type, line.kind, line.code) for line in run.transactions().values()] == [
        ("credit", "credit", None),
        ("credit", "credit", "balance_limit_exceeded"),
        ("debit", "debit", None),
        ("debit", "debit", "insufficient_funds"),
        ("debit", "hold", "insufficient_funds"),
        ("debit", "debit", "wallet_frozen"),
        ("debit", "forfeiture", None),
        ("debit", "debit", "wallet_closed"),
        ("credit", "credit", "wallet_closed"),
    ]


def test_holds_transfers_and_reversals_have_been_compared() -> None:
    run = _told(
        ("credit", 100, 0),
        ("hold", 40, 0),
        ("capture", 10, 1),
        ("capture", 31, 1),
        ("void", 0, 0),
        ("void", 0, 0),
        ("transfer", 25, 0),
        ("reverse", 5, 3),
        ("reverse", 21, 5),
        ("lapsing credit", 7, 9),
        ("ending hold", 3, 9),
        ("close into", 0, 0),
    )
    results = [settled.result for settled in run.answers]
    assert [result.rejection is None for result in results] == [
        *(True, True, True, False, True, False, True, True, False, True, True, True)
    ]
    held = [result.hold for result in results if result.hold is not None]
    assert [(hold.status, hold.captured_amount) for hold in held] == [
        ("open", 0),
        ("voided", 10),
        ("open", 0),
    ]
    assert [(line.type, line.kind, line.code) for line in run.transactions().values()] == [
        ("credit", "credit", None),
        ("debit", "capture", None),
        ("debit", "capture", "capture_exceeds_hold"),
        ("debit", "transfer", None),
        ("credit", "transfer", None),
        ("credit", "reversal", None),
        ("debit", "reversal", None),
        ("credit", "reversal", "reversal_exceeds_transaction"),
        ("credit", "credit", None),
        ("debit", "transfer", None),
        ("credit", "transfer", None),
    ]


def test_what_ends_by_itself_has_been_compared() -> None:
    told = [("lapsing credit", 9, 3), ("ending hold", 4, 3)]
    run = _told(*told, *(("credit", 1, 0), ("reverse", 1, 0)) * 20)
    kinds = [line.kind for line in run.transactions().values()]
    assert "expiry" in kinds
    shown = run.holds(run.recorded[-1].stream_id, len(run.recorded))
    assert [hold.status for hold in shown.values()] == ["expired"]


def _json(view: TransactionView | WalletView | HoldView | TransferView | None) -> bytes:
    """Something to compare by: byte for byte, metadata included."""
    return msgspec.json.encode(view)
