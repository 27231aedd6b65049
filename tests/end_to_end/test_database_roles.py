"""Every process of `ledger up` runs by a login of its own, and that is enough for all it does."""

import json
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.runtime.dsn import server_of
from services.supervisor.database_logins import PROCESS_ROLES
from tests.specs.database_roles import as_role, documented, granted
from tests.specs.running_stack import PROCESSES, Ended, RunningStack, eventually

_WHO = """
SELECT usename AS login, array_agg(DISTINCT datname ORDER BY datname) AS databases
FROM pg_stat_activity
WHERE application_name LIKE 'ledger%' AND pid <> pg_backend_pid()
GROUP BY usename
"""


def dsn_of(stack: RunningStack, login: str, database: str) -> str:
    """A login's way to a database of the stack's server."""
    passwords: dict[str, str] = json.loads((stack.home / "database-logins.json").read_text())
    server = urlsplit(stack.sandbox["DATABASE_URL"])
    return f"postgresql://{login}:{passwords[login]}@{server.hostname}:{server.port}/{database}"


async def test_each_process_is_connected_by_its_own_login(stack: RunningStack) -> None:
    expected = {login: ["ledger"] for login in PROCESS_ROLES}

    async def as_expected() -> bool:
        connected = {row["login"]: row["databases"] for row in await stack.fetch(_WHO)}
        connected.pop("vault", None)
        return connected == expected

    await eventually(as_expected, "every process is connected, and by its own login")
    assert stat.S_IMODE((stack.home / "database-logins.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", PROCESSES)
def test_no_process_is_told_the_superusers_login(stack: RunningStack, name: str) -> None:
    password = urlsplit(stack.sandbox["DATABASE_URL"]).password
    assert password

    told = Path(f"/proc/{stack.pid(name)}/environ").read_bytes()

    assert password.encode() not in told


async def test_a_rebuild_leaves_the_privileges_as_they_are(stack: RunningStack) -> None:
    for name in ("balances", "transactions", "trial_balance"):
        ended = await stack.run("rebuild", name)
        assert ended.status == 0, ended.output

    connection = await asyncpg.connect(stack.sandbox["DATABASE_URL"])
    try:
        assert await granted(connection) == documented("The log and the read models")
    finally:
        await connection.close()


@pytest.mark.parametrize("login", PROCESS_ROLES)
async def test_no_process_gets_into_the_vaults_database(stack: RunningStack, login: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await asyncpg.connect(dsn_of(stack, login, "vault"))


async def test_the_vaults_login_does_not_get_into_the_ledgers_database(stack: RunningStack) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await asyncpg.connect(dsn_of(stack, "vault", "ledger"))


BY_ROLE = [
    ("ledger_reader", ("verify",)),
    ("ledger_reader", ("tail", "--no-follow")),
    ("ledger_reader", ("trial-balance",)),
    ("ledger_administrator", ("merchants", "create", "Ama's kiosk")),
    ("ledger_writer", ("reviews", "list")),
]


@pytest.mark.parametrize(("role", "command"), BY_ROLE)
async def test_commands_need_no_more_than_their_role(
    stack: RunningStack, role: str, command: tuple[str, ...]
) -> None:
    ended = await run_as(stack, as_role(stack.sandbox["DATABASE_URL"], role), *command)

    assert ended.status == 0, ended.output


async def test_credentials_are_made_and_revoked_by_the_administrators_role(
    stack: RunningStack,
) -> None:
    dsn = as_role(stack.sandbox["DATABASE_URL"], "ledger_administrator")
    tenant = ("--tenant", stack.sandbox["TENANT_ID"])
    made = await run_as(stack, dsn, "keys", "create", *tenant, "--scope", "wallets:read")
    assert made.status == 0, made.output
    (key_id,) = re.findall(r"^client id +(\S+)$", made.output, re.MULTILINE)

    revoked = await run_as(stack, dsn, "keys", "revoke", key_id)

    assert (revoked.status, revoked.output) == (0, f"revoked {key_id}\n")


async def test_a_command_by_a_login_that_may_not_says_so_in_a_line(stack: RunningStack) -> None:
    dsn = dsn_of(stack, "scheduler", "ledger")
    ended = await run_as(stack, dsn, "trial-balance")

    assert ended.status == 1
    assert ended.output == (
        f"Error: PostgreSQL at {server_of(dsn)} (LEDGER_DATABASE_URL, or sandbox.env) does not let "
        "this login do that: permission denied for table journal_completeness\n"
    )


async def run_as(stack: RunningStack, dsn: str, *command: str) -> Ended:
    """Run `ledger …` with a login to its end."""
    process = await stack.start(*command, LEDGER_DATABASE_URL=dsn)
    output, _ = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode())
