"""JSON Schemas of what travels over Kafka: events, commands, results and their headers."""

from msgspec import Struct

from schemas.commands import COMMAND_TYPES
from schemas.events import EVENT_TYPES, SCHEMA_VERSION
from schemas.http.problems import PROBLEMS
from schemas.rejections import REJECTION_TYPES
from schemas.results import CommandResult, RejectedMessage
from services.publish_schemas.headers import HEADER_SETS
from services.publish_schemas.json_schema import JsonSchema, document


def message_schemas() -> dict[str, JsonSchema]:
    """Every document about Kafka messages, by its path under `schemas/published/`."""
    schemas: dict[str, JsonSchema] = {}
    for name, event in EVENT_TYPES.items():
        called = f"{name}.v{SCHEMA_VERSION}"
        schemas[f"events/{called}.json"] = document(event, f"event:{called}")
    for tag, command in COMMAND_TYPES.items():
        schemas[f"commands/{tag}.v1.json"] = _command(tag, command)
    for called, struct in (
        ("command-result", CommandResult),
        ("rejected-message", RejectedMessage),
    ):
        schemas[f"{called}.v1.json"] = document(struct, f"{called}.v1")
    for called, headers in HEADER_SETS.items():
        schemas[f"envelope/{called}.v1.json"] = headers
    return schemas


def _command(tag: str, command: type[Struct]) -> JsonSchema:
    """A command's schema; the CloudEvents type already says its tag, so `type` may be left out."""
    schema = document(command, f"command:{tag}.v1")
    schema["required"] = [name for name in schema["required"] if name != "type"]
    return schema


def rejection_catalogue() -> JsonSchema:
    """Every rejection: its code, what it means, its fields, and its status over HTTP."""
    entries = []
    for rejection in REJECTION_TYPES:
        schema = document(rejection, "rejection")
        code = schema["properties"]["code"]["const"]
        entries.append(
            {
                "code": code,
                "description": schema["description"],
                "http_status": PROBLEMS[code].status,
                "schema": {
                    keyword: schema[keyword] for keyword in ("type", "properties", "required")
                },
            }
        )
    return {"rejections": sorted(entries, key=lambda entry: str(entry["code"]))}
