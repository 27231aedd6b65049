"""`ledger merchants`, `keys` and `audit`, as an operator types them."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from services.runtime.dsn import server_of

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


class CommandLine:
    """The command line on one database."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def run(self, *words: str, status: int = 0) -> str:
        """What it says; on its standard error where it fails."""
        ended = subprocess.run(
            [sys.executable, "-m", "services.command_line", *words],
            cwd=ROOT,
            env=os.environ | {"LEDGER_DATABASE_URL": self.dsn},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == status, ended
        return ended.stderr if status else ended.stdout

    def create_merchant(self, name: str = "Kiosk") -> tuple[str, str, str]:
        """The ids of the merchant, its live and its sandbox tenant."""
        said = self.run("merchants", "create", name, "--by", "ama", "--reason", "signed in May")
        merchant, live, sandbox = (line.split()[-1] for line in said.splitlines())
        return merchant, live, sandbox

    def create_key(self, tenant_id: str, *words: str) -> str:
        """The new credential's id."""
        said = self.run("keys", "create", "--tenant", tenant_id, "--by", "ama", *words)
        return said.split()[2]


@pytest.fixture
def line(database: str) -> CommandLine:
    return CommandLine(database)


def test_the_audit_log_has_what_an_operator_did(line: CommandLine) -> None:
    merchant, live, sandbox = line.create_merchant()
    old = line.create_key(live, "--scope", "admin", "--scope", "wallets:read")
    rotated = line.run("keys", "rotate", old, "--overlap", "30m", "--by", "kofi")
    new = rotated.split()[2]
    line.run("keys", "revoke", new, "--by", "kofi", "--reason", "it was in a log")
    line.run("merchants", "allow-redirect", merchant, "https://Shop.example.com:443", "--by", "ama")

    text = line.run("audit").splitlines()
    told = [
        msgspec.json.decode(each) for each in line.run("audit", "--format", "json").splitlines()
    ]

    assert len(text) == len(told) == 7
    assert [entry["action"].removeprefix("tenant.") for entry in told] == [
        *["merchant_created"] * 2,
        *("credential_created", "credential_rotated", "credential_revoked"),
        *["redirect_allowed"] * 2,
    ]
    assert [entry["who"] for entry in told] == [
        *["operator:ama"] * 3,
        *["operator:kofi"] * 2,
        *["operator:ama"] * 2,
    ]
    assert {entry["tenant_id"] for entry in told} == {live, sandbox}
    assert told[2]["details"]["scopes"] == ["admin", "wallets:read"]
    assert text[4].endswith(
        f"{live}  tenant.credential_revoked    operator:kofi  key_id={new}  (it was in a log)"
    )
    assert line.run("audit", "--tenant", sandbox).count("\n") == 2
    assert line.run("audit", "--since", "2100-01-01") == ""
    assert line.run("audit", "--since", told[4]["at"]).count("\n") == 3


def test_who_does_it_is_the_machines_user_unless_it_is_said(line: CommandLine) -> None:
    line.run("merchants", "create", "Kiosk")
    told = msgspec.json.decode(line.run("audit", "--format", "json").splitlines()[0])
    assert told["who"].startswith("operator:")
    assert told["reason"] is None


def test_what_an_operator_cannot_do_is_one_line(line: CommandLine) -> None:
    merchant, live, _ = line.create_merchant()
    key = line.create_key(live)
    nobody = "00000000-0000-4000-8000-000000000000"
    unknown = "key_" + "0" * 24
    for words, said in {
        ("keys", "rotate", unknown): f"there is no credential {unknown}",
        ("keys", "revoke", unknown): f"there is no credential {unknown}",
        ("keys", "create", "--tenant", nobody): f"there is no tenant {nobody}",
        ("keys", "rotate", key, "--overlap", "366d"): "an overlap is from 0 s to 365 days",
        ("merchants", "create", "a\nb"): "a name is of 1 to 255 printable characters",
        ("merchants", "create", "x", "--reason", ""): "a reason is of 1 to 255 printable",
        ("merchants", "allow-redirect", nobody, "https://a.example"): "there is no merchant",
        ("merchants", "allow-redirect", merchant, "a.example"): "an origin is scheme, host and",
    }.items():
        assert line.run(*words, status=1).startswith(f"Error: {said}"), words
    for words in (
        ("keys", "rotate", key, "--overlap", "soon"),
        ("keys", "revoke", key, "--by", "a\nb"),
        ("audit", "--since", "yesterday"),
    ):
        assert "Error: Invalid value for" in line.run(*words, status=2), words
    line.run("keys", "rotate", key)
    assert "was replaced already, and stops at" in line.run("keys", "rotate", key, status=1)
    nowhere = CommandLine(line.dsn.rsplit("/", 1)[0] + "/nowhere")
    refused = nowhere.run("merchants", "create", "Kiosk", status=1)
    assert refused.startswith(f"Error: PostgreSQL at {server_of(nowhere.dsn)} (LEDGER_DATABASE_URL")
    assert 'database "nowhere" does not exist' in refused
    assert line.run("audit", "--format", "json").count("\n") == 4
