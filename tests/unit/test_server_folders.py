"""Servers of tests keep their data in memory where there is room, and leave nothing there."""

import sys
from pathlib import Path

import pytest

from tests.specs import server_folders
from tests.specs.server_folders import folder_in_memory


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the memory, with room enough."""
    monkeypatch.setattr(server_folders, "_MEMORY", tmp_path)
    monkeypatch.setattr(server_folders, "_ROOM_BYTES", 0)
    return tmp_path


def test_what_was_written_is_gone_afterwards(memory: Path) -> None:
    with folder_in_memory() as folder:
        assert folder is not None
        assert folder.parent == memory
        (folder / "data").write_text("of a server")
    assert list(memory.iterdir()) == []


def test_where_there_is_no_room_there_is_no_folder(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_folders, "_ROOM_BYTES", sys.maxsize)
    with folder_in_memory() as folder:
        assert folder is None
    assert list(memory.iterdir()) == []


def test_where_there_is_no_such_file_system_there_is_no_folder(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_folders, "_MEMORY", memory / "missing")
    with folder_in_memory() as folder:
        assert folder is None


def test_what_a_killed_run_left_is_removed_and_another_runs_folder_is_not(memory: Path) -> None:
    left = memory / "ledger-tests-left"
    left.mkdir()
    (left / "lock").touch()
    strange = memory / "somebody-else"
    strange.mkdir()
    with folder_in_memory() as first, folder_in_memory() as second:
        assert {*memory.iterdir()} == {first, second, strange}
