"""A number for each position of the log, in a temporary file, so that memory stays bounded."""

import mmap
import os
import struct
import tempfile

_NUMBER = struct.Struct("=Q")
_FIRST_PLACES = 65_536


class NoRoomError(Exception):
    """The folder for temporary files is full. The message says which it is."""


class Positions:
    """Unsigned 64-bit numbers by position; 0 where none was put.

    It raises `NoRoomError` where the temporary folder has no room for them.
    """

    def __init__(self) -> None:
        self._places = _FIRST_PLACES
        # Without a name, so it is gone however this process ends.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._reserve()
        self._map = mmap.mmap(self._file.fileno(), 0)

    def put(self, position: int, number: int) -> None:
        """Keep a number for a position, which may lie beyond all before."""
        while position >= self._places:
            self._places *= 2
            self._reserve()
            self._map.resize(_NUMBER.size * self._places)
        _NUMBER.pack_into(self._map, _NUMBER.size * position, number)

    def get(self, position: int) -> int:
        """The number of a position."""
        if not 0 <= position < self._places:
            return 0
        found: int = _NUMBER.unpack_from(self._map, _NUMBER.size * position)[0]
        return found

    def close(self) -> None:
        """Throw the file away."""
        self._map.close()
        self._file.close()

    def _reserve(self) -> None:
        # Beforehand: where a page of a map has no room on the disk, the kernel kills the process.
        size = _NUMBER.size * self._places
        try:
            os.posix_fallocate(self._file.fileno(), 0, size)
        except OSError as error:
            self._file.close()
            message = (
                f"{tempfile.gettempdir()} has no room for a temporary file of {size} bytes "
                f"({error.strerror}): set TMPDIR to a folder that has"
            )
            raise NoRoomError(message) from error
