"""The log against anchors that somebody outside has kept: lines of `position hash`."""

from collections.abc import Iterator
from pathlib import Path

from projections.interface import Connection
from services.runtime.sql import load_statement
from services.verify.report import Report

_READ_HASHES = load_statement(__file__, "read_hashes")
_PAGE = 5000


async def check_anchors(connection: Connection, report: Report, path: Path) -> None:
    """Compare every line of the file with the log."""
    invariant = report.invariant(f"the log equals the anchors of {path.name}")
    page: dict[int, bytes] = {}

    async def compare() -> None:
        rows = await connection.fetch(_READ_HASHES, list(page))
        log = {row["position"]: row["hash"] for row in rows}
        for position, digest in page.items():
            found = log.get(position)
            invariant.check(
                found == digest,
                f"{position}: anchored {digest.hex()}, the log has {found and found.hex()}",
            )
        page.clear()

    for number, line in _lines(path):
        anchor = _parsed(line)
        if anchor is None:
            invariant.fail(f"line {number} is not `position hash`: {line[:80]!r}")
            continue
        position, digest = anchor
        if page.setdefault(position, digest) != digest:
            invariant.fail(f"line {number}: {position} is anchored with two hashes")
        if len(page) == _PAGE:
            await compare()
    await compare()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line.strip()


def _parsed(line: str) -> tuple[int, bytes] | None:
    try:
        position, digest = line.split()
        return int(position), bytes.fromhex(digest)
    except ValueError:
        return None
