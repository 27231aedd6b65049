"""As of: a position or a moment, read the same wherever it may be written."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.as_of import read_as_of
from schemas.times import moment_of


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("0", 0),
        ("1", 1),
        ("12345", 12345),
        ("position:3", 3),
        ("position:2030", 2030),
        ("position:20300101", 20300101),
        ("9223372036854775806", 2**63 - 2),
    ],
)
def test_a_position(text: str, position: int) -> None:
    assert read_as_of(text) == position


@pytest.mark.parametrize("text", ["2030", "20300101", "1000", "99999999"])
def test_a_number_that_may_be_a_date_is_ambiguous(text: str) -> None:
    """Whether or not there is such a day: nobody should have to know the calendar."""
    assert read_as_of(text) == "ambiguous"


def test_a_moment() -> None:
    new_year = datetime(2030, 1, 1, tzinfo=UTC)
    assert read_as_of("2030-01-01") == new_year
    assert read_as_of("2030-01-01T01:00:00+01:00") == new_year


@pytest.mark.parametrize(
    "text",
    [
        *("", "-1", "+1", "1.5", "01", "0001", "00000001", "1_000", " 1", "1\n", "\u0661"),
        *("position:", "position:01", "position:-1", "position: 1", "position:2030-01-01"),
        *("9223372036854775807", "position:99999999999999999999", "9" * 5000),
        *("yesterday", "2020-W10-1", "2030-01-01T10:00", "2030-13-01"),
    ],
)
def test_what_is_neither(text: str) -> None:
    assert read_as_of(text) is None


@given(position=st.integers(0, 2**63 - 2))
def test_any_position_can_be_asked_for_with_its_word(position: int) -> None:
    assert read_as_of(f"position:{position}") == position
    assert read_as_of(str(position)) in (position, "ambiguous")


@given(text=st.text("0123456789-:TZposition. ", max_size=30))
def test_whatever_is_no_number_is_read_as_a_moment(text: str) -> None:
    read = read_as_of(text)
    if not isinstance(read, int | str):
        assert read == moment_of(text)
