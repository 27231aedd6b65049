"""What a changed schema would break, for those who wrote by the old one and who read by it.

A *narrower* schema refuses messages that were right before: it breaks who wrote them, and
the log is full of them. A *wider* one allows messages that could not be before: it breaks
who reads them. Whatever this module does not know counts as both.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any

from msgspec import Struct

from services.publish_schemas.json_schema import JsonSchema

_ABSENT = object()
_REMARKS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "$comment"})
_LOWER_BOUNDS = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems"})
_UPPER_BOUNDS = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems"})
_VALUES = frozenset({"type", "const", "enum"})


class Breaks(Enum):
    """Whom a change breaks."""

    WRITERS = "writers"
    READERS = "readers"
    BOTH = "both"


class Change(Struct, frozen=True, kw_only=True):
    """One incompatible change: where, what, and whom it breaks."""

    path: str
    what: str
    breaks: Breaks
    extends: bool = False
    """Whether a set only got one more member: an event, a code, a kind."""

    def __str__(self) -> str:
        return f"{self.path or '(the message)'}: {self.what} (breaks {self.breaks.value})"


def incompatible_changes(old: JsonSchema, new: JsonSchema) -> list[Change]:
    """Every change from the released schema to the new one that breaks someone.

    Compatible are: a new optional field, and other words for people.
    """
    return list(_Comparison(old, new).schema(old, new, ""))


def broken_promises(path: str, old: JsonSchema, new: JsonSchema) -> list[Change]:
    """The changes of a published file that its users were promised not to see.

    Events are kept for ever and read by others: nothing about them may change. Commands are
    written by others and read by us, so they may become wider. Results are written by us
    and read by others: they may become narrower, and their codes and kinds may grow.
    """
    changes = incompatible_changes(old, new)
    match path.partition("/")[0]:
        case "events" | "envelope":
            return changes
        case "commands":
            return [change for change in changes if change.breaks is not Breaks.READERS]
        case _:
            return [
                change
                for change in changes
                if change.breaks is not Breaks.WRITERS and not change.extends
            ]


class _Comparison:
    def __init__(self, old_root: JsonSchema, new_root: JsonSchema) -> None:
        self._old_root = old_root
        self._new_root = new_root

    def schema(self, old: JsonSchema, new: JsonSchema, path: str) -> Iterator[Change]:
        old, new = _resolved(old, self._old_root), _resolved(new, self._new_root)
        yield from _values(old, new, path)
        yield from self._fields(old, new, path)
        yield from self._members(old, new, path)
        for keyword in sorted((old.keys() | new.keys()) - _REMARKS - _VALUES):
            before, after = old.get(keyword, _ABSENT), new.get(keyword, _ABSENT)
            if keyword in {"properties", "required", "anyOf"} or before == after:
                continue
            if keyword == "items" and before is not _ABSENT and after is not _ABSENT:
                yield from self.schema(old["items"], new["items"], path + "[]")
            elif keyword in _LOWER_BOUNDS | _UPPER_BOUNDS:
                yield _moved_bound(keyword, before, after, path)
            else:
                what = f"{keyword} changed from {_said(before)} to {_said(after)}"
                yield Change(path=path, what=what, breaks=Breaks.BOTH)

    def _fields(self, old: JsonSchema, new: JsonSchema, path: str) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(before.keys() | after.keys()):
            field = f"{path}.{name}" if path else name
            if name not in after:
                yield Change(path=field, what="the field is gone", breaks=Breaks.BOTH)
                continue
            if name in is_required - was_required:
                what = "the field is required now"
                yield Change(path=field, what=what, breaks=Breaks.WRITERS)
            if name in was_required - is_required:
                what = "the field is no longer always there"
                yield Change(path=field, what=what, breaks=Breaks.READERS)
            if name in before:
                yield from self.schema(before[name], after[name], field)

    def _members(self, old: JsonSchema, new: JsonSchema, path: str) -> Iterator[Change]:
        before = self._by_identity(old.get("anyOf", ()), self._old_root)
        after = self._by_identity(new.get("anyOf", ()), self._new_root)
        for identity in sorted(before.keys() | after.keys()):
            if identity not in after:
                what = f"{identity} is no longer allowed"
                yield Change(path=path, what=what, breaks=Breaks.WRITERS)
            elif identity not in before:
                what = f"{identity} is allowed now"
                yield Change(path=path, what=what, breaks=Breaks.READERS, extends=True)
            else:
                yield from self.schema(before[identity], after[identity], f"{path}<{identity}>")

    @staticmethod
    def _by_identity(members: Any, root: JsonSchema) -> dict[str, JsonSchema]:
        """A union's members by what tells them apart: a constant, a name or a type."""
        found: dict[str, JsonSchema] = {}
        for member in members:
            resolved = _resolved(member, root)
            constants = [
                field["const"]
                for field in resolved.get("properties", {}).values()
                if "const" in field
            ]
            identity = str(constants[0] if constants else resolved.get("title", resolved["type"]))
            assert identity not in found, f"two members of a union are called {identity}"
            found[identity] = resolved
        return found


def _values(old: JsonSchema, new: JsonSchema, path: str) -> Iterator[Change]:
    """Types and enumerations, both of which are sets."""
    for name, before, after in (
        ("type", _types(old), _types(new)),
        ("value", _enumerated(old), _enumerated(new)),
    ):
        if before == after:
            continue
        if before is None or after is None:
            breaks = Breaks.READERS if after is None else Breaks.WRITERS
            what = f"{name}s are {'no longer' if after is None else 'now'} restricted"
            yield Change(path=path, what=what, breaks=breaks)
            continue
        for gone in sorted(before - after):
            what = f"{name} {gone} is no longer allowed"
            yield Change(path=path, what=what, breaks=Breaks.WRITERS)
        for added in sorted(after - before):
            what = f"{name} {added} is allowed now"
            yield Change(path=path, what=what, breaks=Breaks.READERS, extends=name == "value")


def _types(schema: JsonSchema) -> set[str] | None:
    types = schema.get("type")
    return None if types is None else {types} if isinstance(types, str) else set(types)


def _enumerated(schema: JsonSchema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(value) for value in schema["enum"]} if "enum" in schema else None


def _moved_bound(keyword: str, before: object, after: object, path: str) -> Change:
    match before, after:
        case int(), int():
            narrower = (after > before) == (keyword in _LOWER_BOUNDS)
        case _:
            narrower = before is _ABSENT
    return Change(
        path=path,
        what=f"{keyword} changed from {_said(before)} to {_said(after)}",
        breaks=Breaks.WRITERS if narrower else Breaks.READERS,
    )


def _said(value: object) -> str:
    return "nothing" if value is _ABSENT else repr(value)


def _resolved(schema: JsonSchema, root: JsonSchema) -> JsonSchema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    definition: JsonSchema = root["$defs"][reference.removeprefix("#/$defs/")]
    return definition | {key: value for key, value in schema.items() if key != "$ref"}
