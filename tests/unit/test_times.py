"""Moments as clients write them: what is read, what is not, and that nothing is guessed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import moment_of

NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-01T00:00:00Z",
        "2030-01-01t00:00:00z",
        "2030-01-01 00:00:00Z",
        "2030-01-01",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00.000",
        "2030-01-01T00:00:00.0000009Z",
        "2030-01-01T00:00:00-00:00",
        "2030-01-01T05:30:00+05:30",
        "2029-12-31T16:00:00-08:00",
    ],
)
def test_one_moment_may_be_written_in_many_ways(text: str) -> None:
    """A date alone, and a time without an offset, are UTC."""
    assert moment_of(text) == NEW_YEAR


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2030", "2030-01", "20300101", "2030-W01-1", "1893456000", "2030-1-1"),
        *("2030-02-30", "2030-13-01", "0000-01-01", "2030-01-01T", "2030-01-01T10", "01-01-2030"),
        *("2030-01-01T10:00", "2030-01-01T24:00:00Z", "2030-01-01T10:60:00Z"),
        *("2030-01-01T10:00:60Z", "2030-01-01T10:00:00.Z", "2030-01-01T10:00:00,5Z"),
        *("2030-01-01Z", "2030-01-01T10:00:00+24:00", "2030-01-01T10:00:00+05:60"),
        *("2030-01-01T10:00:00+5", "2030-01-01T10:00:00+0530", " 2030-01-01", "2030-01-01\n"),
        *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "\u0662030-01-01"),
        # PostgreSQL's driver takes this one for infinity.
        *("9999-12-31T23:59:59.999999Z", "9999-12-31T22:59:59.999999999-01:00"),
    ],
)
def test_what_is_no_moment(text: str) -> None:
    assert moment_of(text) is None


@given(
    moment=st.datetimes(
        min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis takes bounds without a zone
        max_value=datetime(9998, 1, 1),  # noqa: DTZ001 - as above
        timezones=st.integers(-1439, 1439).map(
            lambda minutes: timezone(timedelta(minutes=minutes))
        ),
    )
)
def test_what_python_writes_is_read_to_the_microsecond(moment: datetime) -> None:
    read = moment_of(moment.isoformat())
    assert read == moment
    assert read is not None
    assert read.tzinfo is UTC


@given(text=st.text(max_size=40))
def test_any_text_is_read_or_not(text: str) -> None:
    read = moment_of(text)
    assert read is None or read.tzinfo is UTC
