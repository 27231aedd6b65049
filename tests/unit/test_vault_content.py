"""What an upload is shows in its content, however it arrives and whatever it says of itself."""

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.content_check import MAX_BYTES, ContentCheck
from services.vault.content_kinds import KINDS, MAX_PARTS
from services.vault.errors import DocumentRefusedError
from tests.specs.pictures import PDF, jpeg, jpeg_part, png, png_part, webp

SAMPLES = {
    "image/jpeg": jpeg(),
    "image/png": png(),
    "image/webp": webp(),
    "application/pdf": PDF,
}


def check(declared: str, content: bytes, step: int = 65_536) -> ContentCheck:
    checked = ContentCheck(declared)
    for begin in range(0, len(content), step):
        checked.feed(content[begin : begin + step])
    checked.finish()
    return checked


def refusal(declared: str, content: bytes, step: int = 65_536) -> str:
    with pytest.raises(DocumentRefusedError) as refused:
        check(declared, content, step)
    assert len(str(refused.value)) < 200
    return refused.value.code


def test_every_kind_has_a_sample() -> None:
    assert SAMPLES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", [1, 2, 7, 65_536])
def test_each_kind_is_taken_in_steps_of_any_size(kind: str, step: int) -> None:
    checked = check(kind, SAMPLES[kind], step)

    assert checked.content_type == kind
    assert checked.size_bytes == len(SAMPLES[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("declared", KINDS)
def test_content_and_content_type_must_agree(kind: str, declared: str) -> None:
    if kind != declared:
        assert refusal(declared, SAMPLES[kind]) == "document_of_another_kind"


@pytest.mark.parametrize("declared", ["", "text/html", "image/svg+xml", "image/*", "image/jpg "])
def test_a_content_type_that_is_not_taken_is_refused_at_once(declared: str) -> None:
    with pytest.raises(DocumentRefusedError, match="none of image/jpeg"):
        ContentCheck(declared)


def test_a_content_type_may_be_spelled_in_any_case_and_have_parameters() -> None:
    assert check("Image/PNG ; q=1", png()).content_type == "image/png"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG",
        b"GIF89a" + bytes(20),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"MZ" + bytes(100),
        b"PK\x03\x04" + bytes(100),
        b" %PDF-1.7 " + PDF,
        bytes(100),
    ],
)
def test_other_kinds_are_refused(content: bytes) -> None:
    assert refusal("image/png", content) == "document_of_unknown_kind"


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_is_cut_is_refused(kind: str) -> None:
    content = SAMPLES[kind]
    whole = len(content.rstrip(b"\n"))

    for length in range(whole):
        assert refusal(kind, content[:length]) in ("document_broken", "document_of_unknown_kind")


@pytest.mark.parametrize("kind", ["image/png", "image/webp"])
def test_nothing_may_hide_behind_the_end(kind: str) -> None:
    assert refusal(kind, SAMPLES[kind] + b"PK\x03\x04") == "document_broken"


@pytest.mark.parametrize(
    ("kind", "picture"), [("image/png", png), ("image/jpeg", jpeg), ("image/webp", webp)]
)
@pytest.mark.parametrize(("width", "height"), [(8_001, 8_000), (1, 16_383), (16_383, 16_383)])
def test_a_picture_that_would_be_enormous_is_refused_by_its_header(
    kind: str, picture: Callable[[int, int], bytes], width: int, height: int
) -> None:
    content = picture(width, height)

    if width * height < 64_000_000:
        assert check(kind, content).content_type == kind
    else:
        assert refusal(kind, content) == "document_too_many_pixels"


def test_a_bomb_is_refused_before_its_picture_has_come() -> None:
    checked = ContentCheck("image/png")

    with pytest.raises(DocumentRefusedError, match="65500 by 65500 pixels"):
        checked.feed(png(65_500, 65_500)[:33])


@pytest.mark.parametrize(
    "picture", [png(0, 5), png(5, 0), jpeg(0, 5), jpeg(5, 0), png(2**32 - 1, 1), png(30_001, 1)]
)
def test_a_size_that_no_picture_has_is_refused(picture: bytes) -> None:
    kind = "image/png" if picture.startswith(b"\x89") else "image/jpeg"

    assert refusal(kind, picture) in ("document_broken", "document_too_many_pixels")


_PNG = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
_PICTURE = png_part(b"IDAT", zlib.compress(b"\0\0"))
_END = png_part(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        _PNG + _PICTURE + _END,
        _PNG + png_part(b"IHDR", _HEADER) + _END,
        _PNG + png_part(b"IHDR", _HEADER) * 2 + _PICTURE + _END,
        _PNG + png_part(b"IHDR", _HEADER + b"\0") + _PICTURE + _END,
        _PNG + png_part(b"IHDR", _HEADER)[:-1] + b"?" + _PICTURE + _END,
        _PNG + png_part(b"IHDR", _HEADER) + struct.pack(">I", 2**31) + b"IDAT" + _END,
    ],
    ids=["no header", "no picture", "two headers", "long header", "checksum", "long part"],
)
def test_a_png_with_a_wrong_structure_is_refused(content: bytes) -> None:
    assert refusal("image/png", content) == "document_broken"


_FRAME = jpeg_part(0xC0, struct.pack(">BHHB", 8, 1, 1, 1) + b"\x01\x11\0")
_SCAN = jpeg_part(0xDA, b"\x01\x01\0\0\x3f\0")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8" + _SCAN + b"\0\0\xff\xd9",
        b"\xff\xd8" + _FRAME * 2 + _SCAN + b"\0\0\xff\xd9",
        b"\xff\xd8" + _FRAME + b"\xff\xd9" + bytes(9),
        b"\xff\xd8" + _FRAME + b"\0" + _SCAN + b"\0\0\xff\xd9",
        b"\xff\xd8" + _FRAME + b"\xff\xe0\0\x01" + _SCAN + b"\0\0\xff\xd9",
        b"\xff\xd8" + _FRAME + b"\xff" * 50_000 + _SCAN + b"\0\0\xff\xd9",
    ],
    ids=["no size", "two sizes", "no picture", "a gap", "a short part", "filled up"],
)
def test_a_jpeg_with_a_wrong_structure_is_refused(content: bytes) -> None:
    assert refusal("image/jpeg", content) == "document_broken"


def test_a_jpeg_may_have_a_preview_behind_its_end() -> None:
    assert check("image/jpeg", jpeg() + jpeg()).content_type == "image/jpeg"


def test_a_picture_of_countless_parts_is_refused() -> None:
    """So that looking at 10 MB of empty parts takes no longer than it should."""
    parts = png_part(b"IDAT", b"") * (MAX_PARTS + 1)
    many = _PNG + png_part(b"IHDR", _HEADER) + parts + _PICTURE + _END
    segments = jpeg_part(0xE0, b"") * (MAX_PARTS + 1)

    assert refusal("image/png", many) == "document_broken"
    assert refusal("image/jpeg", b"\xff\xd8" + segments + _FRAME) == "document_broken"


@pytest.mark.parametrize("version", [b"%PDF-3.0", b"%PDF-1x7", b"%PDF-1.x"])
def test_a_pdf_has_a_version(version: bytes) -> None:
    assert refusal("application/pdf", PDF.replace(b"%PDF-1.7", version)) == "document_broken"


def test_a_document_of_ten_megabytes_is_taken_and_one_byte_more_is_not() -> None:
    filler = b"%" + bytes(MAX_BYTES - len(PDF) - 1)
    largest = PDF[:9] + filler + PDF[9:]

    assert check("application/pdf", largest).size_bytes == MAX_BYTES
    assert refusal("application/pdf", largest + b"\n") == "document_too_large"


@given(kind=st.sampled_from(sorted(KINDS)), begin=st.integers(0, 40), noise=st.binary(max_size=200))
def test_nonsense_is_refused_and_nothing_else_happens(kind: str, begin: int, noise: bytes) -> None:
    checked = ContentCheck(kind)
    # Whatever else is raised fails the test.
    with suppress(DocumentRefusedError):
        checked.feed(SAMPLES[kind][:begin] + noise)
        checked.finish()

    assert checked.size_bytes == begin_of(kind, begin) + len(noise)


def begin_of(kind: str, begin: int) -> int:
    return min(begin, len(SAMPLES[kind]))
