"""Small documents of every kind that is taken, made byte by byte."""

import struct
import zlib

PDF = (
    b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
    b"trailer\n<< /Root 1 0 R >>\nstartxref\n45\n%%EOF\n"
)


def png_part(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG with its length and checksum."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(width: int = 1, height: int = 1, picture: bytes | None = None) -> bytes:
    """A grey PNG. The size it claims need not be that of its picture."""
    picture = zlib.compress(b"\0\0") if picture is None else picture
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_part(b"IHDR", header),
            png_part(b"IDAT", picture),
            png_part(b"IEND", b""),
        ]
    )


def jpeg_part(marker: int, content: bytes) -> bytes:
    """A part of a JPEG with its length."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(width: int = 1, height: int = 1, picture: bytes = b"\x00" * 8) -> bytes:
    """The frame of a JPEG, with whatever stands for its picture."""
    return b"".join(
        [
            b"\xff\xd8",
            jpeg_part(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            jpeg_part(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0"),
            jpeg_part(0xDA, b"\x01\x01\0\0\x3f\0"),
            picture,
            b"\xff\xd9",
        ]
    )


def webp(width: int = 1, height: int = 1, picture: bytes = b"\0" * 7) -> bytes:
    """A lossless WebP's frame."""
    sides = (width - 1) | (height - 1) << 14
    content = b"\x2f" + struct.pack("<I", sides) + picture
    content += b"\0" * (len(content) % 2)
    parts = b"WEBPVP8L" + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(parts)) + parts
