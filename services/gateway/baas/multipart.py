"""The form of tier three: text fields, and one file that is handed on as it comes.

Nothing of it is kept on the way: the file goes chunk by chunk to a sink, which must drop
what it has when the reading is refused.
"""

import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from aiohttp import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    BodyPartReader,
    MultipartReader,
    StreamReader,
    web,
)
from aiohttp.helpers import parse_mimetype
from aiohttp.http_exceptions import HttpProcessingError

from schemas.http.baas_wallets import UTILITY_BILL_FIELD
from schemas.personal import Personal
from services.gateway.answers import invite_body
from services.gateway.baas.body_source import MAX_LINE_BYTES, BodySource
from services.gateway.problems import RefusedError
from services.gateway.requests import malformed

MAX_FILE_BYTES: Final = 10 * 1024 * 1024
MAX_FORM_BYTES: Final = MAX_FILE_BYTES + 128 * 1024
"""Of everything: the file, the fields, their headers and what stands between them."""
MAX_FIELDS: Final = 32
MAX_FIELD_BYTES: Final = 4 * 1024
_MAX_PART_HEADERS: Final = 16
_CHUNK_BYTES: Final = 64 * 1024
_MAX_FIELD_NAME_CHARACTERS: Final = 64
_PLAIN_ENCODINGS: Final = frozenset({"", "7bit", "8bit", "binary"})
# Of a header that it cannot read aiohttp warns, which prints the header, and goes on. It may
# name a person; raised instead, it is a refusal, and is printed nowhere.
warnings.simplefilter("error", BadContentDispositionHeader)
warnings.simplefilter("error", BadContentDispositionParam)

# What aiohttp raises where a part or its headers are not as they should be.
_BROKEN_FORM: Final = (
    ValueError,
    RuntimeError,
    BadContentDispositionHeader,
    BadContentDispositionParam,
    HttpProcessingError,
)

Sink = Callable[[bytes], Awaitable[None]]
"""Takes the next chunk of the file. What it raises ends the reading, and is passed on."""


class Form(Personal, frozen=True, kw_only=True):
    """What came beside the file, and what the client said about that."""

    fields: Mapping[str, str]
    file_content_type: str
    """As the client claims; empty if it does not."""
    file_bytes: int


async def read_form(request: web.BaseRequest, sink: Sink) -> Form:
    """Read the form to its end. Refuses with 400, 413, 415, at times amid the file."""
    source = BodySource(request.content, MAX_FORM_BYTES)
    reader = _reader_of(request, source)
    if (request.content_length or 0) > MAX_FORM_BYTES:
        raise RefusedError("payload_too_large", f"the body is over {MAX_FORM_BYTES} bytes")
    invite_body(request)
    form = await _FormReader(reader, sink).read()
    # Only whoever has seen the body's end knows that nothing was cut off.
    await source.drain()
    return form


def _reader_of(request: web.BaseRequest, source: BodySource) -> MultipartReader:
    content_type = request.headers.get("Content-Type", "")
    # Others' parameters may be anything; this one decides, and is nobody's default.
    said = parse_mimetype(content_type)
    if (said.type, said.subtype) != ("multipart", "form-data"):
        raise RefusedError(
            "unsupported_media_type", "the body must be of content type multipart/form-data"
        )
    if "Content-Encoding" in request.headers:
        raise RefusedError("unsupported_media_type", "the body must not be compressed")
    if not said.parameters.get("boundary"):
        raise malformed("the content type names no boundary")
    try:
        return MultipartReader(
            {"Content-Type": content_type},
            # It has what the reader uses of a stream.
            cast("StreamReader", source),
            max_field_size=MAX_LINE_BYTES,
            max_headers=_MAX_PART_HEADERS,
        )
    except _BROKEN_FORM:
        raise malformed("the boundary cannot be used") from None


class _FormReader:
    def __init__(self, reader: MultipartReader, sink: Sink) -> None:
        self._reader = reader
        self._sink = sink
        self._fields: dict[str, str] = {}
        self._file: tuple[str, int] | None = None

    async def read(self) -> Form:
        """All parts, to the last boundary."""
        while (part := await self._next_part()) is not None:
            await self._read_part(part)
        if self._file is None:
            raise _invalid(UTILITY_BILL_FIELD, "is required, as a file")
        content_type, file_bytes = self._file
        return Form(fields=self._fields, file_content_type=content_type, file_bytes=file_bytes)

    async def _read_part(self, part: BodyPartReader) -> None:
        name, file_name = _names_of(part)
        is_file = name == UTILITY_BILL_FIELD
        if name in self._fields or (is_file and self._file is not None):
            raise _invalid(name, "must be given once")
        if is_file:
            if file_name is None:
                raise _invalid(name, "must be a file")
            self._file = (part.headers.get("Content-Type", ""), await self._pass_on(part))
            return
        if file_name is not None:
            raise malformed(f"only {UTILITY_BILL_FIELD} may be a file")
        if len(self._fields) >= MAX_FIELDS:
            raise malformed(f"the form has more than {MAX_FIELDS} fields")
        self._fields[name] = await self._text(part, name)

    async def _pass_on(self, part: BodyPartReader) -> int:
        file_bytes = 0
        while not part.at_eof():
            chunk = await _chunk(part)
            file_bytes += len(chunk)
            if file_bytes > MAX_FILE_BYTES:
                raise RefusedError(
                    "payload_too_large",
                    f"must not be over {MAX_FILE_BYTES} bytes",
                    param=UTILITY_BILL_FIELD,
                )
            if chunk:
                await self._sink(chunk)
        if not file_bytes:
            raise _invalid(UTILITY_BILL_FIELD, "must not be empty")
        return file_bytes

    async def _text(self, part: BodyPartReader, name: str) -> str:
        text = bytearray()
        while not part.at_eof():
            text += await _chunk(part)
            if len(text) > MAX_FIELD_BYTES:
                raise RefusedError(
                    "payload_too_large", f"must not be over {MAX_FIELD_BYTES} bytes", param=name
                )
        try:
            return text.decode()
        except UnicodeDecodeError:
            raise malformed("must be UTF-8", param=name) from None

    async def _next_part(self) -> BodyPartReader | None:
        try:
            part = await self._reader.next()
        # The value of a first field `_charset_` it reads by itself, in a chunk that its own
        # assertion finds too small for a boundary of 29 characters or more.
        except (*_BROKEN_FORM, AssertionError):
            raise _broken_form() from None
        if isinstance(part, MultipartReader):
            raise malformed("a part of the form is a form itself")
        return part


async def _chunk(part: BodyPartReader) -> bytes:
    try:
        return await part.read_chunk(_CHUNK_BYTES)
    except _BROKEN_FORM:
        raise _broken_form() from None


def _names_of(part: BodyPartReader) -> tuple[str, str | None]:
    """Of the field, and of the file if it is one."""
    encoding = part.headers.get("Content-Transfer-Encoding", "")
    if encoding.lower() not in _PLAIN_ENCODINGS or "Content-Encoding" in part.headers:
        raise malformed("a part of the form is encoded")
    try:
        disposition = part.headers.get("Content-Disposition", "")
        name = part.name if disposition.lower().startswith("form-data") else None
        file_name = part.filename
    except _BROKEN_FORM:
        raise _broken_form() from None
    if not name:
        raise malformed("a part of the form has no name")
    # It is told in refusals, which must stay readable whatever a client sends.
    if len(name) > _MAX_FIELD_NAME_CHARACTERS or not (name.isascii() and name.isprintable()):
        raise malformed("a part of the form has a name that no field has")
    return name, file_name


def _broken_form() -> RefusedError:
    return malformed("the form is broken off, or a part of it cannot be read")


def _invalid(field: str, detail: str) -> RefusedError:
    return RefusedError("validation_failed", detail, param=field)
