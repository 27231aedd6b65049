"""The books: whether every acknowledged command is there, once, and the money adds up."""

import asyncio
import os
import sys
from collections.abc import Iterator

from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.load import Tally
from benchmarks.stack import ROOT
from services.runtime.settings import PREFIX
from services.runtime.sql import load_statement
from services.supervisor.processes import own_environment

_OF_LOG = load_statement(__file__, "money_of_log")
_OF_BALANCES = load_statement(__file__, "money_of_balances")
_OF_TRANSACTIONS = load_statement(__file__, "money_of_transactions")
_VERIFY_LIMIT_SECONDS = 600
_SHOWN_LINES = 12


class Sum(Struct, frozen=True, kw_only=True):
    """How many movements, and how much they moved."""

    count: int = 0
    minor: int = 0


class Moved(Struct, frozen=True, kw_only=True):
    """What was acknowledged of one kind of movement, and what the log and the history have.

    Each movement is of one minor unit.
    """

    acknowledged: int
    uncertain: int
    """What was under way when a run of wrk ended: it may have taken effect, or not."""
    logged: Sum
    shown: Sum

    def mistakes(self, name: str) -> Iterator[str]:
        """What does not add up."""
        missing = self.acknowledged - self.logged.count
        if missing > 0:
            yield f"{missing} acknowledged {name} are not in the log"
        if -missing > self.uncertain:
            yield (
                f"{-missing} {name} in the log were never acknowledged, of which "
                f"{self.uncertain} can be explained"
            )
        if self.logged.minor != self.logged.count:
            yield f"{self.logged.count} {name} of 1 moved {self.logged.minor}"
        if self.shown != self.logged:
            yield f"the history and the log differ in {name}"


class Books(Struct, frozen=True, kw_only=True):
    """What was acknowledged, what the log has, and what the read models show."""

    credited_minor: int
    logged_credits: Sum
    shown_credits: Sum
    debits: Moved
    captures: Moved
    transfers: Moved
    received: Sum
    """The transfers' other ends."""
    balances_minor: int

    @property
    def moved(self) -> dict[str, Moved]:
        """Every kind of movement by its name."""
        return {"debits": self.debits, "captures": self.captures, "transfers": self.transfers}

    def mistakes(self) -> list[str]:
        """What does not add up."""
        found = [mistake for name, moved in self.moved.items() for mistake in moved.mistakes(name)]
        spent_minor = self.debits.logged.minor + self.captures.logged.minor
        left_minor = self.logged_credits.minor - spent_minor
        claims = {
            f"credited {self.credited_minor}, the log has {self.logged_credits.minor}": (
                self.credited_minor == self.logged_credits.minor
            ),
            "the history and the log differ in credits": self.shown_credits == self.logged_credits,
            "of some transfers the log has only one end": self.received == self.transfers.logged,
            f"the balances add up to {self.balances_minor}, what the log moved to {left_minor}": (
                self.balances_minor == left_minor
            ),
        }
        return found + [claim for claim, holds in claims.items() if not holds]


class Verdict(Struct, frozen=True, kw_only=True):
    """What `ledger verify` said."""

    status: int
    last_lines: list[str]


async def close_books(bench: Bench, accepted_commands: int) -> Books:
    """Add everything up, when the read models show all of the log."""
    await bench.progress.until_caught_up()
    connection, tenant_id = bench.progress.connection, bench.stack.tenant_id
    log = {
        row["type"]: Sum(count=row["events"], minor=row["amount"])
        for row in await connection.fetch(_OF_LOG, tenant_id)
    }
    history = {
        (row["type"], row["kind"]): Sum(count=row["transactions"], minor=row["amount"])
        for row in await connection.fetch(_OF_TRANSACTIONS, tenant_id)
    }
    generator = bench.generator

    def moved(tally: Tally, event: str, kind: str, *, by_kafka: int = 0) -> Moved:
        return Moved(
            acknowledged=tally.acknowledged + by_kafka,
            uncertain=tally.uncertain,
            logged=log.get(event, Sum()),
            shown=history.get(("debit", kind), Sum()),
        )

    return Books(
        credited_minor=bench.wallets.credited_minor,
        logged_credits=log["wallet.credited"],
        shown_credits=history["credit", "credit"],
        debits=moved(generator.debits, "wallet.debited", "debit", by_kafka=accepted_commands),
        captures=moved(generator.captures, "wallet.hold_captured", "capture"),
        transfers=moved(generator.transfers, "wallet.transfer_sent", "transfer"),
        received=log.get("wallet.transfer_received", Sum()),
        balances_minor=await connection.fetchval(_OF_BALANCES, tenant_id),
    )


async def verify(bench: Bench) -> Verdict:
    """Run `ledger verify` against the running stack."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.command_line", "verify"),
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
