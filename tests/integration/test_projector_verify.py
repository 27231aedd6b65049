"""`ledger verify` says that a sound system is sound, and names whatever is not."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from projections.registry import PROJECTIONS
from services.runtime.administration import administering
from services.verify.main import run, verify
from services.verify.report import Report, VerifyResult
from tests.specs.databases import Databases, Prepared
from tests.specs.event_factory import EPOCH
from tests.specs.published_log import PublishedLog, gone_on_with, published_log


async def _happen(log: PublishedLog) -> None:
    async with AsyncExitStack() as stack:
        tasks = {name: await stack.enter_async_context(log.projector(name)) for name in PROJECTIONS}
        await log.happen(10, 300)
        await log.administer()
        await log.happen(1, 10)
        for name, task in tasks.items():
            await log.wait_until_folded(name, log.factory.of_wallets, task)


@pytest.fixture(scope="module")
def prepared(databases: Databases, kafka_server: str) -> Iterator[Prepared[PublishedLog]]:
    async def fill(dsn: str) -> PublishedLog:
        async with published_log(dsn, kafka_server) as log:
            await _happen(log)
            return log

    with databases.prepare(fill) as prepared:
        yield prepared


@pytest.fixture
async def log(
    databases: Databases, prepared: Prepared[PublishedLog]
) -> AsyncIterator[PublishedLog]:
    """A log that is published and projected, all sound, and at rest; nothing more is published."""
    with databases.clone(prepared.name) as dsn:
        async with gone_on_with(prepared.known, dsn) as log:
            yield log


@pytest.fixture
async def publishing(database: str, kafka_server: str) -> AsyncIterator[PublishedLog]:
    """A log like that, with a topic of the test's own."""
    async with published_log(database, kafka_server) as log:
        await _happen(log)
        yield log


async def _failures(log: PublishedLog, against: Path | None = None) -> dict[str, list[str]]:
    report = Report()
    await verify(log.settings, report, against)
    return report.failures()


async def _tamper(log: PublishedLog, statement: str) -> None:
    """What the database itself refuses to anyone who leaves its triggers alone."""
    async with log.connection.transaction():
        await log.connection.execute("SET LOCAL session_replication_role = replica")
        await log.connection.execute(statement)


async def test_a_sound_system_is_sound(
    log: PublishedLog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(log.settings, None) == 0
    shown = capsys.readouterr().out
    assert "positions are gapless" in shown
    assert "FAILED" not in shown


BOOKS_GONE = (
    "TRUNCATE journal_entries, accounts, account_subtotals, journal_progress, journal_completeness"
)
TAMPERINGS = [
    ("UPDATE wallet_counts SET wallets = wallets + 1", "wallets are counted right"),
    ("DELETE FROM wallet_counts", "wallets are counted right"),
    (
        "UPDATE events SET schema_version = 2 WHERE position = 9",
        "event hashes chain each wallet",
    ),
    (
        'UPDATE events SET metadata = \'{"who":"x"}\' WHERE position = 5',
        "event hashes chain each wallet",
    ),
    ("DELETE FROM events WHERE position = 100", "positions are gapless"),
    ("DELETE FROM events WHERE position = 100", "versions of each wallet are gapless"),
    (
        "UPDATE events SET recorded_at = recorded_at - interval '1 day' WHERE position = 50",
        "positions are gapless",
    ),
    (
        "DELETE FROM events WHERE type = 'tenant.credential_revoked'",
        "events of each tenant's own stream are chained",
    ),
    (
        (
            'UPDATE events SET metadata = \'{"who":"operator:nobody"}\''
            " WHERE type = 'tenant.merchant_created'"
        ),
        "events of each tenant's own stream are chained",
    ),
    ("UPDATE credentials SET revoked_at = NULL", "credentials are those of the events"),
    (
        "UPDATE credentials SET rate_limit_per_s = 9, rate_limit_burst = 9",
        "credentials are those of the events",
    ),
    ("UPDATE credentials SET scopes = '{admin}'", "credentials are those of the events"),
    (
        "UPDATE credentials SET expires_at = expires_at + interval '1 day'",
        "credentials are those of the events",
    ),
    (
        "DELETE FROM credentials WHERE revoked_at IS NOT NULL",
        "credentials are those of the events",
    ),
    (
        "UPDATE credentials SET key_id = 'key_' || repeat('0a', 12) WHERE revoked_at IS NOT NULL",
        "credentials are those of the events",
    ),
    ("DELETE FROM appends WHERE number = 2", "append numbers are gapless"),
    ("UPDATE appends SET hash = sha256('x') WHERE number = 2", "append hashes chain the log"),
    ("UPDATE balances SET balance = balance + 1", "balances equal the fold of the log"),
    ("UPDATE balances SET metadata = '{}'", "balances equal the fold of the log"),
    (
        "DELETE FROM balances WHERE wallet_id = (SELECT wallet_id FROM balances LIMIT 1)",
        "read models hold what their checkpoints say",
    ),
    (
        "UPDATE transaction_progress SET version = 1",
        "read models hold what their checkpoints say",
    ),
    ("UPDATE transactions SET amount = amount + 1", "transactions equal the fold of the log"),
    ("DELETE FROM transactions", "transactions equal the fold of the log"),
    ("UPDATE holds SET held_amount = held_amount + 1", "holds equal the fold of the log"),
    ("DELETE FROM holds WHERE version < 100", "holds equal the fold of the log"),
    ("UPDATE holds SET hold_id = gen_random_uuid()", "holds are all in the log"),
    ("UPDATE topups SET amount = amount + 1", "top-ups equal the fold of the log"),
    ("UPDATE topups SET payment_id = 'another'", "top-ups equal the fold of the log"),
    ("DELETE FROM topups WHERE version < 100", "top-ups equal the fold of the log"),
    ("UPDATE topups SET topup_id = gen_random_uuid()", "top-ups are all in the log"),
    (
        "UPDATE transactions SET payment_id = 'another' WHERE payment_id IS NOT NULL",
        "transactions equal the fold of the log",
    ),
    (
        "UPDATE transactions SET reversed_after = reversed_after + 1",
        "transactions equal the fold of the log",
    ),
    (
        "UPDATE transactions SET event_id = gen_random_uuid() WHERE version = 2",
        "read models hold nothing that the log has not",
    ),
    (
        "UPDATE balances SET version = version + 1000",
        "read models hold nothing that the log has not",
    ),
    (
        "UPDATE journal_entries SET amount = amount + 1",
        "each movement is one balanced entry of the journal",
    ),
    (
        "DELETE FROM journal_entries WHERE position = (SELECT min(position) FROM journal_entries)",
        "each movement is one balanced entry of the journal",
    ),
    (
        "UPDATE journal_entries SET position = position + 1000",
        "accounts equal the fold of the log",
    ),
    (
        """
        INSERT INTO journal_entries
        SELECT tenant_id, 'merchant', 'customer_wallet', 'GHS', 999, 1 FROM accounts LIMIT 1
        """,
        "subtotals equal the fold of the log",
    ),
    (
        "UPDATE journal_progress SET version = version - 1",
        "each movement is one balanced entry of the journal",
    ),
    (
        "UPDATE account_subtotals SET debits = debits + 1, credits = credits + 1",
        "subtotals equal the fold of the log",
    ),
    ("UPDATE accounts SET debits = debits + 1", "accounts equal the fold of the log"),
    (
        "UPDATE accounts SET debits = debits + 1 WHERE account = 'merchant'",
        "the trial balance is zero, by currency",
    ),
    (
        "UPDATE journal_entries SET amount = amount + 1",
        "the wallets' account equals the wallets",
    ),
    (
        "UPDATE projection_checkpoints SET hash = sha256('x') WHERE partition >= 0",
        "checkpoints are of this log",
    ),
    (
        "UPDATE relay_progress SET published_hash = sha256('x')",
        "the relay's progress is of this log and topic",
    ),
    (
        "UPDATE relay_progress SET topic_id = 'another'",
        "the relay's progress is of this log and topic",
    ),
    (
        "UPDATE events SET hash = sha256('x') WHERE position = 7",
        "messages equal the log's events",
    ),
    (
        "UPDATE events SET recorded_at = recorded_at + interval '1 second' WHERE position = 7",
        "messages equal the log's events",
    ),
    ("UPDATE events SET schema_version = 2 WHERE position = 7", "messages equal the log's events"),
    (
        "UPDATE transaction_progress SET lines = lines + 5",
        "transactions equal the fold of the log",
    ),
    (
        "UPDATE transactions SET position = position + 1",
        "read models hold nothing that the log has not",
    ),
    (
        "UPDATE balances SET opened_position = opened_position + 1",
        "balances equal the fold of the log",
    ),
    (BOOKS_GONE, "read models hold what their checkpoints say"),
    (BOOKS_GONE, "each movement is one balanced entry of the journal"),
    (
        "DELETE FROM journal_progress WHERE version > 20",
        "read models hold what their checkpoints say",
    ),
    (
        "UPDATE journal_completeness SET position = 1000000",
        "the journal is complete no further than the log",
    ),
    (
        "UPDATE redirect_origins SET created_at = created_at - interval '1 day'",
        "redirect origins are those of the events",
    ),
    ("DELETE FROM redirect_origins", "redirect origins are those of the events"),
    (
        """
        INSERT INTO redirect_origins
        SELECT merchant_id, 'https://evil.example', now() - interval '9 years' FROM merchants
        """,
        "redirect origins are those of the events",
    ),
    ("UPDATE merchants SET name = 'Another'", "merchants and tenants are those of the events"),
    (
        "UPDATE merchants SET created_at = created_at - interval '1 day'",
        "merchants and tenants are those of the events",
    ),
    (
        "DELETE FROM tenants WHERE environment = 'live'",
        "merchants and tenants are those of the events",
    ),
    ("DELETE FROM wallet_closures", "wallets closed are those that the log closed"),
    (
        "DELETE FROM consumed_references",
        "references are those of the log's movements",
    ),
]


@pytest.mark.parametrize(
    ("tampering", "invariant"),
    TAMPERINGS,
    ids=[f"{number} {invariant}" for number, (_, invariant) in enumerate(TAMPERINGS)],
)
async def test_what_is_not_sound_is_named(
    log: PublishedLog, tampering: str, invariant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await _tamper(log, tampering)
    assert await run(log.settings, None, form="json") == 1
    said = capsys.readouterr().out
    found = msgspec.json.decode(said, type=VerifyResult)
    assert invariant in {check.name for check in found.checks if check.status == "failed"}
    assert " object at 0x" not in said


async def test_a_credential_from_before_the_log_told_of_it_is_sound(log: PublishedLog) -> None:
    """As migration 0007 leaves it; what is done to it from then on is told, and compared."""
    key_id = "key_" + "0a" * 12
    await _tamper(
        log,
        f"""
        INSERT INTO credentials (key_id, tenant_id, secret_hash, scopes, position)
        SELECT '{key_id}', tenant_id, sha256('x'), '{{admin}}', 0 FROM tenants LIMIT 1
        """,  # noqa: S608 - a constant of the test's own
    )
    assert await _failures(log) == {}
    async with administering(log.settings.require_database_url(), "operator:test") as administrator:
        assert await administrator.revoke_credential(key_id)
    assert await _failures(log) == {}
    await _tamper(log, f"UPDATE credentials SET revoked_at = NULL WHERE key_id = '{key_id}'")  # noqa: S608
    assert "credentials are those of the events" in await _failures(log)


async def test_a_movement_that_adds_up_to_nothing_is_named(log: PublishedLog) -> None:
    await _tamper(
        log,
        "UPDATE events SET data = regexp_replace(data::text, '\"amount\":([0-9]+)', "
        "'\"amount\":1\\1')::json WHERE position = "
        "(SELECT max(position) FROM events WHERE type = 'wallet.credited')",
    )
    assert "each event leads from the balance before it" in await _failures(log)


async def test_what_was_never_published_is_named(log: PublishedLog) -> None:
    log.factory.open()
    (event,) = await log.write()
    assert await _failures(log) == {}, "not published yet is no fault"
    await log.record_published(event)
    assert "Kafka has everything that was published" in await _failures(log)


async def test_a_message_that_says_something_else_than_its_event_is_named(
    publishing: PublishedLog,
) -> None:
    """Its headers are right, the hash among them, and what subscribers read is not."""
    publishing.factory.open()
    (event,) = await publishing.write()
    await publishing.publish([replace(event, data=event.data.replace("GHS", "USD"))])
    found = await _failures(publishing)
    assert list(found) == ["messages equal the log's events"]
    assert found["messages equal the log's events"] == [
        f"position {event.position} of {event.stream_id}: value differs"
    ]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"event_id": "0" * 32}, "event id"),
        ({"type": "wallet.closed"}, "type"),
        ({"schema_version": 2}, "schema version"),
        ({"recorded_at": EPOCH}, "time"),
        ({"tenant_id": "00000000-0000-0000-0000-000000000001"}, "tenant"),
    ],
)
async def test_what_a_message_says_wrongly_is_named(
    publishing: PublishedLog, changes: Mapping[str, Any], named: str
) -> None:
    publishing.factory.open()
    (event,) = await publishing.write()
    await publishing.publish([replace(event, **changes)])
    (said,) = (await _failures(publishing))["messages equal the log's events"]
    assert said == f"position {event.position} of {event.stream_id}: {named} differs"


async def test_origins_from_before_the_log_told_of_them_are_sound(log: PublishedLog) -> None:
    """As migration 0010 leaves them; a list that a told merchant has is all told."""
    await _tamper(
        log,
        """
        WITH older AS (
            INSERT INTO merchants (merchant_id, name, created_at)
            VALUES (gen_random_uuid(), 'Older', now() - interval '20 years')
            RETURNING merchant_id
        )
        INSERT INTO redirect_origins
        SELECT merchant_id, 'https://old.example', now() - interval '20 years' FROM older
        """,
    )
    assert await _failures(log) == {}
    await _tamper(log, "UPDATE redirect_origins SET created_at = now() + interval '20 years'")
    assert "redirect origins are those of the events" in await _failures(log)


async def test_read_models_that_are_behind_are_sound(publishing: PublishedLog) -> None:
    await publishing.happen(3, 100)
    assert await _failures(publishing) == {}


async def test_without_kafka_the_rest_is_checked(log: PublishedLog) -> None:
    report = Report()
    await verify(log.settings, report, kafka=False)
    assert report.failures() == {}


async def test_anchors_that_were_kept_elsewhere(log: PublishedLog, tmp_path: Path) -> None:
    rows = await log.connection.fetch("SELECT position, hash FROM events WHERE position % 50 = 0")
    anchors = tmp_path / "anchors.txt"
    lines = [f"{row['position']} {row['hash'].hex()}" for row in rows]
    anchors.write_text("\n".join(lines))
    assert await _failures(log, anchors) == {}
    for wrong in (f"50 {'00' * 32}", f"1000000 {'00' * 32}", "nonsense"):
        anchors.write_text("\n".join([*lines[1:], wrong]))
        assert list(await _failures(log, anchors)) == ["the log equals the anchors of anchors.txt"]
