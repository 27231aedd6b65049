"""A number for each position of the log, in a temporary file, so that memory stays bounded."""

import mmap
import struct
import tempfile

_NUMBER = struct.Struct("=Q")
_FIRST_PLACES = 65_536


class Positions:
    """Unsigned 64-bit numbers by position; 0 where none was put."""

    def __init__(self) -> None:
        # The file has no name, and goes with what is mapped of it.
        with tempfile.TemporaryFile() as file:
            file.truncate(_NUMBER.size * _FIRST_PLACES)
            self._map = mmap.mmap(file.fileno(), 0)
        self._places = _FIRST_PLACES

    def put(self, position: int, number: int) -> None:
        """Keep a number for a position, which may lie beyond all before."""
        while position >= self._places:
            self._places *= 2
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
