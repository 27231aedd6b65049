"""Every published document as the bytes of its file, and the folder that holds them."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import schemas
from schemas.events import EVENT_TYPES, SCHEMA_VERSION
from services.publish_schemas.asyncapi import asyncapi_document
from services.publish_schemas.baas_openapi import baas_openapi_document
from services.publish_schemas.json_schema import JsonSchema
from services.publish_schemas.messages import message_schemas, rejection_catalogue
from services.publish_schemas.openapi import openapi_document

FOLDER = Path(next(iter(schemas.__path__))) / "published"
RELEASE = version("wallet-ledger")
"""What the documents say as their version: the release that speaks so, as `ledger --version`."""

_EVENT_FILE = re.compile(r"events/(?P<type>.+)\.v(?P<version>[0-9]+)\.json")


def documents() -> dict[str, bytes]:
    """What every file should hold, by its path in the folder; the same on every machine."""
    contents: dict[str, JsonSchema] = {
        **message_schemas(),
        "rejections.json": rejection_catalogue(),
        "openapi-credit-wallets.json": openapi_document(RELEASE),
        "openapi-baas-wallets.json": baas_openapi_document(RELEASE),
        "asyncapi.json": asyncapi_document(RELEASE),
    }
    return {path: _file_bytes(contents[path]) for path in sorted(contents)}


def stale(folder: Path = FOLDER) -> list[str]:
    """Paths in the folder that are missing, out of date or that nothing writes any more."""
    expected = documents()
    present = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json")
    }
    return sorted(
        path
        for path in expected.keys() | present.keys()
        if expected.get(path) != present.get(path) and not _is_history(path)
    )


def write(folder: Path = FOLDER) -> list[str]:
    """Bring the folder up to date; the paths that changed."""
    expected = documents()
    changed = stale(folder)
    for path in changed:
        file = folder / path
        if path in expected:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(expected[path])
        else:
            file.unlink()
    return changed


def _is_history(path: str) -> bool:
    """Whether this is an older version of an event's schema, which is kept as it was."""
    match = _EVENT_FILE.fullmatch(path)
    return (
        match is not None
        and match["type"] in EVENT_TYPES
        and int(match["version"]) < SCHEMA_VERSION
    )


def _file_bytes(document: JsonSchema) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
