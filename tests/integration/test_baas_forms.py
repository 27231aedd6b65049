"""The form of tier three over real sockets: streamed, bounded, and refused in clear words."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from services.gateway.baas.multipart import (
    MAX_FIELD_BYTES,
    MAX_FILE_BYTES,
    MAX_FORM_BYTES,
)
from tests.specs.form_server import (
    BOUNDARY,
    END,
    FormServer,
    chunked,
    field,
    file,
    form,
    form_server,
    head,
    part,
)
from tests.specs.refused_forms import REFUSED

FIELDS = {"bvn": "22222222222", "first_name": "Ngozi", "city": "Ìbàdàn", "lga": ""}
BILL = bytes(range(256)) * 40
# What nearly is a boundary, and line ends of every kind.
TRICKY = (
    f"\n--{BOUNDARY}\r--{BOUNDARY}--\r\n--{BOUNDARY[:-1]}\r\n-{BOUNDARY}\n\r\r\n".encode() * 500
)
CHUNK_LIMIT = 64 * 1024 + 1024


@pytest.fixture
async def server() -> AsyncIterator[FormServer]:
    async with form_server() as running:
        yield running


@pytest.mark.parametrize("content", [BILL, TRICKY, b"x", b"\r\n", os.urandom(300_000)])
async def test_a_form_as_clients_send_it(server: FormServer, content: bytes) -> None:
    reply = await server.post(form(FIELDS, content))
    assert (reply.status, reply.body) == (200, FIELDS)
    outcome = await server.outcome()
    assert outcome.form is not None
    assert outcome.file == content
    assert outcome.form.file_bytes == len(content)
    assert outcome.form.file_content_type == "image/png"
    assert outcome.largest_chunk_bytes <= CHUNK_LIMIT


@pytest.mark.parametrize("size", [1, 7, 61, 4096])
async def test_however_it_is_chunked(server: FormServer, size: int) -> None:
    content = TRICKY[:3000]
    reply = await server.send(head(None), chunked(form(FIELDS, content), size))
    assert reply.status == 200
    assert (await server.outcome()).file == content


async def test_however_the_network_cuts_it(server: FormServer) -> None:
    body = form(FIELDS, TRICKY[:200])
    whole = head(len(body)) + body
    reply = await server.send(*(whole[at : at + 1] for at in range(len(whole))))
    assert reply.status == 200
    assert (await server.outcome()).file == TRICKY[:200]


async def test_what_an_ordinary_client_sends(server: FormServer, tmp_path: Path) -> None:
    path = tmp_path / "bill.pdf"
    path.write_bytes(BILL)
    data = aiohttp.FormData(FIELDS)
    with path.open("rb") as opened:
        data.add_field(
            "utility_bill_image", opened, filename="bill.pdf", content_type="application/pdf"
        )
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{server.port}/", data=data) as response,
        ):
            assert response.status == 200
    outcome = await server.outcome()
    assert outcome.form is not None
    assert (outcome.form.fields, outcome.form.file_content_type) == (FIELDS, "application/pdf")


async def test_what_curl_sends(server: FormServer, tmp_path: Path) -> None:
    """It waits to be told that it may send the body."""
    path = tmp_path / "bill.jpg"
    path.write_bytes(BILL * 120)
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sf", "-H", "Expect: 100-continue", "-F", "bvn=22222222222"),
        *("-F", f"utility_bill_image=@{path}", f"http://127.0.0.1:{server.port}/"),
    )
    assert await process.wait() == 0
    assert (await server.outcome()).file == BILL * 120


async def test_a_preamble_and_an_epilogue_say_nothing(server: FormServer) -> None:
    reply = await server.post(b"preamble\r\n" + form(FIELDS, BILL) + b"epilogue\r\nand more\r\n")
    assert (reply.status, reply.body) == (200, FIELDS)


async def test_a_connection_goes_on_after_a_form(server: FormServer) -> None:
    """What came after the last boundary is read away, not taken for the next request."""
    body = form(FIELDS, BILL) + b"epilogue\r\n" * 100
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for _ in range(2):
        writer.write(head(len(body)) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        await reader.readexactly(int(answer.lower().split(b"content-length: ")[1].split()[0]))
    writer.close()


async def test_the_largest_file(server: FormServer) -> None:
    content = os.urandom(1024) * (MAX_FILE_BYTES // 1024)
    reply = await server.post(form(FIELDS, content))
    assert reply.status == 200
    outcome = await server.outcome()
    assert outcome.file == content
    assert outcome.largest_chunk_bytes <= CHUNK_LIMIT


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_file_that_is_a_byte_too_large(server: FormServer, is_chunked: bool) -> None:
    body = form(FIELDS, b"x" * (MAX_FILE_BYTES + 1))
    if is_chunked:
        reply = await server.send(head(None), chunked(body, 60_000))
    else:
        reply = await server.post(body)
    assert reply.status == 413
    assert reply.errors == {"utility_bill_image": f"must not be over {MAX_FILE_BYTES} bytes"}
    assert len((await server.outcome()).file) <= MAX_FILE_BYTES


async def test_a_length_that_is_too_large_is_refused_before_the_body(server: FormServer) -> None:
    reply = await server.send(head(MAX_FORM_BYTES + 1))
    assert reply.status == 413
    reply = await server.send(head(MAX_FORM_BYTES + 1, Expect="100-continue"))
    assert reply.status == 413
    assert (await server.outcome()).file == b""


async def refused_as_too_long(server: FormServer, *pieces: bytes) -> bool:
    """Whether a body in chunks is refused for its size."""
    chunks = (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    reply = await server.send(head(None), *chunks)
    told = f"Payload too large: the body is over {MAX_FORM_BYTES} bytes"
    return (reply.status, reply.body["message"]) == (413, told)


async def test_an_epilogue_is_bounded_too(server: FormServer) -> None:
    nothing = b"nothing\r\n" * 10_000
    endless = [nothing] * (MAX_FORM_BYTES // len(nothing) + 1)
    assert await refused_as_too_long(server, form(FIELDS, BILL), *endless)


async def test_headers_of_parts_count_too(server: FormServer) -> None:
    headers = "".join(f"\r\nX-{number}: {'x' * 8000}" for number in range(12))
    parts = [
        part(f'Content-Disposition: form-data; name="f{number}"{headers}', b"")
        for number in range(2)
    ]
    assert await refused_as_too_long(server, file(b"x" * MAX_FILE_BYTES), *parts, END)


async def test_a_slow_sink_holds_the_client_back(server: FormServer) -> None:
    """While it is at work, no more than the connection's own buffers fills memory."""
    waiting: list[int] = []

    async def slow(request: web.BaseRequest, _: bytes) -> None:
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        if not waiting:
            async with asyncio.timeout(10):
                while transport.is_reading():  # noqa: ASYNC110 - no event tells of it
                    await asyncio.sleep(0.001)
            waiting.append(request.content.total_bytes)

    server.on_chunk = slow
    content = b"x" * 9_000_000
    assert (await server.post(form(FIELDS, content))).status == 200
    assert (await server.outcome()).file == content
    assert waiting[0] < 3_000_000


async def test_what_the_sink_raises_is_not_taken_for_a_broken_form(server: FormServer) -> None:
    async def full(_: web.BaseRequest, __: bytes) -> None:
        raise ValueError("the disk is full")

    server.on_chunk = full
    reply = await server.post(form(FIELDS, BILL))
    assert reply.status == 500
    assert "disk" not in str(reply.body)
    assert isinstance((await server.outcome()).error, ValueError)


def _cuts() -> list[int]:
    body = form(FIELDS, BILL)
    return sorted(
        {0, 1, *range(10, len(body), len(body) // 40), len(body) - len(END), len(body) - 1}
    )


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_form_that_is_cut_off_anywhere_is_refused(
    server: FormServer, is_chunked: bool
) -> None:
    body = form(FIELDS, BILL)
    for cut in _cuts():
        begun = body[:cut]
        if is_chunked:
            sent = chunked(begun, 1000).removesuffix(b"0\r\n\r\n")
            outcome = await server.cut_off(head(None) + sent)
        else:
            outcome = await server.cut_off(head(len(body)) + begun)
        assert outcome.code == "malformed_request", cut


@pytest.mark.parametrize("sent_bytes", [0, 40, -10])
async def test_who_falls_silent_is_not_waited_for(
    server: FormServer, monkeypatch: pytest.MonkeyPatch, sent_bytes: int
) -> None:
    """The connection is open and nothing comes: before the first part, amid it, at the end."""
    monkeypatch.setattr("services.gateway.requests.MAX_SILENCE_SECONDS", 0.05)
    body = form(FIELDS, BILL)
    reply = await server.send(head(len(body)) + body[:sent_bytes])
    assert (reply.status, reply.body["message"]) == (
        400,
        "Malformed request: the rest of the body did not come in time",
    )


async def test_a_form_without_its_end_is_refused_even_if_the_body_is_whole(
    server: FormServer,
) -> None:
    """So is a Content-Length that lies: the body ends where it says."""
    body = form(FIELDS, BILL)
    for cut in [cut for cut in _cuts() if cut < len(body) - 3]:
        reply = await server.send(head(cut) + body[:cut])
        assert reply.status == 400, cut
        reply = await server.send(head(None), chunked(body[:cut], 500))
        assert reply.status == 400, cut


async def test_a_length_that_promises_more_is_a_cut_off_body(server: FormServer) -> None:
    body = form(FIELDS, BILL)
    outcome = await server.cut_off(head(len(body) + 10) + body)
    assert outcome.code == "malformed_request"


@pytest.mark.parametrize(
    ("content_type", "status", "message"),
    [
        ("", 415, "the body must be of content type multipart/form-data"),
        ("application/json", 415, "the body must be of content type multipart/form-data"),
        ("multipart/mixed; boundary=frontier", 415, "the body must be of content type"),
        ("multipart/form-data", 400, "the content type names no boundary"),
        ("multipart/form-data; boundary=", 400, "the content type names no boundary"),
        ("multipart/form-data; boundary=" + "x" * 71, 400, "the boundary cannot be used"),
        ("multipart/form-data; boundary=other", 400, "the form is broken off, or a part of it"),
        ("multipart/form-data; boundary=front", 400, "the form is broken off, or a part of it"),
    ],
)
async def test_content_types(
    server: FormServer, content_type: str, status: int, message: str
) -> None:
    reply = await server.post(form(FIELDS, BILL), Content_Type=content_type)
    assert reply.status == status
    assert message in reply.body["message"]


async def test_a_compressed_form_is_refused(server: FormServer) -> None:
    assert (await server.post(form(FIELDS, BILL), Content_Encoding="gzip")).status == 415


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_wrong_with_a_form_is_told(server: FormServer, what: str) -> None:
    body, status, message, errors = REFUSED[what]
    reply = await server.post(body)
    assert (reply.status, reply.errors) == (status, errors)
    assert message in reply.body["message"]
    assert (await server.outcome()).form is None


@pytest.mark.parametrize("length", [29, 40, 70])
async def test_a_default_charset_is_refused_where_the_boundary_is_long(
    server: FormServer, length: int
) -> None:
    boundary = "x" * length
    body = field("_charset_", "utf-8") + form(FIELDS, BILL)
    reply = await server.post(
        body.replace(BOUNDARY.encode(), boundary.encode()),
        Content_Type=f"multipart/form-data; boundary={boundary}",
    )
    assert reply.status == 400
    assert "cannot be read" in reply.body["message"]


async def test_a_field_of_the_largest_size(server: FormServer) -> None:
    reply = await server.post(field("address", "x" * MAX_FIELD_BYTES) + file(BILL) + END)
    assert reply.body == {"address": "x" * MAX_FIELD_BYTES}


async def test_a_form_does_not_show_what_it_holds(server: FormServer) -> None:
    await server.post(form(FIELDS, BILL))
    outcome = await server.outcome()
    assert repr(outcome.form) == "Form(…)"


async def test_a_form_that_was_damaged_on_the_way_is_read_or_refused(server: FormServer) -> None:
    """Whatever comes, it is the client's mistake, and never a fault of ours."""
    chance = random.Random(8)  # noqa: S311 - the same damage with each run
    sound = form(FIELDS, BILL[:300])
    pieces = [
        f"--{BOUNDARY}".encode(),
        b"--",
        b"\r\n",
        b"\n",
        b"\r\n\r\n",
        b'"',
        b";",
        b"\x00",
        b"",
    ]
    statuses = set()
    for _ in range(300):
        body = bytearray(sound)
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(body))
            body[start : start + chance.choice([0, 1, 5, 40])] = chance.choice(pieces)
        reply = await server.post(bytes(body))
        outcome = await server.outcome()
        assert reply.status in {200, 400, 413}, (bytes(body), outcome)
        statuses.add(reply.status)
    assert statuses >= {200, 400}


def test_a_header_that_cannot_be_read_is_not_printed() -> None:
    """By default a warning would be, with the name of a person in it."""
    program = (
        "import services.gateway.baas.multipart\n"
        "from aiohttp import BadContentDispositionHeader, BadContentDispositionParam\n"
        "from aiohttp.multipart import parse_content_disposition\n"
        "for header in ('form data; name=Ngozi', 'form-data; name*=Ngozi'):\n"
        "    try:\n"
        "        parse_content_disposition(header)\n"
        "    except (BadContentDispositionHeader, BadContentDispositionParam) as warning:\n"
        "        print(type(warning).__name__)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.split() == ["BadContentDispositionHeader", "BadContentDispositionParam"]
    assert ran.stderr == ""
