"""Plans of the statements that run all the time, as made while the tables are empty.

The trap: on an empty table every index that starts with the tenant costs the same as the
primary key, and a plan that reads all of a tenant's rows for one wallet would be kept.
"""

import re
from pathlib import Path

import asyncpg
import pytest

from projections.log import prepare_session

ROOT = Path(__file__).parents[2]
COLD = """
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET plan_cache_mode = force_generic_plan;
"""

# Releases before 18 prefer a bitmap for some: it reads by the same key.
_INDEX = re.compile(r"(?:Scan using|Scan Backward using|Bitmap Index Scan on) (?P<index>\w+)")

HOT_STATEMENTS = [
    ("projections/balances/sql/load.sql", {"balances_pkey"}),
    ("projections/balances/sql/update.sql", {"balances_pkey"}),
    (
        "projections/balances/sql/read_many.sql",
        {"balances_pkey", "events_tenant_id_stream_id_version_key"},
    ),
    (
        "services/gateway/baas/sql/list_wallets.sql",
        {"balances_by_currency", "wallet_counts_pkey"},
    ),
    ("projections/balances/sql/load_holds.sql", {"holds_pkey"}),
    ("projections/balances/sql/update_holds.sql", {"holds_pkey"}),
    (
        "projections/balances/sql/read_hold.sql",
        {"balances_pkey", "holds_pkey", "events_tenant_id_stream_id_version_key"},
    ),
    ("projections/balances/sql/load_topups.sql", {"topups_pkey"}),
    ("projections/balances/sql/update_topups.sql", {"topups_pkey"}),
    (
        "projections/balances/sql/read_topup.sql",
        {"balances_pkey", "topups_pkey", "events_tenant_id_stream_id_version_key"},
    ),
    (
        "projections/balances/sql/list_due.sql",
        {"balances_by_next_lapse", "holds_by_expiry", "holds_by_next_expiry", "topups_by_expiry"},
    ),
    ("projections/sql/find_event.sql", {"events_by_id"}),
    ("projections/transactions/sql/load.sql", {"transaction_progress_pkey"}),
    (
        "projections/transactions/sql/read_transaction.sql",
        {
            "transaction_progress_pkey",
            "transactions_pkey",
            "transactions_by_reversed",
            "events_tenant_id_stream_id_version_key",
        },
    ),
    (
        "projections/transactions/sql/page_declined_by_type.sql",
        {
            "transaction_progress_pkey",
            "transactions_declined_by_type",
            "events_tenant_id_stream_id_version_key",
        },
    ),
    ("projections/trial_balance/sql/load.sql", {"journal_progress_pkey"}),
    (
        "projections/trial_balance/sql/reached.sql",
        {"events_pkey", "journal_completeness_pkey", "journal_progress_pkey"},
    ),
    (
        "projections/trial_balance/sql/newest_entry.sql",
        {"accounts_pkey", "journal_entries_pkey"},
    ),
    (
        "projections/trial_balance/sql/list_entries.sql",
        {"journal_entries_pkey", "journal_entries_by_credit", "events_pkey"},
    ),
    (
        "services/gateway/audit/sql/wallet_events.sql",
        {"events_tenant_id_stream_id_version_key"},
    ),
    ("services/gateway/baas/sql/find_consumed.sql", {"consumed_references_pkey", "events_pkey"}),
    ("services/gateway/baas/sql/find_event.sql", {"events_by_id"}),
    ("services/gateway/baas/sql/find_reversal.sql", {"reversals_by_transaction"}),
    ("services/gateway/baas/sql/find_declined.sql", {"declines_by_reference"}),
    (
        "projections/transactions/sql/read_capture.sql",
        {
            "transaction_progress_pkey",
            "transactions_by_hold",
            "events_tenant_id_stream_id_version_key",
        },
    ),
    (
        "ledger/event_log/sql/recorded.sql",
        {"appends_pkey", "command_outcomes_pkey", "consumed_references_pkey", "events_pkey"},
    ),
    (
        "ledger/event_log/sql/stored_wallets.sql",
        {"snapshots_pkey", "events_tenant_id_stream_id_version_key"},
    ),
    ("ledger/event_log/sql/reversed_amounts.sql", {"reversals_by_transaction"}),
    ("ledger/event_log/sql/payments.sql", {"payments_by_topup"}),
    ("projections/balances/sql/update_standing.sql", {"balances_pkey"}),
]


@pytest.mark.parametrize(
    ("file", "indexes"), HOT_STATEMENTS, ids=[row[0] for row in HOT_STATEMENTS]
)
async def test_a_hot_statement_goes_by_whole_keys(
    database: str, file: str, indexes: set[str]
) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(COLD)
    await connection.execute(f"PREPARE probe AS {(ROOT / file).read_text()}")
    count = await connection.fetchval(
        "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'probe'"
    )
    nothing = ", ".join(["NULL"] * count)
    rows = await connection.fetch(f"EXPLAIN EXECUTE probe ({nothing})")
    plan = "\n".join(row[0] for row in rows)
    used = {found["index"] for found in _INDEX.finditer(plan)}
    assert used == indexes, plan
    assert "Seq Scan" not in plan, plan
    await connection.close()


async def test_a_projector_plans_anew(database: str) -> None:
    """Where several indexes would do, the choice is made by the size that the tables have."""
    connection = await asyncpg.connect(database)
    await prepare_session(connection)
    assert await connection.fetchval("SHOW plan_cache_mode") == "force_custom_plan"
    await connection.close()
