"""The command line beside a gateway that serves, on the same database and vault."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from services.vault.places import documents_path
from tests.specs.baas_client import BaasClient
from tests.specs.form_server import BOUNDARY, form
from tests.specs.people import TIER_THREE
from tests.specs.pictures import png


class Ended(NamedTuple):
    """A command that has ended."""

    status: int
    output: str


class Line(NamedTuple):
    """A gateway, and the command line on the same database and vault."""

    baas: BaasClient
    database: str

    async def run(self, *words: str) -> Ended:
        """Run `ledger …` to its end."""
        process = await self.begin(("-m", "services.command_line"), *words)
        output, _ = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, output.decode())

    async def begin(
        self, program: tuple[str, ...], *words: str, **settings: str
    ) -> asyncio.subprocess.Process:
        """Begin a Python program on this database and vault."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *program, *words),
            env={
                **os.environ,
                **self.baas.vault.environment(),
                "LEDGER_DATABASE_URL": self.database,
                "LEDGER_KAFKA_BOOTSTRAP": "127.0.0.1:1",
                **settings,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def erase(self, user_id: str, *words: str) -> Ended:
        """Erase a customer without being asked whether it is meant."""
        return await self.run("customers", "erase", user_id, "--yes", *words)

    def documents(self) -> list[Path]:
        """Every file that the document store has."""
        folder = documents_path(self.baas.vault.settings)
        return [path for path in folder.rglob("*") if path.is_file()]


async def at_tier_three(baas: BaasClient, **change: str) -> Any:
    """A wallet that waits for its review."""
    body = form({name: str(value) for name, value in TIER_THREE.items()} | change, png())
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    reply = await baas.post("/wallets/tier-3", data=body, headers=headers)
    assert reply.status == 201, reply
    return reply.json["data"]
