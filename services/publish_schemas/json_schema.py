"""JSON Schema 2020-12 of Structs, by msgspec, with what msgspec leaves out put back in.

msgspec cannot write the default of a `Raw` field and does not read the strings that
stand under fields, so it is given copies of the Structs that have both in place.
"""

import ast
import inspect
import textwrap
from datetime import datetime
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Meta, Raw, Struct

from schemas.times import AskedMoment, MomentText

DIALECT = "https://json-schema.org/draft/2020-12/schema"

JsonSchema = dict[str, Any]

_PLAINER: dict[Any, Any] = {
    Raw: Annotated[Raw, Meta(extra_json_schema={"type": ["object", "null"]})],
    datetime: Annotated[datetime, Meta(tz=True)],
    AskedMoment: MomentText,
}
_NO_FIELDS: tuple[str, list[str]] = ("required", [])


def document(struct: type[Struct], name: str) -> JsonSchema:
    """The schema of one Struct as a document of its own, called `name`."""
    (reference,), definitions = msgspec.json.schema_components([_copied(struct, {})])
    definitions = {name: tidied(definition) for name, definition in definitions.items()}
    root = definitions.pop(reference["$ref"].rpartition("/")[2])
    schema = {"$schema": DIALECT, "$id": f"urn:ledger:{name}", **root}
    if definitions:
        schema["$defs"] = dict(sorted(definitions.items()))
    return schema


def components(structs: list[type[Struct]], prefix: str) -> dict[str, JsonSchema]:
    """The schemas of Structs by name, referring to each other under `prefix`."""
    copies: dict[type[Struct], type[Struct]] = {}
    _, definitions = msgspec.json.schema_components(
        [_copied(struct, copies) for struct in structs], ref_template=prefix + "{name}"
    )
    return {name: tidied(schema) for name, schema in sorted(definitions.items())}


def tidied(schema: Any) -> Any:
    """The same schema, said as a person would: constants, nullable types, flat unions."""
    if isinstance(schema, list):
        return [tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    # A union's members differ by a constant of theirs, so no discriminator is needed: it
    # belongs to OpenAPI alone, and could not stand beside null there.
    schema = {
        key: tidied(value)
        for key, value in schema.items()
        if (key, value) != _NO_FIELDS and key != "discriminator"
    }
    match schema:
        case {"enum": [str(constant)]}:
            del schema["enum"]
            schema |= {"type": "string", "const": constant}
        case {"enum": [*values]} if all(isinstance(value, str) for value in values):
            schema["type"] = "string"
        case {"anyOf": [{"type": str(kind), "const": constant}, {"type": "null"}]}:
            del schema["anyOf"]
            schema |= {"type": [kind, "null"], "enum": [constant, None]}
        case {"anyOf": [{"type": str(kind), "enum": values}, {"type": "null"}]}:
            del schema["anyOf"]
            schema |= {"type": [kind, "null"], "enum": [*values, None]}
        case {"anyOf": [{"type": str(kind), **rest}, {"type": "null"}]}:
            del schema["anyOf"]
            schema |= {"type": [kind, "null"]} | {**rest, **schema}
        case {"anyOf": [{"anyOf": members}, {"type": "null"} as null]}:
            schema["anyOf"] = [*members, null]
        case _:
            pass
    return schema


def _copied(struct: type[Struct], copies: dict[type[Struct], type[Struct]]) -> type[Struct]:
    if struct not in copies:
        hints = get_type_hints(struct, include_extras=True)
        remarks = _remarks(struct)
        fields: list[tuple[str, Any, Any]] = []
        for field in msgspec.structs.fields(struct):
            annotation = _translated(hints[field.name], copies)
            if field.name in remarks:
                annotation = Annotated[annotation, Meta(description=remarks[field.name])]
            fields.append((field.encode_name, annotation, _default(field)))
        config = struct.__struct_config__
        copies[struct] = msgspec.defstruct(
            struct.__name__,
            fields,
            namespace={"__doc__": _one_line(inspect.getdoc(struct) or "")},
            kw_only=True,
            tag=config.tag,
            tag_field=config.tag_field,
        )
    return copies[struct]


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if isinstance(field.default, Raw):
        return msgspec.json.decode(field.default)
    if field.default is not NODEFAULT:
        return field.default
    if field.default_factory is not NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return NODEFAULT


def _translated(annotation: Any, copies: dict[type[Struct], type[Struct]]) -> Any:
    """The same annotation over copies of the Structs.

    A bare `Raw` is an object or null; every time that is published has its offset, but one that a
    command asks for is any text that is read as one.
    """
    if annotation in _PLAINER:
        return _PLAINER[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return _copied(annotation, copies)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *remarks = arguments
        is_plain = inner is Raw or any(getattr(remark, "tz", None) for remark in remarks)
        return Annotated[(inner if is_plain else _translated(inner, copies), *remarks)]
    if origin in (Union, UnionType):
        members = [_translated(argument, copies) for argument in arguments]
        return reduce(or_, members)
    if origin is list:
        return list[_translated(arguments[0], copies)]  # type: ignore[misc]
    if origin is tuple:
        return tuple[_translated(arguments[0], copies), ...]  # type: ignore[misc]
    return annotation


def _remarks(struct: type[Struct]) -> dict[str, str]:
    """The strings that stand under the fields in the source, by field."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    assert isinstance(definition, ast.ClassDef)
    remarks: dict[str, str] = {}
    for statement, after in zip(definition.body, definition.body[1:], strict=False):
        match statement, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                remarks[name] = _one_line(text)
            case _:
                pass
    return remarks


def _one_line(text: str) -> str:
    return " ".join(text.split())
