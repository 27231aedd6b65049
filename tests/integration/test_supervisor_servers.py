"""The servers that we start ourselves, and how a process that was left over is dealt with."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import asyncpg
import pytest

from services.runtime.settings import SecretText, Settings
from services.runtime.topic_identity import describe_topic
from services.runtime.topics import Topic, TopicUnavailableError, ensure_topics
from services.supervisor.children import Child, ChildSpec
from services.supervisor.embedded_postgres import EmbeddedPostgres
from services.supervisor.home import HomeInUseError, HomeLock, limit_logs
from services.supervisor.main import Stack
from services.supervisor.ports import RememberedPorts, is_free
from services.supervisor.postgres_account import Wish
from services.supervisor.processes import OwnedProcess, ProcessFailedError
from tests.specs.addresses import HAS_IPV6, LOOPBACKS

# Only root can become another user.
_ACCOUNTS = ["auto", *(["nobody"] if os.geteuid() == 0 else [])]


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


def test_postgres_comes_back_after_a_crash(server_home: Path) -> None:
    server = EmbeddedPostgres(server_home)
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

    said: list[str] = []
    limit_logs(tmp_path, said.append)

    assert said == []
    assert large.stat().st_size == 0
    assert (tmp_path / "logs" / "large.log.1").stat().st_size == 65 * 1024 * 1024
    assert small.read_text() == "short\n"


def test_a_large_log_is_emptied_where_there_is_no_room_to_set_it_aside(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    large, aside = (tmp_path / "logs" / name for name in ("large.log", "large.log.1"))
    with large.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    aside.symlink_to("/dev/full")

    said: list[str] = []
    limit_logs(tmp_path, said.append)

    assert large.stat().st_size == 0
    assert not aside.is_symlink()
    [told] = said
    assert told.startswith(f"{large} is emptied, and not kept as large.log.1: ")
    assert "No space left on device" in told


async def _kept_running(child: Child, said: list[str], times: int) -> None:
    """Keep it running until it was to be started again so often."""
    async with asyncio.timeout(30):
        task = asyncio.create_task(child.keep_running())
        try:
            while sum("starting it again" in each for each in said) < times and not task.done():  # noqa: ASYNC110 - processes tell nobody
                await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _a_child(home: Path, said: list[str]) -> Child:
    spec = ChildSpec(name="relay", arguments=("--help",), url="http://127.0.0.1:1", environment={})
    return Child(home, spec, said.append)


async def test_a_process_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "logs").write_text("in the way of the folder")

    await _kept_running(_a_child(tmp_path, said), said, times=2)

    assert [each for each in said if "File exists" not in each] == [
        "relay: starting it again in 0.25 s",
        "relay: starting it again in 0.5 s",
    ]
    assert len(said) == 4


async def test_a_process_whose_pid_cannot_be_kept_is_watched_all_the_same(tmp_path: Path) -> None:
    said: list[str] = []
    in_the_way = tmp_path / "run" / "relay.pid"
    in_the_way.mkdir(parents=True)

    await _kept_running(_a_child(tmp_path, said), said, times=1)

    wrong, ended, again = said
    assert "Is a directory" in wrong
    assert ended.startswith("relay ended (it ended with status 0)")
    assert again == "relay: starting it again in 0.25 s"


@pytest.mark.parametrize("host", LOOPBACKS)
def test_a_port_is_taken_where_somebody_listens(host: str) -> None:
    with socket.create_server(
        (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    ) as server:
        port = server.getsockname()[1]
        assert not is_free(port, host)
    assert is_free(port, host)


@pytest.mark.parametrize("host", [*LOOPBACKS[1:], *(["::"] if HAS_IPV6 else [])])
def test_a_port_is_free_beside_who_listens_elsewhere(host: str) -> None:
    """So the port of all IPv6 addresses is, beside who listens on IPv4."""
    with socket.create_server((LOOPBACKS[0], 0)) as server:
        assert is_free(server.getsockname()[1], host)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104
        ("::1", "http://[::1]:8080"),
        ("::", "http://[::1]:8080"),
        ("ledger.test", "http://ledger.test:8080"),
    ],
)
def test_the_url_that_is_shown_leads_to_who_listens(tmp_path: Path, host: str, url: str) -> None:
    settings = Settings(home=tmp_path, http_host=host, http_port=8080)
    assert Stack(settings, print)._url() == url


def test_a_process_is_asked_for_its_health_where_it_shows_it(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        health_host="::",
        database_url=SecretText("postgresql://db/ledger"),
        kafka_bootstrap="kafka:9092",
    )
    child = Stack(settings, print)._child("relay", ("relay",), 0)
    port = RememberedPorts(tmp_path).all()["relay"]
    assert child._spec.url == f"http://[::1]:{port}"
    assert child._spec.environment["LEDGER_HEALTH_PORT"] == str(port)


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
