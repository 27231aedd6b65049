"""The kinds of documents, each read by its own structure as it streams by. Pure.

A reader is a generator that says what it wants next and is given it. It ends when the
document has ended, and raises `DocumentRefusedError` for what is not of its kind. Pictures are
not decoded: their size is read from their header, so a small file that would become an
enormous picture costs nothing.
"""

import struct
import zlib
from collections.abc import Callable, Generator
from typing import NamedTuple

from services.vault.errors import DocumentRefusedError

MAX_PIXELS = 64_000_000
MAX_SIDE_PIXELS = 30_000
MAX_PARTS = 20_000
"""A picture of 10 MB in parts of 512 bytes has as many; each part costs time to look at."""
FIRST_BYTES = 12
"""So many bytes tell the kinds apart."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_TAIL_BYTES = 1024

# Markers that hold the size of the picture: all of C0 to CF but three that do not.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_START_OF_SCAN = 0xDA
_JPEG_BARE = frozenset(range(0xD0, 0xDA)) | {0x00, 0x01}


class Take(NamedTuple):
    """So many bytes are wanted."""

    byte_count: int


class Skip(NamedTuple):
    """So many bytes do not matter."""

    byte_count: int


class Rest(NamedTuple):
    """Whatever comes is wanted; nothing means that the document has ended."""


Want = Take | Skip | Rest
Reader = Generator[Want, bytes, None]


def content_type_of(first: bytes) -> str | None:
    """The content type that the first 12 bytes say; none for other kinds."""
    found = reader_of(first)
    return None if found is None else found[0]


def reader_of(first: bytes) -> tuple[str, Reader] | None:
    """The content type that the first 12 bytes say, and its reader; none for other kinds."""
    for content_type, (is_kind, reader) in KINDS.items():
        if is_kind(first):
            return content_type, reader()
    return None


def _read_png() -> Reader:
    yield Skip(len(_PNG))
    kind = b""
    has_picture = False
    for _ in range(MAX_PARTS):
        is_first = kind == b""
        length, kind = struct.unpack(">I4s", (yield Take(8)))
        _require((kind == b"IHDR") == is_first, "the header of the PNG is not its first part")
        if is_first:
            _require(length == 13, "the header of the PNG has a wrong length")
            header = yield Take(13)
            checksum = yield Take(4)
            _require(
                zlib.crc32(kind + header) == int.from_bytes(checksum, "big"),
                "the header of the PNG has a wrong checksum",
            )
            _check_size(*struct.unpack(">II", header[:8]))
        else:
            has_picture = has_picture or (kind == b"IDAT" and length > 0)
            yield Skip(length + 4)
        if kind == b"IEND":
            break
    _require(kind == b"IEND", "the PNG has too many parts")
    _require(has_picture, "the PNG has no picture in it")
    _require((yield Rest()) == b"", "something follows the end of the PNG")


def _read_jpeg() -> Reader:
    yield Skip(2)
    has_size, marker = False, 0
    for _ in range(MAX_PARTS):
        prefix, marker = yield Take(2)
        _require(prefix == 0xFF, "a part of the JPEG does not begin where it should")
        # One byte may fill up to the next part; more of them say nothing.
        if marker == 0xFF:
            marker = (yield Take(1))[0]
        _require(marker != 0xFF and marker not in _JPEG_BARE, "the JPEG ends before its picture")
        length = int.from_bytes((yield Take(2)), "big")
        _require(length >= 2, "a part of the JPEG has a wrong length")
        if marker in _JPEG_FRAMES:
            _require(length >= 8 and not has_size, "the JPEG has no single size")
            height, width = struct.unpack(">HH", (yield Take(length - 2))[1:5])
            _check_size(width, height)
            has_size = True
            continue
        yield Skip(length - 2)
        if marker == _JPEG_START_OF_SCAN:
            break
    _require(marker == _JPEG_START_OF_SCAN, "the JPEG has too many parts")
    _require(has_size, "the JPEG does not say its size")
    # Cameras append previews and the like after the end, so it is looked for anywhere.
    before, has_end = b"", False
    while content := (yield Rest()):
        has_end = has_end or b"\xff\xd9" in before + content
        before = content[-1:]
    _require(has_end, "the JPEG has no end")


def _read_webp() -> Reader:
    _, size, _ = struct.unpack("<4sI4s", (yield Take(12)))
    kind, length = struct.unpack("<4sI", (yield Take(8)))
    _require(length >= 10, "the first part of the WebP is too short")
    head = yield Take(10)
    match kind:
        case b"VP8X":
            width = 1 + int.from_bytes(head[4:7], "little")
            height = 1 + int.from_bytes(head[7:10], "little")
        case b"VP8L":
            _require(head[0] == 0x2F, "the WebP does not say its size")
            bits = int.from_bytes(head[1:5], "little")
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            _require(head[3:6] == b"\x9d\x01\x2a", "the WebP does not say its size")
            width, height = (side & 0x3FFF for side in struct.unpack("<HH", head[6:10]))
        case _:
            raise _broken("the WebP does not begin with a picture")
    _check_size(width, height)
    # The size counts what follows it, and 22 of those bytes were read.
    _require(size >= 22, "the WebP has a wrong length")
    yield Skip(size - 22)
    _require((yield Rest()) == b"", "something follows the end of the WebP")


def _read_pdf() -> Reader:
    head = yield Take(8)
    _require(head[5:7] in (b"1.", b"2.") and head[7:].isdigit(), "the PDF has no version")
    tail = b""
    while content := (yield Rest()):
        tail = (tail + content)[-_TAIL_BYTES:]
    _require(b"startxref" in tail and b"%%EOF" in tail, "the PDF has no end")


def _is_png(first: bytes) -> bool:
    return first.startswith(_PNG)


def _is_jpeg(first: bytes) -> bool:
    return first.startswith(_JPEG)


def _is_webp(first: bytes) -> bool:
    return first[:4] == b"RIFF" and first[8:12] == b"WEBP"


def _is_pdf(first: bytes) -> bool:
    return first.startswith(b"%PDF-")


KINDS: dict[str, tuple[Callable[[bytes], bool], Callable[[], Reader]]] = {
    "image/jpeg": (_is_jpeg, _read_jpeg),
    "image/png": (_is_png, _read_png),
    "image/webp": (_is_webp, _read_webp),
    "application/pdf": (_is_pdf, _read_pdf),
}
"""How each content type is known, and read."""


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _broken(otherwise)


def _broken(what: str) -> DocumentRefusedError:
    return DocumentRefusedError("document_broken", f"{what}; send the document as it was made")


def _check_size(width: int, height: int) -> None:
    _require(width > 0 and height > 0, "the picture has no size")
    if max(width, height) > MAX_SIDE_PIXELS or width * height > MAX_PIXELS:
        message = (
            f"the picture has {width} by {height} pixels; at most {MAX_SIDE_PIXELS:,} a side "
            f"and {MAX_PIXELS:,} in all are taken"
        )
        raise DocumentRefusedError("document_too_many_pixels", message)
