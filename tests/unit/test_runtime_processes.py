"""A process says how it is, speaks JSON, and stops when it is told to."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Gauge

from services.runtime.addresses import ListenError, host_in_url
from services.runtime.environment import SystemEnvironment
from services.runtime.health import HealthServer
from services.runtime.settings import Settings
from services.runtime.shutdown import run_until_signalled
from services.supervisor.ports import RememberedPorts
from tests.specs.addresses import LOOPBACKS


async def test_health_shows_life_readiness_and_metrics(tmp_path: Path) -> None:
    port = RememberedPorts(tmp_path).take("health")
    reasons = ["the database does not answer"]
    async with HealthServer(port, lambda: reasons), aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}"

        async with session.get(f"{url}/healthz") as alive:
            assert alive.status == 200
        async with session.get(f"{url}/readyz") as waiting:
            assert waiting.status == 503
            assert (await waiting.json())["reasons"] == reasons
        async with session.get(f"{url}/metrics") as metrics:
            assert "ledger_ready 0.0\n" in await metrics.text()
        reasons.clear()
        async with session.get(f"{url}/readyz") as ready:
            assert ready.status == 200
        async with session.get(f"{url}/metrics") as metrics:
            assert metrics.status == 200
            text = await metrics.text()
            assert "process_resident_memory_bytes" in text
            assert "ledger_ready 1.0\n" in text


async def test_without_a_port_there_is_no_health_server() -> None:
    before = _sockets()

    async with HealthServer(0, list):
        assert _sockets() == before


@pytest.mark.parametrize("host", LOOPBACKS)
async def test_health_is_where_the_settings_say(tmp_path: Path, host: str) -> None:
    """And nowhere else; IPv6 without brackets, as the gateway's host; the registry is brought."""
    port = RememberedPorts(tmp_path).take("health")
    registry = CollectorRegistry()
    Gauge("ledger_of_this_test", "One.", registry=registry).set(1)
    settings = Settings(health_host=host, health_port=port)
    others = [each for each in LOOPBACKS if each != host]
    async with HealthServer.of(settings, list, registry), aiohttp.ClientSession() as session:
        async with session.get(f"http://{host_in_url(host)}:{port}/metrics") as metrics:
            text = await metrics.text()
        for other in others:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"http://{host_in_url(other)}:{port}/metrics")

    assert "ledger_of_this_test 1.0\n" in text
    assert "process_resident_memory_bytes" not in text


async def test_a_place_where_nothing_can_listen_is_refused_by_name(tmp_path: Path) -> None:
    port = RememberedPorts(tmp_path).take("health")
    async with HealthServer(port, list):
        with pytest.raises(ListenError) as refused:
            await HealthServer.of(Settings(health_port=port), list).start()

    assert str(refused.value).startswith(
        "LEDGER_HEALTH_HOST and LEDGER_HEALTH_PORT: nothing can listen on "
        f"http://127.0.0.1:{port}: Address already in use"
    )


@pytest.mark.parametrize(
    ("process", "host", "variable"),
    [
        ("sandbox-provider", "LEDGER_HTTP_HOST", "LEDGER_SANDBOX_PROVIDER_PORT"),
        ("gateway", "LEDGER_HTTP_HOST", "LEDGER_HTTP_PORT"),
        ("relay", "LEDGER_HEALTH_HOST", "LEDGER_HEALTH_PORT"),
    ],
)
def test_a_process_on_a_taken_port_ends_with_one_line(
    process: str, host: str, variable: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "services.command_line", process],
            env={
                **os.environ,
                "LEDGER_HOME": str(tmp_path),
                "LEDGER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
                "LEDGER_KAFKA_BOOTSTRAP": "127.0.0.1:1",
                "LEDGER_PAYMENT_API_KEY": "k",
                "LEDGER_PAYMENT_CALLBACK_SECRET": "s",
                variable: str(port),
            },
            capture_output=True,
            check=False,
        )

    (said,) = [json.loads(line) for line in ended.stdout.splitlines() if b'"critical"' in line]
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert b"Traceback" not in ended.stdout
    assert said["event"] == "cannot_listen"
    assert said["reason"] == (
        f"{host} and {variable}: nothing can listen on http://127.0.0.1:{port}: "
        "Address already in use"
    )


def test_a_command_logs_beside_what_it_was_asked_for() -> None:
    program = """
import logging, sys
from services.runtime.logging import configure_logging
configure_logging("verify", "warning", sys.stderr)
logging.getLogger("aiokafka").error("Unable connect")
print("{}")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert ended.stdout == b"{}\n"
    assert json.loads(ended.stderr)["event"] == "Unable connect"


async def test_a_signal_cancels_the_work_and_waits_for_its_clean_up() -> None:
    steps = []

    async def work() -> int:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            steps.append("cleaned up")
        return 7

    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)

    assert await run_until_signalled(work()) is None
    assert steps == ["cleaned up"]


async def test_work_that_ends_by_itself_gives_its_result() -> None:
    async def work() -> int:
        return 7

    assert await run_until_signalled(work()) == 7


async def test_a_spawned_task_runs() -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    await SystemEnvironment().spawn(work())

    assert done.is_set()


def test_logs_are_json_lines_with_what_was_bound() -> None:
    """In a process of its own, because logging belongs to the whole process."""
    program = """
import logging, structlog
from services.runtime.logging import configure_logging
configure_logging("relay", "info")
structlog.contextvars.bind_contextvars(correlation_id="c-1")
structlog.get_logger().info("published", position=7)
structlog.get_logger().debug("not shown")
logging.getLogger("aiokafka").warning("slow %s", "broker")
"""
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True
    ).stdout.splitlines()

    ours, theirs = map(json.loads, shown)
    assert ours.pop("timestamp").endswith("Z")
    assert ours == {
        "level": "info",
        "process": "relay",
        "event": "published",
        "position": 7,
        "correlation_id": "c-1",
    }
    assert theirs["event"] == "slow broker"
    assert theirs["logger"] == "aiokafka"


def _sockets() -> list[str]:
    files = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    return sorted(file for file in files if file.startswith("socket:"))
