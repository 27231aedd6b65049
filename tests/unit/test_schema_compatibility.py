"""What was released stays true: no published schema breaks who wrote or reads by an old one."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from services.publish_schemas.compatibility import Breaks, broken_promises, incompatible_changes
from services.publish_schemas.documents import FOLDER

RELEASED = Path(__file__).parents[1] / "golden" / "released"

Schema = dict[str, Any]


def read(file: Path) -> Schema:
    schema: Schema = json.loads(file.read_bytes())
    return schema


def released_files() -> list[Path]:
    return sorted(RELEASED.glob("*/**/*.json"))


@pytest.mark.parametrize(
    "released", released_files(), ids=lambda file: file.relative_to(RELEASED).as_posix()
)
def test_no_released_schema_is_broken(released: Path) -> None:
    """If this fails, give the event a new schema version and an upcaster for the old one."""
    path = Path(*released.relative_to(RELEASED).parts[1:]).as_posix()
    current = FOLDER / path
    assert current.is_file(), f"{path} was released and is gone"
    broken = broken_promises(path, read(released), read(current))
    assert not broken, "\n".join(map(str, broken))


def test_events_and_commands_were_released() -> None:
    folders = {file.parent.name for file in released_files()}
    assert {"events", "commands", "envelope"} <= folders


DEBITED: Schema = read(RELEASED / "v0.1" / "events" / "wallet.debited.v1.json")
OPENED: Schema = read(RELEASED / "v0.1" / "events" / "wallet.opened.v1.json")
DECLINED: Schema = read(RELEASED / "v0.1" / "events" / "wallet.change_declined.v1.json")
RESULT: Schema = read(RELEASED / "v0.1" / "command-result.v1.json")


def _rename(schema: Schema) -> None:
    schema["properties"]["sum"] = schema["properties"].pop("amount")
    schema["required"][schema["required"].index("amount")] = "sum"


def _remove(schema: Schema) -> None:
    del schema["properties"]["metadata"]


def _remove_required(schema: Schema) -> None:
    del schema["properties"]["description"]
    schema["required"].remove("description")


def _add_required(schema: Schema) -> None:
    schema["properties"]["fee"] = {"type": "integer"}
    schema["required"].append("fee")


def _require(schema: Schema) -> None:
    schema["required"].append("metadata")


def _no_longer_require(schema: Schema) -> None:
    schema["required"].remove("reference")


def _field(name: str, **keywords: object) -> Callable[[Schema], None]:
    """Set keywords of a field; `None` takes one away."""

    def mutate(schema: Schema) -> None:
        field = schema["properties"][name]
        field |= {keyword: value for keyword, value in keywords.items() if value is not None}
        for keyword in [keyword for keyword, value in keywords.items() if value is None]:
            del field[keyword]

    return mutate


BREAKING_CHANGES = [
    ("a field is renamed", DEBITED, _rename, {Breaks.BOTH, Breaks.WRITERS}),
    ("an optional field is removed", DEBITED, _remove, {Breaks.BOTH}),
    ("a required field is removed", DEBITED, _remove_required, {Breaks.BOTH}),
    ("a required field is added", DEBITED, _add_required, {Breaks.WRITERS}),
    ("an optional field becomes required", DEBITED, _require, {Breaks.WRITERS}),
    ("a required field becomes optional", DEBITED, _no_longer_require, {Breaks.READERS}),
    (
        "a type changes",
        DEBITED,
        _field("amount", type="string"),
        {Breaks.READERS, Breaks.WRITERS},
    ),
    ("null is allowed", DEBITED, _field("amount", type=["integer", "null"]), {Breaks.READERS}),
    ("null is forbidden", OPENED, _field("metadata", type="object"), {Breaks.WRITERS}),
    ("a type is no longer said", DEBITED, _field("amount", type=None), {Breaks.READERS}),
    ("a minimum rises", DEBITED, _field("amount", minimum=2), {Breaks.WRITERS}),
    ("a minimum falls", DEBITED, _field("amount", minimum=0), {Breaks.READERS}),
    ("a maximum falls", DEBITED, _field("amount", maximum=10), {Breaks.WRITERS}),
    ("a maximum rises", DEBITED, _field("amount", maximum=2**60), {Breaks.READERS}),
    ("a maximum goes", DEBITED, _field("amount", maximum=None), {Breaks.READERS}),
    ("a minimum comes", DEBITED, _field("description", minLength=1), {Breaks.WRITERS}),
    ("a longest length falls", DEBITED, _field("reference", maxLength=32), {Breaks.WRITERS}),
    ("a pattern changes", DEBITED, _field("currency", pattern="^[A-Z]{3,4}$"), {Breaks.BOTH}),
    ("a format comes", DEBITED, _field("reference", format="uuid"), {Breaks.BOTH}),
    ("a default changes", DEBITED, _field("metadata", default={}), {Breaks.BOTH}),
    ("the event's tag changes", DEBITED, _field("type", const="x"), set(Breaks) - {Breaks.BOTH}),
    (
        "a value is added",
        DECLINED,
        _field("change", enum=[*DECLINED["properties"]["change"]["enum"], "rename"]),
        {Breaks.READERS},
    ),
    (
        "a value is removed",
        DECLINED,
        _field("change", enum=DECLINED["properties"]["change"]["enum"][1:]),
        {Breaks.WRITERS},
    ),
    ("an enumeration opens", DECLINED, _field("change", enum=None), {Breaks.READERS}),
    (
        "a keyword that the check does not know",
        DEBITED,
        _field("amount", multipleOf=5),
        {Breaks.BOTH},
    ),
]


@pytest.mark.parametrize(
    ("schema", "mutate", "breaks"),
    [row[1:] for row in BREAKING_CHANGES],
    ids=[row[0] for row in BREAKING_CHANGES],
)
def test_a_breaking_change_of_an_event_is_caught(
    schema: Schema, mutate: Callable[[Schema], None], breaks: set[Breaks]
) -> None:
    changed = deepcopy(schema)
    mutate(changed)
    found = broken_promises("events/wallet.any.v1.json", schema, changed)
    assert {change.breaks for change in found} == breaks


def test_a_new_optional_field_is_compatible() -> None:
    changed = deepcopy(DEBITED)
    changed["properties"]["fee"] = {"type": "integer", "minimum": 0, "default": 0}
    assert incompatible_changes(DEBITED, changed) == []


def test_other_words_and_another_order_are_compatible() -> None:
    changed = deepcopy(DECLINED)
    changed |= {"description": "Other words.", "title": "Other", "$id": "urn:other"}
    changed["properties"] = dict(reversed(changed["properties"].items()))
    changed["required"].reverse()
    changed["properties"]["change"]["enum"].reverse()
    changed["properties"]["balance"]["description"] = "Other words."
    assert incompatible_changes(DECLINED, changed) == []


def test_moving_a_part_into_a_definition_is_compatible() -> None:
    changed = deepcopy(DEBITED)
    changed["$defs"] = {"Amount": changed["properties"]["amount"]}
    changed["properties"]["amount"] = {"$ref": "#/$defs/Amount"}
    assert incompatible_changes(DEBITED, changed) == []


def test_a_change_inside_a_definition_is_caught_with_its_path() -> None:
    changed = deepcopy(RESULT)
    changed["$defs"]["TransactionView"]["properties"]["amount"]["type"] = "string"
    found = broken_promises("command-result.v1.json", RESULT, changed)
    assert [change.path for change in found] == ["transaction<TransactionView>.amount"]


def test_a_change_inside_a_list_is_caught() -> None:
    old = {"type": "array", "items": {"type": "integer"}}
    new = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    assert [change.path for change in incompatible_changes(old, new)] == ["[]"]


def test_a_result_may_get_new_rejections_but_not_lose_a_field() -> None:
    changed = deepcopy(RESULT)
    changed["$defs"]["LimitExceeded"] = {
        "title": "LimitExceeded",
        "type": "object",
        "properties": {"code": {"type": "string", "const": "limit_exceeded"}},
        "required": ["code"],
    }
    changed["properties"]["rejection"]["anyOf"].append({"$ref": "#/$defs/LimitExceeded"})
    assert broken_promises("command-result.v1.json", RESULT, changed) == []
    del changed["properties"]["position"]
    assert broken_promises("command-result.v1.json", RESULT, changed) != []


def test_a_result_may_lose_a_rejection_but_an_event_may_not_gain_a_member() -> None:
    changed = deepcopy(RESULT)
    changed["properties"]["rejection"]["anyOf"].pop(0)
    assert broken_promises("command-result.v1.json", RESULT, changed) == []
    assert broken_promises("events/wallet.any.v1.json", changed, RESULT) != []
    assert broken_promises("events/wallet.any.v1.json", RESULT, changed) != []


def test_a_command_may_become_wider_but_not_narrower() -> None:
    old = {"type": "object", "properties": {"amount": {"type": "integer", "maximum": 10}}}
    wider = {"type": "object", "properties": {"amount": {"type": "integer", "maximum": 11}}}
    assert broken_promises("commands/any.v1.json", old, wider) == []
    assert broken_promises("commands/any.v1.json", wider, old) != []
