"""The envelope on Kafka: the headers of CloudEvents 1.0 in binary mode, for every topic.

Every header's value is UTF-8 text, so everything here is a string.
"""

from collections.abc import Iterable

from schemas.commands import COMMAND_TYPES
from schemas.events import SCHEMA_VERSION, TENANT_EVENT_TYPES, WALLET_EVENT_TYPES
from services.publish_schemas.json_schema import DIALECT, JsonSchema

_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_WALLET = "^wal_[0-9a-f]{32}$"
_TENANTS = "^ten_[0-9a-f]{32}$"
_COUNT = "^[1-9][0-9]*$"


def _text(description: str, **keywords: object) -> JsonSchema:
    return {"type": "string", "description": description, **keywords}


_SPEC_VERSION = _text("The version of CloudEvents.", const="1.0")
_TENANT = _text("The tenant: one merchant in one environment (live or sandbox).", pattern=_UUID)
_CORRELATION = _text("The correlation id of the original request, if it had one.", minLength=1)
_CONTENT_TYPE = _text("The value is JSON.", const="application/json")


def event_type(name: str) -> str:
    """The CloudEvents type of an event."""
    return f"ledger.{name}.v{SCHEMA_VERSION}"


def command_type(tag: str) -> str:
    """The CloudEvents type of a command."""
    return f"ledger.command.{tag}.v1"


def _of_events(
    types: Iterable[str], *, subject: JsonSchema, version: str
) -> tuple[dict[str, JsonSchema], dict[str, JsonSchema]]:
    """The headers that every event has, and those that one may have."""
    return (
        {
            "ce_specversion": _SPEC_VERSION,
            "ce_id": _text("The event's own id, a UUIDv7.", pattern=_UUID),
            "ce_source": _text("The ledger of one tenant.", pattern="^/ledger/.+$"),
            "ce_type": _text(
                "What happened, with the version of its schema. More types will come.",
                pattern="^ledger\\.[a-z_]+\\.[a-z_]+\\.v[1-9][0-9]*$",
                examples=sorted(event_type(name) for name in types),
            ),
            "ce_subject": subject,
            "ce_time": _text("When it was recorded, UTC.", format="date-time"),
            "ce_tenantid": _TENANT,
            "ce_position": _text(
                "Position in the whole log: gapless, in commit order, the first is 1.",
                pattern=_COUNT,
            ),
            "ce_version": _text(version, pattern=_COUNT),
            "ce_hash": _text(
                "SHA-256 over the stream's previous hash and this event.",
                pattern="^[0-9a-f]{64}$",
            ),
            "ce_who": _text("Who asked for it, according to the credential or the message."),
            "content-type": _CONTENT_TYPE,
        },
        {
            "ce_correlationid": _CORRELATION,
            "ce_causationid": _text("The id of the command that caused it, if it had one."),
        },
    )


def _headers(
    name: str,
    description: str,
    required: dict[str, JsonSchema],
    optional: dict[str, JsonSchema],
    topic: str | None = None,
) -> JsonSchema:
    return {
        "$schema": DIALECT,
        "$id": f"urn:ledger:envelope:{name}.v1",
        "title": f"Headers on {topic or f'ledger.{name}'}",
        "description": description,
        "type": "object",
        "properties": required | optional,
        "required": list(required),
    }


HEADER_SETS: dict[str, JsonSchema] = {
    "events": _headers(
        "events",
        "Where an event is in the log and where it came from. The value is its data.",
        *_of_events(
            WALLET_EVENT_TYPES,
            subject=_text("The wallet; the message's key too.", pattern=_WALLET),
            version="Version in the wallet's own stream: gapless, the first is 1.",
        ),
    ),
    "tenant-events": _headers(
        "tenant-events",
        "Where an event of a tenant's own stream is in the log, and who did what it records.",
        *_of_events(
            TENANT_EVENT_TYPES,
            subject=_text("The tenant's own stream; the message's key too.", pattern=_TENANTS),
            version="Version in the tenant's own stream: gapless, the first is 1.",
        ),
        topic="ledger.events, of a tenant's own stream",
    ),
    "commands": _headers(
        "commands",
        "What a producer of commands sends with the command. Producers are trusted.",
        {
            "ce_specversion": _SPEC_VERSION,
            "ce_id": _text(
                "The command id: however often it is sent, the command has one effect.",
                minLength=1,
                maxLength=255,
            ),
            "ce_source": _text("The service that sends it.", minLength=1),
            "ce_type": _text(
                "Which command it is.",
                pattern="^ledger\\.command\\.[a-z_]+\\.v[1-9][0-9]*$",
                examples=sorted(command_type(tag) for tag in COMMAND_TYPES),
            ),
            "ce_tenantid": _TENANT,
        },
        {"ce_correlationid": _CORRELATION, "content-type": _CONTENT_TYPE},
    ),
    "command-results": _headers(
        "command-results",
        "Which command a result answers.",
        {
            "ce_specversion": _SPEC_VERSION,
            "ce_id": _text("This message's own id."),
            "ce_source": _text("The ledger of one tenant.", pattern="^/ledger/.+$"),
            "ce_type": _text("A result.", const="ledger.command_result.v1"),
            "ce_tenantid": _TENANT,
            "ce_causationid": _text("The command id; the message's key too.", minLength=1),
            "ce_replayed": _text(
                "`true` if the command was decided before, and this is its first result.",
                enum=["false", "true"],
            ),
            "content-type": _CONTENT_TYPE,
        },
        {"ce_correlationid": _CORRELATION},
    ),
    "commands.rejected": _headers(
        "commands.rejected",
        "What could be read of a message that was rejected.",
        {
            "ce_specversion": _SPEC_VERSION,
            "ce_id": _text("This message's own id."),
            "ce_source": _text("The service that rejected it."),
            "ce_type": _text("A rejected message.", const="ledger.command_rejected.v1"),
            "content-type": _CONTENT_TYPE,
        },
        {
            "ce_tenantid": _text("The tenant that the message named, if it did."),
            "ce_causationid": _text("The command id, if it could be read; then the key too."),
            "ce_correlationid": _CORRELATION,
        },
    ),
}
"""The headers of each topic that carries CloudEvents, by the topic's name without `ledger.`."""
