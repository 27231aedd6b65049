"""The servers that we start ourselves, and how a process that was left over is dealt with."""

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import asyncpg
import pytest

from services.runtime.settings import Settings
from services.runtime.topic_identity import describe_topic
from services.runtime.topics import Topic, TopicUnavailableError, ensure_topics
from services.supervisor.embedded_postgres import EmbeddedPostgres
from services.supervisor.home import HomeInUseError, HomeLock, limit_logs
from services.supervisor.ports import RememberedPorts, is_free
from services.supervisor.postgres_account import Wish
from services.supervisor.processes import OwnedProcess, ProcessFailedError

_ACCOUNTS = [
    "auto",
    pytest.param(
        # Not for want of anything that could be installed: another user may not change its id.
        "nobody",
        marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody"),
    ),
]


def _ask(dsn: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def _modes(folder: Path) -> list[tuple[Path, int, int]]:
    found = [(path, path.stat()) for path in (folder, *folder.parents)]
    return [(path, status.st_mode, status.st_uid) for path, status in found]


def _remove_data_elsewhere(home: Path) -> None:
    """The user nobody cannot enter a private folder, so its data was put where it can."""
    elsewhere = json.loads((home / "postgres" / "account.json").read_text())["elsewhere"]
    if elsewhere is not None:
        shutil.rmtree(elsewhere)


@pytest.mark.parametrize("account", _ACCOUNTS)
def test_postgres_keeps_its_data_and_changes_nothing_outside(tmp_path: Path, account: Wish) -> None:
    """Under a folder that nobody else may enter, as a root's home is."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    before = _modes(private)
    home = private / "home"

    server = EmbeddedPostgres(home, account=account)
    server.start()
    try:
        port = server.port
        _ask(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert _ask(server.dsn, f"SHOW {setting}") == "on"
        with pytest.raises(asyncpg.InvalidPasswordError):
            _ask(server.dsn.replace("ledger:", "ledger:not-", 1), "SELECT 1")
    finally:
        server.stop()
    assert is_free(port)

    again = EmbeddedPostgres(home)
    again.start()
    try:
        assert again.port == port
        assert _ask(again.dsn, "SELECT answer FROM kept") == 42
    finally:
        again.stop()
    assert _modes(private) == before
    _remove_data_elsewhere(home)
    password = home / "postgres.password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600


def test_postgres_comes_back_after_a_crash(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.start()
    try:
        _ask(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        server.process.kill()
        while server.process.is_running():
            time.sleep(0.01)
        server.start()
        assert _ask(server.dsn, "SELECT answer FROM kept") == 42
    finally:
        server.stop()


def test_what_postgres_says_when_it_cannot_start_is_shown(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, settings={"shared_buffers": "nonsense"})

    with pytest.raises(ProcessFailedError, match="invalid value for parameter"):
        server.start()


async def test_topics_are_made_once_and_have_an_id(kafka_server: str) -> None:
    settings = Settings(kafka_bootstrap=kafka_server)
    topic = Topic(name="made-once", partitions=3, config={"retention.ms": "-1"})

    await ensure_topics(settings, [topic])
    first = await describe_topic(settings, topic.name)
    await ensure_topics(settings, [topic])

    assert first.partition_count == 3
    assert await describe_topic(settings, topic.name) == first
    with pytest.raises(TopicUnavailableError, match="there is no topic never-made"):
        await describe_topic(settings, "never-made")


def test_a_process_dies_with_its_parent(tmp_path: Path) -> None:
    """However the parent ends; here it has no chance to stop anything."""
    parent = f"""
        import os, signal
        from pathlib import Path
        from services.supervisor.processes import OwnedProcess
        process = OwnedProcess(Path({str(tmp_path)!r}), "sleeper")
        process.launch(["sleep", "600"], os.environ)
        # Until then it is still on its way to asking for the signal.
        while Path(f"/proc/{{process.pid}}/comm").read_text() != "sleep\\n":
            pass
        print(process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    shown = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(parent)], capture_output=True, check=False
    )

    assert shown.returncode == -signal.SIGKILL
    _wait_for_end(int(shown.stdout))


def test_a_process_that_was_left_over_is_stopped(tmp_path: Path) -> None:
    left_over = OwnedProcess(tmp_path, "sleeper")
    left_over.launch(["sleep", "600"], {"PATH": os.environ["PATH"]})
    assert left_over.pid is not None
    # While one program takes another's place, a process shows no environment.
    command_line = Path(f"/proc/{left_over.pid}/cmdline")
    while not command_line.read_bytes().startswith(b"sleep"):
        time.sleep(0.01)

    assert OwnedProcess(tmp_path, "sleeper").stop_leftover()
    assert not left_over.is_running()
    assert not OwnedProcess(tmp_path, "sleeper").stop_leftover()


def test_a_pid_that_belongs_to_somebody_else_now_is_left_alone(tmp_path: Path) -> None:
    stranger = OwnedProcess(tmp_path / "other", "sleeper")
    stranger.launch(["sleep", "600"], {"PATH": os.environ["PATH"]})
    try:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "sleeper.pid").write_text(f"{stranger.pid}\n")

        assert not OwnedProcess(tmp_path, "sleeper").stop_leftover()
        assert stranger.is_running()
    finally:
        stranger.stop()


def test_one_supervisor_at_a_time(tmp_path: Path) -> None:
    with (
        HomeLock(tmp_path),
        pytest.raises(HomeInUseError, match=f"pid {os.getpid()}"),
        HomeLock(tmp_path),
    ):
        pass
    with HomeLock(tmp_path):
        pass


def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    large, small = (tmp_path / "logs" / name for name in ("large.log", "small.log"))
    small.write_text("short\n")
    with large.open("wb") as file:
        file.truncate(65 * 1024 * 1024)

    limit_logs(tmp_path)

    assert large.stat().st_size == 0
    assert (tmp_path / "logs" / "large.log.1").stat().st_size == 65 * 1024 * 1024
    assert small.read_text() == "short\n"


def test_ports_are_remembered_unless_somebody_took_them(tmp_path: Path) -> None:
    ports = RememberedPorts(tmp_path)
    first = ports.take("relay")

    assert RememberedPorts(tmp_path).take("relay") == first
    assert ports.take("intake") != first
    with asyncio.Runner() as runner:
        server = runner.run(asyncio.start_server(lambda *_: None, "127.0.0.1", first))
        assert ports.take("relay") != first
        server.close()
        runner.run(server.wait_closed())


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, f"{pid} still runs"
        time.sleep(0.02)
