"""Lines are the same however the network cuts them, and a long one is not kept."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.streams import Lines

LONGEST = 8


def cut(pieces: Sequence[bytes]) -> list[bytes | None]:
    lines = Lines(LONGEST)
    return [line for piece in pieces for line in lines.feed(piece)] + lines.end()


@given(st.lists(st.binary(max_size=12) | st.sampled_from([b"\n", b"a\nb", b"0123456789"])))
def test_lines_are_the_same_however_they_come(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    whole = text.removesuffix(b"\n").split(b"\n") if text else []
    assert cut(pieces) == [line if len(line) <= LONGEST else None for line in whole]


def test_a_line_may_be_as_long_as_the_limit() -> None:
    assert cut([b"x" * LONGEST, b"\n" + b"x" * LONGEST, b"x"]) == [b"x" * LONGEST, None]


def test_the_last_line_needs_no_end() -> None:
    assert cut([b"a\n\nb"]) == [b"a", b"", b"b"]
    assert cut([b"a\n"]) == [b"a"]
