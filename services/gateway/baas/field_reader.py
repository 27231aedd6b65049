"""Fields of a body, read one after the other, so that a refusal names every offending one."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from schemas.http.problems import FieldProblem
from services.gateway.fields import ABSENT
from services.gateway.problems import invalid_fields

Members = Mapping[str, object]
"""A body's members as JSON has them, or a form's fields."""

ReadT = TypeVar("ReadT")


class ValueRefusedError(Exception):
    """A value that cannot be taken; code and words say why, without the value."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class FieldReader:
    """Reads fields, and remembers everything that is wrong."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self.problems: list[FieldProblem] = []

    def read(
        self, name: str, read: Callable[[object], ReadT], *, default: ReadT | None = None
    ) -> ReadT | None:
        """The field's value, or None where it is refused; a default stands for none or null."""
        value = self._members.get(name, ABSENT)
        if default is not None and (value is ABSENT or value is None):
            return default
        try:
            return read(value)
        except ValueRefusedError as error:
            self.refuse(name, error.code, error.detail)
            return None

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._members.get(name) is not None

    def refuse(self, name: str, code: str, detail: str) -> None:
        """Remember what is wrong with a field."""
        self.problems.append(FieldProblem(param=name, code=code, detail=detail))

    def finish(self, code: str = "validation_failed") -> None:
        """Raise what was remembered, if anything was."""
        if self.problems:
            raise invalid_fields(self.problems, code)


def sure(value: ReadT | None) -> ReadT:
    """A value that was read: what was refused has been raised."""
    assert value is not None, "what was refused has been raised"
    return value
