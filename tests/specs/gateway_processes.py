"""Gateways as processes of their own, on one database."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from services.supervisor.ports import RememberedPorts

_PATIENCE_S = 60.0


@asynccontextmanager
async def gateway_process(dsn: str, home: Path, **settings: str) -> AsyncIterator[str]:
    """One that serves inside the block, by its URL. It is stopped in an orderly way."""
    port = RememberedPorts(home).take("gateway")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.command_line", "gateway"),
        env={
            **os.environ,
            "LEDGER_HOME": str(home),
            "LEDGER_DATABASE_URL": dsn,
            "LEDGER_HTTP_PORT": str(port),
            **settings,
        },
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await _until_ready(url)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        assert await process.wait() == 0, "the gateway stops in order"


async def _until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/readyz") as reply:
                    if reply.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
