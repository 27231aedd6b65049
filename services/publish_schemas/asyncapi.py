"""The AsyncAPI 3.0 document: the Kafka topics, who writes and reads them, and the rules."""

from typing import Any

from schemas.events import SCHEMA_VERSION, TENANT_EVENT_TYPES
from services.publish_schemas import examples
from services.publish_schemas.headers import HEADER_SETS, command_type, event_type
from services.publish_schemas.json_schema import JsonSchema

_DESCRIPTION = """\
Commands go in on `ledger.commands`; everything that happened comes out on `ledger.events`.

Messages are CloudEvents 1.0 in binary mode: the attributes are headers with the prefix `ce_`,
the value is JSON.

**The subscriber's rule.** Events are published at least once, each wallet's in order:
*per wallet, ignore a version that is not above the highest seen.* Then each counts once.

**Compatibility.** A released event schema only ever gains optional fields; whatever else changes
gets a new version in the CloudEvents type. Ignore fields and types that you do not know. The codes
and kinds in results may get new values.
"""

_EVENTS_DESCRIPTION = """\
Every event of every wallet, complete, each wallet's in the order of its versions; and in streams
of their own what administrators did to tenants. Per wallet, or stream, ignore a version that is
not above the highest seen."""


def asyncapi_document(version: str) -> JsonSchema:
    """The whole document; `version` is the release that it describes."""
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wallet ledger",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": {
            "publishEvents": _operation("send", "events", "The relay publishes the log."),
            "receiveCommands": _operation("receive", "commands", "The intake reads commands.")
            | {
                "reply": {
                    "channel": {"$ref": "#/channels/command-results"},
                    "messages": [{"$ref": "#/channels/command-results/messages/command_result"}],
                }
            },
            "publishResults": _operation(
                "send", "command-results", "The intake answers each command."
            ),
            "publishRejected": _operation(
                "send", "commands.rejected", "The intake reports what it could not read."
            ),
        },
        "components": {"messages": dict(sorted(messages.items()))},
    }


def _operation(action: str, channel: str, summary: str) -> JsonSchema:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{_escaped(channel)}"},
        "summary": summary,
    }


def _escaped(name: str) -> str:
    # A JSON pointer escapes these two and nothing else.
    return name.replace("~", "~0").replace("/", "~1")


def _channels() -> dict[str, JsonSchema]:
    def channel(name: str, description: str, names: list[str]) -> JsonSchema:
        return {
            "address": f"ledger.{name}",
            "description": description,
            "messages": {
                message: {"$ref": f"#/components/messages/{message}"} for message in sorted(names)
            },
            "bindings": {"kafka": {"topic": f"ledger.{name}", "bindingVersion": "0.5.0"}},
        }

    return {
        "events": channel(
            "events",
            _EVENTS_DESCRIPTION,
            [f"{name}.v{SCHEMA_VERSION}" for name in examples.EVENTS],
        ),
        "commands": channel(
            "commands",
            "Commands from services. One command has one effect, however often it is sent: its "
            "CloudEvents id is its command id. Key: the wallet, or the customer to open one.",
            list(examples.COMMANDS),
        ),
        "command-results": channel(
            "command-results", "The outcome of each command, keyed by its id.", ["command_result"]
        ),
        "commands.rejected": channel(
            "commands.rejected",
            "Messages that could not be read as commands, named by offset and SHA-256, never by "
            "content.",
            ["rejected_message"],
        ),
    }


def _messages() -> dict[str, JsonSchema]:
    messages: dict[str, JsonSchema] = {}
    for name, event in examples.EVENTS.items():
        is_tenants = name in TENANT_EVENT_TYPES
        messages[f"{name}.v{SCHEMA_VERSION}"] = _message(
            name=event_type(name),
            summary=_summary(event),
            key="The tenant's own stream." if is_tenants else "The wallet's id.",
            headers="tenant-events" if is_tenants else "events",
            payload=f"events/{name}.v{SCHEMA_VERSION}.json",
            values={name: event},
        )
    for tag, command in examples.COMMANDS.items():
        messages[tag] = _message(
            name=command_type(tag),
            summary=_summary(command),
            key="The wallet's id, or the customer's to open one.",
            headers="commands",
            payload=f"commands/{tag}.v1.json",
            values={tag: command},
        )
    messages["command_result"] = _message(
        name="ledger.command_result.v1",
        summary="The outcome of a command.",
        key="The command's id.",
        headers="command-results",
        payload="command-result.v1.json",
        values=examples.RESULTS,
    )
    messages["rejected_message"] = _message(
        name="ledger.command_rejected.v1",
        summary="A message that could not be read.",
        key="The command's id if it could be read, else topic/partition/offset.",
        headers="commands.rejected",
        payload="rejected-message.v1.json",
        values={"rejected": examples.REJECTED_MESSAGE},
    )
    return messages


def _summary(value: object) -> str:
    return " ".join((type(value).__doc__ or "").split())


def _message(
    *,
    name: str,
    summary: str,
    key: str,
    headers: str,
    payload: str,
    values: dict[str, Any],
) -> JsonSchema:
    assert headers in HEADER_SETS
    message: JsonSchema = {
        "name": name,
        "summary": summary,
        "contentType": "application/json",
        "headers": {"$ref": f"envelope/{headers}.v1.json"},
        "payload": {"$ref": payload},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": key}, "bindingVersion": "0.5.0"}
        },
        "examples": [
            {"name": called, "payload": examples.plain(value)} for called, value in values.items()
        ],
    }
    if not headers.endswith("events"):
        attribute = "id" if headers == "commands" else "causationid"
        message["correlationId"] = {
            "description": "The command's id.",
            "location": f"$message.header#/ce_{attribute}",
        }
    return message
