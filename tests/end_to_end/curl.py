"""curl, a client that this project did not write, with a merchant's credentials."""

import asyncio
import json
from typing import NamedTuple

from tests.specs.running_gateway import Reply
from tests.specs.running_stack import RunningStack


class Curl(NamedTuple):
    """Calls as a person types them: `curl -u "$CLIENT_ID:$CLIENT_SECRET" "$LEDGER_URL/v1…"`."""

    url: str
    user: str

    async def get(self, path: str) -> Reply:
        """A GET of a path under /v1."""
        return await self._run(path)

    async def post(self, path: str, body: object = None, *headers: str) -> Reply:
        """A POST, with a JSON body unless it is to be empty."""
        content = () if body is None else ("-d", json.dumps(body), "-H", f"Content-Type: {_JSON}")
        named = (word for header in headers for word in ("-H", header))
        return await self._run(path, "-X", "POST", *content, *named)

    async def _run(self, path: str, *options: str) -> Reply:
        process = await asyncio.create_subprocess_exec(
            *("curl", "--silent", "--show-error", "--include", "-u", self.user, *options),
            f"{self.url}/v1{path}",
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        head, _, body = output.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        return Reply(int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body)


_JSON = "application/json"


def merchant(stack: RunningStack) -> Curl:
    """The sandbox's merchant."""
    sandbox = stack.sandbox
    return Curl(stack.url, f"{sandbox['CLIENT_ID']}:{sandbox['CLIENT_SECRET']}")
