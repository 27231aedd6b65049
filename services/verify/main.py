"""`ledger verify`: checks the invariants on a live system, and exits 1 if one does not hold.

It reads page by page, each page a statement of its own, so it holds no snapshot; what is
appended while it runs is checked by the next run.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

from projections.balances.projection import PARTS
from projections.interface import Connection, ProjectedEvent
from services.runtime.postgres import connect
from services.runtime.settings import Settings
from services.runtime.sql import load_statement
from services.runtime.terminal import output
from services.verify.account_numbers import AccountNumbers
from services.verify.anchors import check_anchors
from services.verify.books import Books
from services.verify.idempotency import Idempotency
from services.verify.identities import Identities
from services.verify.log_chain import LogChain
from services.verify.part_states import PartStates
from services.verify.parts import Parts
from services.verify.read_models import ReadModels
from services.verify.report import Form, Report
from services.verify.snapshots import Snapshots
from services.verify.tenants import TenantStreams
from services.verify.topic import Topic
from services.verify.wallet_counts import WalletCounts
from services.verify.wallet_states import WalletStates
from services.verify.wallets import Wallets

_PREPARE_SESSION = load_statement(__file__, "prepare_session")


async def run(
    settings: Settings, against: Path | None, *, kafka: bool = True, form: Form = "text"
) -> int:
    """Check everything, and print what came of it; 0 if all of it holds, else 1."""
    report = Report()
    started_at, started = datetime.now(UTC), time.monotonic()
    position = await verify(settings, report, against, kafka=kafka)
    if form == "json":
        duration_ms = round((time.monotonic() - started) * 1000)
        output().out(report.as_json(position, started_at, duration_ms), highlight=False)
    else:
        report.show(output(), position)
    return 1 if report.failures() else 0


async def verify(
    settings: Settings, report: Report, against: Path | None = None, *, kafka: bool = True
) -> int:
    """Fill the report; the position up to which the log was read."""
    connection = await connect(settings.require_database_url(), "ledger-verify")
    # The log by one session, what is compared with it by the other: at the same time.
    reading = await connect(settings.require_database_url(), "ledger-verify-log")
    try:
        await connection.execute(_PREPARE_SESSION)
        await reading.execute(_PREPARE_SESSION)
        with ExitStack() as files:
            position = await _check_database(connection, reading, report, files)
        with closing(Topic(settings, connection, report)) as topic:
            if not kafka:
                topic.skip("not asked for")
            elif settings.kafka_bootstrap is None:
                topic.skip("LEDGER_KAFKA_BOOTSTRAP is not set")
            else:
                await topic.check()
        if against is not None:
            await check_anchors(connection, report, against)
        return position
    finally:
        await reading.close()
        await connection.close()


async def _check_database(
    connection: Connection, reading: Connection, report: Report, files: ExitStack
) -> int:
    """Check the log, and with it each table; the position up to which the log was read.

    Temporary files go with `files`.
    """
    states = files.enter_context(closing(WalletStates()))
    log = LogChain(reading, states, report)
    idempotency = files.enter_context(closing(Idempotency(connection, report)))
    snapshots = Snapshots(connection, report)
    tenants = TenantStreams(connection, report)
    wallets = Wallets(connection, states, report)
    read_models = ReadModels(connection, states, report)
    parts = [
        Parts(connection, files.enter_context(closing(PartStates(kind))), report) for kind in PARTS
    ]
    counts = WalletCounts(connection, report)
    numbers = AccountNumbers(connection, states, report)
    identities = Identities(connection, states, report)
    books = Books(connection, states, report)

    async def also(events: Sequence[ProjectedEvent]) -> None:
        identities.fold(events)
        await read_models.check_transactions(events)
        for each in parts:
            each.fold(events)
        await numbers.check_events(events)
        await books.check(events)

    await books.begin()
    await log.check(also, tenants.check, snapshots=snapshots, idempotency=idempotency)
    await idempotency.check(log.position)
    await snapshots.check_strangers()
    await tenants.finish(log.position)
    await wallets.check(log.position)
    await read_models.check_balances()
    await read_models.check_strangers()
    for each in parts:
        await each.check()
    await counts.check()
    await numbers.check(log.position)
    await identities.check(log.position)
    await books.finish(log.position)
    return log.position
