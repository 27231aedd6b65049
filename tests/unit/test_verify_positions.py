"""What `verify` notes for positions of the log is found again, however long the log is."""

import errno
import os
from contextlib import closing

import pytest

from services.verify.positions import NoRoomError, Positions


def test_what_was_put_is_found_and_nothing_else_is_there() -> None:
    with closing(Positions()) as positions:
        positions.put(1, 2**64 - 1)
        positions.put(65_535, 5)
        assert [positions.get(each) for each in (0, 1, 2, 65_535)] == [0, 2**64 - 1, 0, 5]


def test_a_position_beyond_the_file_makes_it_longer_and_keeps_what_there_was() -> None:
    with closing(Positions()) as positions:
        positions.put(7, 1)
        positions.put(1_000_000, 2)
        assert (positions.get(7), positions.get(1_000_000), positions.get(999_999)) == (1, 2, 0)


def test_a_position_that_no_log_can_have_is_not_there() -> None:
    """As a row may say that somebody has changed."""
    with closing(Positions()) as positions:
        assert (positions.get(-1), positions.get(2**62)) == (0, 0)


def test_a_full_disk_is_said_and_does_not_kill(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int, _offset: int, _length: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    positions = Positions()
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(NoRoomError, match=r"No space left on device.*: set TMPDIR"):
        positions.put(10_000_000, 1)
    with pytest.raises(NoRoomError):
        Positions()
