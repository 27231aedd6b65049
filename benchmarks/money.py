"""The books: whether every acknowledged command is there, once, and the money adds up."""

import asyncio
import os
import sys

from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.stack import ROOT
from services.runtime.settings import PREFIX
from services.runtime.sql import load_statement
from services.supervisor.processes import own_environment

_OF_LOG = load_statement(__file__, "money_of_log")
_OF_BALANCES = load_statement(__file__, "money_of_balances")
_OF_TRANSACTIONS = load_statement(__file__, "money_of_transactions")
_VERIFY_LIMIT_SECONDS = 600
_SHOWN_LINES = 12


class Books(Struct, frozen=True, kw_only=True):
    """What was acknowledged, what the log has, and what the read models show."""

    credited_minor: int
    acknowledged_debits: int
    uncertain_debits: int
    """Requests under way when a run of wrk ended: they may have taken effect, or not."""
    logged_credits_minor: int
    logged_debits: int
    logged_debits_minor: int
    balances_minor: int
    history_credits_minor: int
    history_debits: int
    history_debits_minor: int

    def mistakes(self) -> list[str]:
        """What does not add up. Every debit is of one minor unit."""
        missing = self.acknowledged_debits - self.logged_debits
        claims = {
            f"{missing} acknowledged debits are not in the log": missing <= 0,
            f"{-missing} debits in the log were never acknowledged, of which "
            f"{self.uncertain_debits} can be explained": -missing <= self.uncertain_debits,
            f"{self.logged_debits} debits of 1 took {self.logged_debits_minor}": (
                self.logged_debits == self.logged_debits_minor
            ),
            f"credited {self.credited_minor}, the log has {self.logged_credits_minor}": (
                self.credited_minor == self.logged_credits_minor
            ),
            f"the balances add up to {self.balances_minor}, credits less debits of the log to "
            f"{self.logged_credits_minor - self.logged_debits_minor}": (
                self.balances_minor == self.logged_credits_minor - self.logged_debits_minor
            ),
            "the history and the log differ": (
                (self.history_credits_minor, self.history_debits, self.history_debits_minor)
                == (self.logged_credits_minor, self.logged_debits, self.logged_debits_minor)
            ),
        }
        return [claim for claim, holds in claims.items() if not holds]


class Verdict(Struct, frozen=True, kw_only=True):
    """What `ledger verify` said."""

    status: int
    last_lines: list[str]


async def close_books(bench: Bench, accepted_commands: int) -> Books:
    """Add everything up, when the read models show all of the log."""
    await bench.progress.until_caught_up()
    connection, tenant_id = bench.progress.connection, bench.stack.tenant_id
    log = {row["type"]: row for row in await connection.fetch(_OF_LOG, tenant_id)}
    history = {row["type"]: row for row in await connection.fetch(_OF_TRANSACTIONS, tenant_id)}
    tally = bench.generator.debits
    return Books(
        credited_minor=bench.wallets.credited_minor,
        acknowledged_debits=tally.acknowledged + accepted_commands,
        uncertain_debits=tally.uncertain,
        logged_credits_minor=log["wallet.credited"]["amount"],
        logged_debits=log["wallet.debited"]["events"],
        logged_debits_minor=log["wallet.debited"]["amount"],
        balances_minor=await connection.fetchval(_OF_BALANCES, tenant_id),
        history_credits_minor=history["credit"]["amount"],
        history_debits=history["debit"]["transactions"],
        history_debits_minor=history["debit"]["amount"],
    )


async def verify(bench: Bench) -> Verdict:
    """Run `ledger verify` against the running stack."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.cli", "verify"),
        cwd=ROOT,
        env={
            **own_environment(without_prefixes=(PREFIX,)),
            "LEDGER_HOME": str(bench.stack.home),
            "LEDGER_DATABASE_URL": bench.stack.dsn,
            "LEDGER_KAFKA_BOOTSTRAP": bench.stack.settings.require_kafka_bootstrap(),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_VERIFY_LIMIT_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        said = [f"did not end within {_VERIFY_LIMIT_SECONDS} s"]
        return Verdict(status=os.EX_TEMPFAIL, last_lines=said)
    lines = output.decode(errors="replace").splitlines()
    return Verdict(status=process.returncode or 0, last_lines=lines[-_SHOWN_LINES:])
