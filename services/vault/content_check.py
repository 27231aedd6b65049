"""Whether an upload is what it says: checked by its content, piece by piece, as it arrives. Pure.

It holds no more than a part's header at a time (64 KiB at most).
"""

from services.vault.content_kinds import FIRST_BYTES, KINDS, Reader, Rest, Skip, Take, reader_of
from services.vault.errors import DocumentRefusedError

MAX_BYTES = 10 * 1024 * 1024


class ContentCheck:
    """One upload. `declared` is its Content-Type; parameters after `;` do not matter."""

    def __init__(self, declared: str) -> None:
        self.content_type = declared.partition(";")[0].strip().lower()
        self.size_bytes = 0
        if self.content_type not in KINDS:
            raise _unknown_kind()
        self._waiting = bytearray()
        self._reader: Reader | None = None
        self._want: Take | Skip | Rest = Rest()
        self._ended = False

    def feed(self, content: bytes) -> None:
        """Take the next piece. Raises `DocumentRefusedError` as soon as it can be known."""
        self.size_bytes += len(content)
        if self.size_bytes > MAX_BYTES:
            message = f"the document has more than {MAX_BYTES // 1024 // 1024} MB"
            raise DocumentRefusedError("document_too_large", message)
        self._waiting += content
        if self._reader is None:
            if len(self._waiting) < FIRST_BYTES:
                return
            self._begin()
        self._go_on()

    def finish(self) -> None:
        """The document has ended. Raises `DocumentRefusedError` if it should not have."""
        if self._reader is None:
            raise _unknown_kind()
        if not self._ended and isinstance(self._want, Rest):
            self._send(b"")
        if not self._ended:
            message = "the document is cut short; send it whole"
            raise DocumentRefusedError("document_broken", message)

    def _begin(self) -> None:
        found = reader_of(bytes(self._waiting[:FIRST_BYTES]))
        if found is None:
            raise _unknown_kind()
        content_type, self._reader = found
        if content_type != self.content_type:
            message = f"the document is {content_type} by its content, and said to be another"
            raise DocumentRefusedError("document_of_another_kind", message)
        self._want = next(self._reader)

    def _go_on(self) -> None:
        """Give the reader what it wants for as long as that is there."""
        at, end = 0, len(self._waiting)
        while at < end and not self._ended:
            match self._want:
                case Skip(count) if count > end - at:
                    self._want = Skip(count - (end - at))
                    at = end
                case Skip(count):
                    at += count
                    self._send(b"")
                case Take(count) if count > end - at:
                    break
                case Take(count):
                    at += count
                    self._send(bytes(self._waiting[at - count : at]))
                case Rest():
                    self._send(bytes(self._waiting[at:]))
                    at = end
        del self._waiting[:at]

    def _send(self, taken: bytes) -> None:
        assert self._reader is not None
        try:
            self._want = self._reader.send(taken)
        except StopIteration:
            self._ended = True


def _unknown_kind() -> DocumentRefusedError:
    return DocumentRefusedError(
        "document_of_unknown_kind", f"the document is none of {', '.join(KINDS)}"
    )
