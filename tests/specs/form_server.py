"""A real server that reads one kind of form, and clients that send it byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from services.gateway.answers import Answer
from services.gateway.baas.failures import failure_of_error
from services.gateway.baas.multipart import Form, read_form
from services.gateway.problems import RefusedError

BOUNDARY = "frontier"


class Outcome(NamedTuple):
    """What came of one request on the server's side, and what the sink had got by then."""

    form: Form | None
    error: Exception | None
    file: bytes
    largest_chunk_bytes: int

    @property
    def code(self) -> str:
        """The refusal's code."""
        assert isinstance(self.error, RefusedError), self
        return self.error.code


class Reply(NamedTuple):
    """What a client reads."""

    status: int
    body: dict[str, Any]

    @property
    def errors(self) -> dict[str, str]:
        """Messages by field."""
        return {error["field"]: error["message"] for error in self.body["errors"]}


OnChunk = Callable[[web.BaseRequest, bytes], Awaitable[None]]


class FormServer:
    """Reads a form with each request and remembers what came of it."""

    def __init__(self) -> None:
        self.port = 0
        self.outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self.on_chunk: OnChunk | None = None

    async def handle(self, request: web.BaseRequest) -> Answer:
        """Read the form."""
        file = bytearray()
        largest = 0

        async def sink(chunk: bytes) -> None:
            nonlocal file, largest
            file += chunk
            largest = max(largest, len(chunk))
            if self.on_chunk is not None:
                await self.on_chunk(request, chunk)

        try:
            form = await read_form(request, sink)
        except Exception as error:  # noqa: BLE001 - each is told, as the gateway does
            self.outcomes.put_nowait(Outcome(None, error, bytes(file), largest))
            return failure_of_error(error)
        self.outcomes.put_nowait(Outcome(form, None, bytes(file), largest))
        return Answer(200, b"Content-Type: application/json\r\n", msgspec.json.encode(form.fields))

    async def outcome(self) -> Outcome:
        """What came of the next request."""
        async with asyncio.timeout(10):
            return await self.outcomes.get()

    async def send(self, *pieces: bytes) -> Reply:
        """Send bytes as they are, and read the answer; the server may stop listening before."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(10):
                for piece in pieces:
                    if reader.at_eof() or writer.is_closing():
                        break
                    writer.write(piece)
                    await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"HTTP/1.1 100"):
                    head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
        finally:
            writer.close()
        return Reply(int(head.split()[1]), msgspec.json.decode(body))

    async def post(self, body: bytes, **headers: str) -> Reply:
        """Post a body with its true length."""
        return await self.send(head(len(body), **headers) + body)

    async def cut_off(self, *pieces: bytes) -> Outcome:
        """Send bytes, drop the connection, and see what came of it."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()
        return await self.outcome()


@asynccontextmanager
async def form_server() -> AsyncIterator[FormServer]:
    """A server on a free port, set up as the gateway's, but less patient with what it refused."""
    server = FormServer()
    loop = asyncio.get_running_loop()
    low_level = web.Server(
        server.handle, auto_decompress=False, access_log=None, lingering_time=0.05
    )
    listener = await loop.create_server(low_level, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await low_level.shutdown()
        await listener.wait_closed()


def head(length: int | None, **headers: str) -> bytes:
    """A request's head. Underscores in names are hyphens; without a length it is chunked."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    fields = {"Content_Type": f"multipart/form-data; boundary={BOUNDARY}"} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value]
    return "\r\n".join(["POST / HTTP/1.1", "Host: x", framing, *lines, "", ""]).encode()


def field(name: str, value: bytes | str) -> bytes:
    """A text field."""
    content = value.encode() if isinstance(value, str) else value
    return part(f'Content-Disposition: form-data; name="{name}"', content)


def file(content: bytes, name: str = "utility_bill_image") -> bytes:
    """A file."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="bill.png"'
    return part(f"{disposition}\r\nContent-Type: image/png", content)


def part(headers: str, content: bytes) -> bytes:
    """A part with any headers."""
    return f"--{BOUNDARY}\r\n{headers}\r\n\r\n".encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def form(fields: Mapping[str, str], content: bytes) -> bytes:
    """A whole form; the file stands in the middle of the fields."""
    texts = [field(name, value) for name, value in fields.items()]
    half = len(texts) // 2
    return b"".join([*texts[:half], file(content), *texts[half:], END])


def chunked(body: bytes, size: int) -> bytes:
    """A body in chunks of a size, with their end."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
