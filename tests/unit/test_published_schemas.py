"""The published documents: up to date, valid, and true of what was ever published."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from schemas.commands import COMMAND_TYPES, Command
from schemas.events import (
    EVENT_TYPES,
    SCHEMA_VERSION,
    decode_any_event,
    decode_event,
    encode_event,
    type_of,
)
from schemas.http.problems import PROBLEMS
from schemas.rejections import REJECTION_TYPES
from services.gateway.baas.envelopes import Message
from services.gateway.docs import public_documents
from services.publish_schemas import examples
from services.publish_schemas.documents import FOLDER, documents, stale, write
from services.publish_schemas.operations import OPERATIONS

GOLDEN_EVENTS = Path(__file__).parents[1] / "golden" / "events"
_IMPORTED = re.compile(r'from "\./([a-z]+\.js)"')
_SAMPLE = re.compile(r"(?P<type>[a-z_]+\.[a-z_]+)\.v(?P<version>[0-9]+)(\.(?P<case>.+))?\.json")

NEVER_WRITTEN = {
    "wallet.balance_forfeited": {"expiring_after"},
    "wallet.topup_unapplied": {"transaction_id", "wallet_id"},
}
"""A wallet that forfeits what is left has nothing that could lapse; a payment reverses nothing and
is for one wallet."""

MESSAGE_SCHEMAS = sorted(
    path
    for path in documents()
    if path not in {"asyncapi.json", "rejections.json"} and not path.startswith("openapi-")
)
OPENAPI_FILES = ("openapi-credit-wallets.json", "openapi-baas-wallets.json")


@cache
def published(path: str) -> Any:
    return json.loads((FOLDER / path).read_bytes())


def validator(schema: Any) -> Draft202012Validator:
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def samples() -> list[Path]:
    return sorted(GOLDEN_EVENTS.glob("*.json"))


def test_the_checked_in_files_are_what_the_types_say() -> None:
    """If this fails, run `python -m services.publish_schemas` and read the difference."""
    assert stale() == []


def test_a_missing_a_changed_and_a_forgotten_file_are_stale(tmp_path: Path) -> None:
    assert write(tmp_path) == sorted(documents())
    assert stale(tmp_path) == []
    (tmp_path / "asyncapi.json").unlink()
    (tmp_path / "rejections.json").write_text("{}")
    (tmp_path / "events" / "wallet.renamed.v1.json").write_text("{}")
    expected = ["asyncapi.json", "events/wallet.renamed.v1.json", "rejections.json"]
    assert stale(tmp_path) == expected
    assert write(tmp_path) == expected
    assert stale(tmp_path) == []


@pytest.mark.parametrize("path", MESSAGE_SCHEMAS)
def test_every_message_schema_is_valid_json_schema(path: str) -> None:
    Draft202012Validator.check_schema(published(path))


def test_schemas_have_names_of_their_own() -> None:
    names = [published(path)["$id"] for path in MESSAGE_SCHEMAS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_has_a_golden_sample(name: str) -> None:
    assert (GOLDEN_EVENTS / f"{name}.v{SCHEMA_VERSION}.json").is_file()


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_field_of_an_event_is_in_a_golden_sample(name: str) -> None:
    """So that none of them can change unnoticed; a default is left out, so one may not do."""
    found = [json.loads(path.read_bytes()).keys() for path in GOLDEN_EVENTS.glob(f"{name}.v*.json")]
    expected = set(EVENT_TYPES[name].__struct_fields__) - NEVER_WRITTEN.get(name, set())
    assert set().union(*found) >= expected


@pytest.mark.parametrize("sample", samples(), ids=lambda path: path.stem)
def test_every_event_ever_published_decodes(sample: Path) -> None:
    spelled = _SAMPLE.fullmatch(sample.name)
    assert spelled is not None
    text = sample.read_bytes()
    event = decode_any_event(spelled["type"], int(spelled["version"]), text)
    assert type_of(event) == spelled["type"]
    again = decode_any_event(spelled["type"], SCHEMA_VERSION, encode_event(event))
    assert encode_event(again) == encode_event(event)


@pytest.mark.parametrize("sample", samples(), ids=lambda path: path.stem)
def test_every_golden_sample_fits_its_published_schema(sample: Path) -> None:
    spelled = _SAMPLE.fullmatch(sample.name)
    assert spelled is not None
    schema = published(f"events/{spelled['type']}.v{spelled['version']}.json")
    validator(schema).validate(json.loads(sample.read_bytes()))


def test_metadata_is_kept_byte_for_byte() -> None:
    sample = GOLDEN_EVENTS / "wallet.debited.v1.metadata-verbatim.json"
    text = sample.read_bytes().strip()
    event = decode_event("wallet.debited", 1, text)
    metadata = bytes(event.metadata)  # type: ignore[union-attr]
    assert metadata in text
    assert metadata in encode_event(event)


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", 0), ("amount", 1.5), ("amount", "500"), ("amount", 2**53), ("currency", "ghs")],
)
def test_a_schema_refuses_what_the_type_refuses(field: str, value: object) -> None:
    data = examples.plain(examples.EVENTS["wallet.debited"]) | {field: value}
    assert not validator(published("events/wallet.debited.v1.json")).is_valid(data)
    with pytest.raises(msgspec.ValidationError):
        decode_event("wallet.debited", 1, json.dumps(data))


@pytest.mark.parametrize("tag", COMMAND_TYPES)
def test_a_command_fits_its_schema_with_and_without_its_type(tag: str) -> None:
    schema = validator(published(f"commands/{tag}.v1.json"))
    command = examples.plain(examples.COMMANDS[tag])
    decoded = msgspec.json.decode(json.dumps(command), type=Command)
    assert examples.plain(decoded) == command
    schema.validate(command)
    del command["type"]
    schema.validate(command)


@pytest.mark.parametrize("name", examples.RESULTS)
def test_a_result_fits_its_schema(name: str) -> None:
    schema = published("command-result.v1.json")
    validator(schema).validate(examples.plain(examples.RESULTS[name]))


def test_the_examples_show_every_event_and_every_command() -> None:
    assert examples.EVENTS.keys() == EVENT_TYPES.keys()
    assert examples.COMMANDS.keys() == COMMAND_TYPES.keys()


def test_metadata_is_an_object_or_null_wherever_it_is_published() -> None:
    objects = [
        part
        for schema in map(published, MESSAGE_SCHEMAS)
        for part in (schema, *schema.get("$defs", {}).values())
    ]
    found = [
        part["properties"]["metadata"]["type"]
        for part in objects
        if "metadata" in part.get("properties", {})
    ]
    assert found
    assert all(kind == ["object", "null"] for kind in found)


def test_every_rejection_is_in_the_catalogue_with_its_status() -> None:
    catalogue = {entry["code"]: entry for entry in published("rejections.json")["rejections"]}
    assert set(catalogue) == {str(kind.__struct_config__.tag) for kind in REJECTION_TYPES}
    for code, entry in catalogue.items():
        assert entry["http_status"] == PROBLEMS[code].status
        assert entry["description"]
        Draft202012Validator.check_schema(entry["schema"])


@pytest.mark.parametrize("file", OPENAPI_FILES)
def test_the_openapi_document_is_valid(file: str) -> None:
    OpenAPIV31SpecValidator(published(file)).validate()


def test_operations_have_names_of_their_own_and_every_parameter_is_used() -> None:
    assert len({row.id for row in OPERATIONS}) == len(OPERATIONS)
    used = {name for row in OPERATIONS for name in row.parameters}
    assert used == published("openapi-credit-wallets.json")["components"]["parameters"].keys()


@pytest.mark.parametrize("file", OPENAPI_FILES)
def test_every_openapi_example_fits_its_schema(file: str) -> None:
    document = published(file)
    registry: Registry[Any] = Registry().with_resource(
        "urn:openapi", DRAFT202012.create_resource(document)
    )
    pairs = [*_bodies_with_examples(document), *_parameters_with_examples(document)]
    assert len(pairs) > sum(len(calls) for calls in document["paths"].values())
    for schema, example in pairs:
        absolute = json.dumps(schema).replace('"#/', '"urn:openapi#/')
        Draft202012Validator(json.loads(absolute), registry=registry).validate(example)


def test_every_call_of_contract_b_can_be_made_as_its_example_shows() -> None:
    """The example of each answer has a sentence that the gateway says, too."""
    for path in published("openapi-baas-wallets.json")["paths"].values():
        for operation in path.values():
            bodies = operation.get("requestBody", {}).get("content", {}).values()
            assert all("example" in body for body in bodies), operation["operationId"]
            for parameter in operation["parameters"]:
                assert "example" in parameter or not parameter["required"], parameter
            (example,) = [
                answer["content"]["application/json"]["example"]
                for status, answer in operation["responses"].items()
                if status < "400"
            ]
            assert example.get("message", Message.WALLET_FETCHED) in set(Message)


def test_every_problem_is_explained_in_the_openapi_document() -> None:
    document = published("openapi-credit-wallets.json")
    explained = document["components"]["schemas"]["Problem"]["properties"]["code"]["description"]
    for code, kind in PROBLEMS.items():
        assert f"`{code}` ({kind.status})" in explained


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = published("asyncapi.json")
    references = list(_references(document))
    assert references
    for reference in references:
        file, _, pointer = reference.partition("#")
        part = published(file) if file else document
        for step in filter(None, pointer.split("/")):
            part = part[step]


def test_every_asyncapi_example_fits_its_payload_schema() -> None:
    messages = published("asyncapi.json")["components"]["messages"]
    assert len(messages) == len(EVENT_TYPES) + len(COMMAND_TYPES) + 2
    for message in messages.values():
        for example in message["examples"]:
            validator(published(message["payload"]["$ref"])).validate(example["payload"])


def test_the_documentation_page_needs_nothing_from_elsewhere() -> None:
    served = public_documents()
    assert served["/v1/openapi.json"].body == (FOLDER / "openapi-credit-wallets.json").read_bytes()
    for path, document in served.items():
        headers = dict(document.headers)
        assert headers["ETag"] == document.etag
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        text = document.body.decode()
        if path.startswith("/docs"):
            assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
        if path.endswith(".js"):
            assert {f"/docs/{name}" for name in _IMPORTED.findall(text)} <= served.keys()
    page = served["/docs"].body.decode()
    assert {f"/{name}" for name in re.findall(r'(?:src|href)="([^#:"]+)"', page)} <= served.keys()


def _bodies_with_examples(document: Any) -> Iterator[tuple[Any, Any]]:
    for path in document["paths"].values():
        for operation in path.values():
            answers = operation["responses"].values()
            bodies = [_followed(answer, document) for answer in answers]
            if "requestBody" in operation:
                bodies.append(operation["requestBody"])
            for content in [each for body in bodies for each in body.get("content", {}).values()]:
                if "example" in content:
                    yield content["schema"], content["example"]
                for example in content.get("examples", {}).values():
                    yield content["schema"], _followed(example, document)["value"]


def _parameters_with_examples(document: Any) -> Iterator[tuple[Any, Any]]:
    components = [
        described
        for part in ("parameters", "headers")
        for described in document["components"].get(part, {}).values()
    ]
    own = [
        parameter
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
    ]
    for described in [*components, *own]:
        if "example" in described:
            yield described["schema"], described["example"]


def _followed(part: Any, document: Any) -> Any:
    if "$ref" not in part:
        return part
    for step in part["$ref"].removeprefix("#/").split("/"):
        document = document[step]
    return document


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [reference for item in part for reference in _references(item)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [reference for value in part.values() for reference in _references(value)]
