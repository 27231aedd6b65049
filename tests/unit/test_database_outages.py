"""What a command says when a database cannot be asked: which server, by which setting, and why."""

import asyncpg
import pytest
from click.testing import CliRunner

from services.command_line.main import commands
from services.runtime.outages import DatabaseOutageError, said_as_outages

_DSN = "postgresql://nobody:s3cret@db/ledger?sslmode=require"


@pytest.mark.parametrize(
    "command",
    [
        *("trial-balance", "verify", "tail", "audit", "keys list", "migrate"),
        *("rebuild balances", "repartition", "reviews list"),
    ],
)
def test_a_database_that_is_away_is_a_line_and_no_traceback(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_DATABASE_URL", "postgresql://nobody:s3cret@127.0.0.1:1/nothing")
    monkeypatch.setenv("LEDGER_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    result = CliRunner().invoke(commands, command.split())
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert result.output.startswith(
        "Error: PostgreSQL at 127.0.0.1:1/nothing (LEDGER_DATABASE_URL, or sandbox.env) cannot be "
        "asked now, try again: "
    )
    assert "s3cret" not in result.output


def test_a_vault_that_is_away_is_named_by_its_own_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_VAULT_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/vault")
    result = CliRunner().invoke(commands, ["vault", "migrate"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: PostgreSQL at 127.0.0.1:1/vault (LEDGER_VAULT_DATABASE")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (asyncpg.InvalidPasswordError("password authentication failed"), "refuses the connection"),
        (asyncpg.InvalidCatalogNameError("it does not exist"), "refuses the connection"),
        (asyncpg.InsufficientPrivilegeError("permission denied"), "does not let this login do tha"),
    ],
)
def test_what_a_server_refuses_is_said_with_its_place(
    failure: asyncpg.PostgresError, said: str
) -> None:
    with pytest.raises(DatabaseOutageError) as raised, said_as_outages(_DSN):
        raise failure
    assert str(raised.value).startswith("PostgreSQL at db:5432/ledger (LEDGER_DATABASE_URL, or sa")
    assert str(raised.value).endswith(f"{failure}")
    assert said in str(raised.value)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "failure", [asyncpg.DeadlockDetectedError("deadlock"), asyncpg.LockNotAvailableError("locked")]
)
def test_tables_that_are_being_replaced_are_an_outage(failure: asyncpg.PostgresError) -> None:
    with pytest.raises(DatabaseOutageError, match="try again"), said_as_outages(_DSN):
        raise failure
