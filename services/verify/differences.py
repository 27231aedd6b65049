"""What a row has otherwise than the log: by field, as JSON, for whoever reads a finding."""

import msgspec
from msgspec import Struct


def differing(found: Struct | None, told: Struct | None) -> str:
    """Which fields differ, of two values of one type; None is a row, or an event, that is not."""
    if found is None:
        return "there is no such row, and the log has it"
    if told is None:
        return "the log does not have it"
    names = [field.name for field in msgspec.structs.fields(told)]
    values = [(name, getattr(found, name), getattr(told, name)) for name in names]
    return "; ".join(differing_field(*each) for each in values if each[1] != each[2])


def differing_field(name: str, found: object, told: object) -> str:
    """One field that differs."""
    return f"{name} is {_json(found)}, the log says {_json(told)}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
