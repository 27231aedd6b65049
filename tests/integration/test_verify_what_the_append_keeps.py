"""`ledger verify` compares what the append keeps beside the events, and snapshots, with the log."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ledger.command_handling.clock import MAX_RECKONING_S
from ledger.command_handling.submission import Settled
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    CompleteTopup,
    CreateTopup,
    CreateWallet,
    ExpireDue,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    UnfreezeWallet,
    VoidHold,
)
from schemas.commands import CreditWallet as Credit
from schemas.commands import DebitWallet as Debit
from tests.specs.databases import Databases, Prepared
from tests.specs.invariants import all_events
from tests.specs.known_customers import enroll, erase, raise_tier, review
from tests.specs.verified_ledger import Before, VerifiedLedger, past, verified_ledger
from tests.specs.world import OTHER_TENANT, snapshots_are_saved

REFERENCES = "references are those of the log's movements"
COMMANDS = "command ids are those of the log's events"
SNAPSHOTS = "snapshots equal the write side's fold of the log"
OPENED = "wallets by name are those that the log opened"
CLOSED = "wallets closed are those that the log closed"
ONLY = "a customer has one open wallet in a currency"
WITH_WALLETS = "customers have wallets"
APPENDS = "append hashes chain the log"
SHOP = "https://shop.example/thanks"


@pytest.fixture(scope="module")
def prepared(databases: Databases) -> Iterator[Prepared[Before]]:
    with databases.prepare(past(_happen)) as prepared:
        yield prepared


@pytest.fixture
async def ledger(databases: Databases, prepared: Prepared[Before]) -> AsyncIterator[VerifiedLedger]:
    """Everything that can be asked of a ledger was asked, accepted and declined and repeated."""
    with databases.clone(prepared.name) as dsn:
        async with verified_ledger(dsn, prepared.known) as ledger:
            yield ledger


async def _happen(ledger: VerifiedLedger) -> None:
    here = await ledger.open(CreateWallet(customer_id="ama", currency="GHS"))
    there = await ledger.open(CreateWallet(customer_id="kofi", currency="GHS"))
    await ledger.open(CreateWallet(customer_id="ama", currency="GHS"), OTHER_TENANT)
    await _move(ledger, here, there)
    await _hold(ledger, here)
    await _top_up(ledger, here)
    await _repeat(ledger, here)
    for number in range(40):
        await ledger.change(Credit(wallet_id=here, amount=10, reference=f"again-{number}"))
    await _change(ledger, there)
    await _know(ledger)
    into = await ledger.open(CreateWallet(customer_id="efua", currency="GHS"))
    closed = await ledger.open(CreateWallet(customer_id="yaw", currency="GHS"))
    await ledger.change(Credit(wallet_id=closed, amount=30, reference="to be moved"))
    rest = TransferTo(transfer_to=into)
    await ledger.decline(CloseWallet(wallet_id=closed))
    await ledger.change(CloseWallet(wallet_id=closed, remaining_balance=rest))
    await ledger.change(CloseWallet(wallet_id=into, remaining_balance="forfeit"))
    await ledger.open(CreateWallet(customer_id="yaw", currency="GHS"))
    await snapshots_are_saved()


async def _move(ledger: VerifiedLedger, here: str, there: str) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=300)
    lapsing = Credit(wallet_id=here, amount=70, reference="lapses", expires_at=soon)
    credited = await ledger.change(lapsing)
    await ledger.change(Credit(wallet_id=here, amount=500, reference="in", description="Money"))
    debited = await ledger.change(Debit(wallet_id=here, amount=50, reference="out"))
    await ledger.decline(Debit(wallet_id=here, amount=9_000, reference="too much"))
    sent = await ledger.change(
        TransferMoney(from_wallet_id=here, to_wallet_id=there, amount=40, reference="over")
    )
    for number, settled in enumerate((credited, debited)):
        assert settled.result.transaction is not None
        transaction_id = settled.result.transaction.id
        back = ReverseTransaction(transaction_id=transaction_id, reference=f"back-{number}")
        await ledger.change(back)
        again = ReverseTransaction(transaction_id=transaction_id, amount=1, reference="no more")
        await ledger.decline(again)
    assert sent.result.transfer is not None
    for amount, name in (
        (1, sent.result.transfer.sent_transaction_id),
        (2, sent.result.transfer.received_transaction_id),
    ):
        reference = f"leg-{amount}"
        back = ReverseTransaction(transaction_id=name, amount=amount, reference=reference)
        await ledger.change(back)


async def _hold(ledger: VerifiedLedger, here: str) -> None:
    for number in range(4):
        place = PlaceHold(wallet_id=here, amount=20, reference=f"hold-{number}")
        hold = (await ledger.change(place)).result.hold
        assert hold is not None
        if number == 0:
            await ledger.change(CaptureHold(hold_id=hold.id, amount=5))
            await ledger.change(CaptureHold(hold_id=hold.id, amount=5, reference="captured"))
            await ledger.change(CaptureHold(hold_id=hold.id, amount=5, final=True))
        elif number == 1:
            await ledger.change(VoidHold(hold_id=hold.id))
            await ledger.decline(VoidHold(hold_id=hold.id))
            await ledger.decline(CaptureHold(hold_id=hold.id))


async def _top_up(ledger: VerifiedLedger, here: str) -> None:
    for reference in (None, "own", "cancelled"):
        asked = CreateTopup(wallet_id=here, amount=25, redirect_url=SHOP, reference=reference)
        topup = (await ledger.change(asked)).result.topup
        assert topup is not None
        if reference == "cancelled":
            await ledger.change(CancelTopup(topup_id=topup.id))
            await ledger.decline(CancelTopup(topup_id=topup.id))
            continue
        paid = CompleteTopup(topup_id=topup.id, payment_id="p", amount=25, currency="GHS")
        await ledger.change(paid)
        await ledger.change(paid)
        twice = CompleteTopup(topup_id=topup.id, payment_id="q", amount=25, currency="GHS")
        await ledger.decline(twice)


async def _repeat(ledger: VerifiedLedger, here: str) -> None:
    again = Credit(wallet_id=here, amount=500, reference="in", description="Money")
    assert (await ledger.send(again, "another id")).replayed
    assert (await ledger.send(again, "another id")).replayed
    await ledger.decline(Debit(wallet_id=here, amount=1, reference="in"))
    done = await ledger.together(
        [
            Credit(wallet_id=here, amount=5, reference="batched"),
            Debit(wallet_id=here, amount=5, reference="batched out"),
        ],
        "batch",
    )
    assert [each.result.status for each in done] == ["accepted", "accepted"]
    undone = await ledger.together(
        [
            Credit(wallet_id=here, amount=5, reference="undone"),
            Debit(wallet_id=here, amount=90_000, reference="undone out"),
        ],
        "batch that is declined",
    )
    assert [each.result.status for each in undone] == ["declined", "declined"]


async def _change(ledger: VerifiedLedger, there: str) -> None:
    await ledger.change(FreezeWallet(wallet_id=there))
    await ledger.change(FreezeWallet(wallet_id=there))
    await ledger.decline(Debit(wallet_id=there, amount=1, reference="frozen"))
    await ledger.change(UnfreezeWallet(wallet_id=there))
    await ledger.change(ExpireDue(wallet_id=there))
    await ledger.decline(CreateWallet(customer_id="kofi", currency="GHS"))


async def _know(ledger: VerifiedLedger) -> None:
    known = await ledger.open(enroll(1, "known"))
    await ledger.change(Credit(wallet_id=known, amount=90, reference="for who is known"))
    await ledger.change(Debit(wallet_id=known, amount=40, reference="of who is known"))
    await ledger.decline(Debit(wallet_id=known, amount=40, reference="over the limit"))
    await ledger.change(raise_tier("TIER_THREE", known))
    await ledger.change(review("approved", known))
    await ledger.decline(raise_tier("TIER_TWO", known))
    await ledger.change(erase(known))


async def test_all_that_can_be_asked_leaves_a_sound_ledger(ledger: VerifiedLedger) -> None:
    report = await ledger.report()
    held = {name: line.held for name, line in report.lines.items()}
    assert report.failures() == {}
    rows = "SELECT count(*) FROM {}"
    for name, table in ((REFERENCES, "consumed_references"), (COMMANDS, "command_outcomes")):
        assert held[name] == await ledger.connection.fetchval(rows.format(table)) > 10
    assert held[SNAPSHOTS] == await ledger.connection.fetchval(rows.format("snapshots")) == 1


async def _void_what_is_due(ledger: VerifiedLedger) -> tuple[Settled, VoidHold]:
    """Void a hold of money that lapses thereby, under the command id "void"."""
    wallet = await ledger.open(CreateWallet(customer_id="esi", currency="GHS"))
    soon = datetime.now(UTC) + timedelta(seconds=1)
    await ledger.change(Credit(wallet_id=wallet, amount=9, reference="due", expires_at=soon))
    placed = await ledger.change(PlaceHold(wallet_id=wallet, amount=9, reference="kept aside"))
    assert placed.result.hold is not None
    # So long that the writer asks what time it is, and does not reckon it.
    surely = soon + timedelta(seconds=MAX_RECKONING_S)
    await ledger.connection.execute("SELECT pg_sleep_until($1::timestamptz)", surely)
    void = VoidHold(hold_id=placed.result.hold.id)
    return await ledger.send(void, "void"), void


async def test_a_void_whose_money_lapses_at_once_leaves_a_sound_ledger(
    ledger: VerifiedLedger,
) -> None:
    """What it frees is due already, so the last event of the command is not its answer."""
    first, void = await _void_what_is_due(ledger)
    events = await all_events(ledger.writer.log)
    assert [each.type for each in events[-2:]] == ["wallet.hold_released", "wallet.credit_lapsed"]
    assert first.result.position == events[-2].position
    again = await ledger.send(void, "void")
    assert (again.replayed, again.result) == (True, first.result)
    await ledger.project()
    assert await ledger.failures() == set()


AT_THE_END = "UPDATE command_outcomes SET position = position + 1 WHERE command_id = 'void'"
"""As rows of such a void were once written: at the position of the command's last event."""


async def test_a_voids_row_that_points_at_its_last_event_is_sound(ledger: VerifiedLedger) -> None:
    await _void_what_is_due(ledger)
    await ledger.project()
    await ledger.tamper(AT_THE_END)
    assert await ledger.failures() == set()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE command_outcomes SET command_id = 'x' WHERE command_id = 'void'",
        "UPDATE command_outcomes SET position = position - 2 WHERE command_id = 'void'",
        """
        UPDATE command_outcomes
        SET outcome = replace(outcome::text, '"position":', '"position":1')::json
        WHERE command_id = 'void'
        """,
        "UPDATE command_outcomes SET outcome = NULL WHERE command_id = 'void'",
    ],
    ids=["another id", "an event before", "another position told", "nothing told"],
)
async def test_a_voids_row_that_points_at_its_last_event_is_looked_at(
    ledger: VerifiedLedger, tampering: str
) -> None:
    await _void_what_is_due(ledger)
    await ledger.project()
    await ledger.tamper(AT_THE_END, tampering)
    assert await ledger.failures() == {COMMANDS}


async def test_what_is_newer_than_the_log_as_it_was_read_is_left(ledger: VerifiedLedger) -> None:
    """Read models that are behind are no fault either."""
    wallet = await ledger.open(CreateWallet(customer_id="new", currency="GHS"))
    await ledger.change(Credit(wallet_id=wallet, amount=1, reference="new"))
    assert await ledger.failures() == set()


TAMPERINGS = [
    ("DELETE FROM consumed_references WHERE reference = 'in'", {REFERENCES}),
    ("DELETE FROM consumed_references WHERE reference = 'captured'", {REFERENCES}),
    ("DELETE FROM consumed_references WHERE reference = 'leg-2'", {REFERENCES}),
    ("DELETE FROM consumed_references WHERE reference = 'own'", {REFERENCES}),
    ("UPDATE consumed_references SET position = 2 WHERE reference = 'out'", {REFERENCES}),
    ("UPDATE consumed_references SET reference = 'x' WHERE reference = 'over'", {REFERENCES}),
    (
        "UPDATE consumed_references SET fingerprint = '\\x00' WHERE reference = 'out'",
        {REFERENCES, COMMANDS},
    ),
    (
        "UPDATE consumed_references SET tenant_id = gen_random_uuid() WHERE reference = 'in'",
        {REFERENCES},
    ),
    (
        """
        UPDATE consumed_references SET fingerprint = '\\x00'
        WHERE reference IN ('captured', 'own', 'leg-2', 'over', 'hold-1')
        """,
        {REFERENCES, COMMANDS},
    ),
    (
        """
        INSERT INTO consumed_references
        SELECT tenant_id, 'never asked', fingerprint, position FROM consumed_references
        WHERE reference = 'in'
        """,
        {REFERENCES},
    ),
    ("DELETE FROM command_outcomes WHERE command_id = 'command-5'", {COMMANDS}),
    ("DELETE FROM command_outcomes WHERE command_id LIKE 'batch/%'", {COMMANDS}),
    ("UPDATE command_outcomes SET position = 2 WHERE command_id = 'another id'", {COMMANDS}),
    (
        "UPDATE command_outcomes SET fingerprint = '\\x00' WHERE command_id = 'another id'",
        {COMMANDS},
    ),
    (
        "UPDATE command_outcomes SET command_id = 'x' WHERE position = 1",
        {COMMANDS},
    ),
    (
        "UPDATE command_outcomes SET outcome = '{}' WHERE command_id = 'command-5'",
        {COMMANDS},
    ),
    (
        """
        UPDATE command_outcomes SET outcome = replace(outcome::text, '"GHS"', '"NGN"')::json
        WHERE position = 1
        """,
        {COMMANDS},
    ),
    (
        """
        UPDATE command_outcomes
        SET outcome = regexp_replace(outcome::text, '"balance":0', '"balance":1')::json
        WHERE outcome ->> 'wallet' LIKE '%closed%'
        """,
        {COMMANDS},
    ),
    (
        """
        UPDATE command_outcomes SET outcome = '{"status":"accepted","position":7}'
        WHERE position IS NULL
        """,
        {COMMANDS},
    ),
    (
        """
        UPDATE snapshots
        SET state = regexp_replace(state::text, '"available":', '"available":9')::json
        """,
        {SNAPSHOTS},
    ),
    ("UPDATE snapshots SET state = '{}'", {SNAPSHOTS}),
    ("UPDATE snapshots SET event_hash = sha256('x')", {SNAPSHOTS}),
    ("UPDATE snapshots SET version = 1000", {SNAPSHOTS}),
    ("UPDATE snapshots SET stream_id = gen_random_uuid()", {SNAPSHOTS}),
    ("DELETE FROM wallets WHERE position = 1", {OPENED, WITH_WALLETS}),
    ("UPDATE wallets SET position = 2 WHERE position = 1", {OPENED}),
    ("UPDATE wallets SET customer_id = 'kofi' WHERE position = 1", {OPENED, ONLY, WITH_WALLETS}),
    ("UPDATE wallets SET currency = 'JPY' WHERE position = 1", {OPENED}),
    (
        """
        INSERT INTO wallets
        SELECT tenant_id, gen_random_uuid(), customer_id, 'NGN', 1 FROM wallets WHERE position = 1
        """,
        {OPENED},
    ),
    ("UPDATE customers SET user_id = gen_random_uuid() WHERE customer_id = 'kofi'", {OPENED}),
    (
        "INSERT INTO customers SELECT tenant_id, 'nobody', gen_random_uuid() FROM wallets LIMIT 1",
        {WITH_WALLETS},
    ),
    ("DELETE FROM wallet_closures", {CLOSED, ONLY}),
    ("UPDATE wallet_closures SET position = 1", {CLOSED}),
    (
        """
        INSERT INTO wallet_closures
        SELECT tenant_id, wallet_id, position FROM wallets WHERE position = 1
        """,
        {CLOSED},
    ),
    (
        "UPDATE appends SET recorded_at = recorded_at - interval '1 hour' WHERE number = 3",
        {APPENDS},
    ),
]


@pytest.mark.parametrize(("tampering", "named"), TAMPERINGS, ids=range(len(TAMPERINGS)))
async def test_what_is_damaged_is_named_and_nothing_else(
    ledger: VerifiedLedger, tampering: str, named: set[str]
) -> None:
    await ledger.tamper(tampering)
    assert await ledger.failures() == named


async def test_a_reference_that_succeeded_twice_is_named(ledger: VerifiedLedger) -> None:
    """Its row was taken away, so the writer took it for new; then the row is as it should be."""
    await ledger.tamper("DELETE FROM consumed_references WHERE reference = 'in'")
    wallet = await ledger.connection.fetchval(
        "SELECT stream_id FROM events WHERE data ->> 'reference' = 'in'"
    )
    again = Credit(wallet_id=f"wal_{wallet.hex}", amount=500, reference="in", description="Money")
    assert not (await ledger.change(again)).replayed
    await ledger.project()
    found = (await ledger.report()).failures()
    assert list(found) == [REFERENCES]
    (example,) = found[REFERENCES]
    assert "'in'" in example, example


async def test_a_snapshot_of_another_shape_is_not_compared_because_nobody_reads_it(
    ledger: VerifiedLedger,
) -> None:
    await ledger.tamper("UPDATE snapshots SET state_version = 0, state = '{}'")
    assert await ledger.failures() == set()
