"""The OpenAPI 3.1 document of the BaaS API, from the rows of its calls and the Structs."""

from typing import Any, Final

from msgspec import Struct

from schemas.http import baas_wallets as http
from services.publish_schemas.baas_examples import (
    ANSWERS,
    CUSTOMER_ID,
    REFERENCE,
    REQUESTS,
    WALLET_ID,
)
from services.publish_schemas.baas_operations import OPERATIONS, BaasOperation
from services.publish_schemas.examples import plain
from services.publish_schemas.json_schema import JsonSchema, components
from services.publish_schemas.response_headers import rate_limit_headers, response_header

_SCHEMAS: Final = "#/components/schemas/"

_DESCRIPTION: Final = """\
Wallets of customers whose identity is known, over the same ledger as the Credit Wallets API: a
wallet made through one is visible through the other.

**Money** is a number in major units: 1000, 1000.5, 1000.55 naira. No sign, exponent or string.

**Ids** are UUIDs. `user_id` of a wallet is the customer id that other calls take.

**Retrying** is safe. Only a success uses up a `reference`; an `Idempotency-Key` freezes
whatever was decided. A repeated call gets its first answer, with `Idempotent-Replayed: true`.

**Pages.** A list takes `page` and `limit`; `meta` says how many pages there are. The names that
other APIs have for pages, ranges and order, such as `cursor`, `offset`, `from` or `sort`, are
refused with a 400. Other query parameters that this API does not know are ignored.

**Failures** all have one shape: `success` false, `statusCode`, a `message`, and `errors` with every
offending field. An invalid body is a 400; 422 is only about BVN and NIN.

**Rate limits.** Each API key has a number of units a second, and a burst at once. In every answer,
`RateLimit-Policy` states the limit and `RateLimit` what is left. A call over the limit is a 429:
repeat it after `Retry-After` seconds.

**Personal data** is sealed under a key of the customer's own, which `ledger customers erase`
destroys.
"""

_REFUSALS: Final = {
    400: "A field, a parameter or the body is invalid.",
    401: "The API key is missing or wrong.",
    403: "The API key lacks the scope.",
    404: "What the call names does not exist, or is another tenant's.",
    409: "The wallet's state forbids it, or a name was used before for something else.",
    410: "The customer was erased.",
    413: "The body, or the file, is too large.",
    415: "The body is of another content type.",
    422: "BVN or NIN are malformed, unknown, another person's, or known with other details.",
    429: "Too many requests with this key, or too many with wrong ones.",
    500: "A fault of ours.",
    503: "Something is away; try again.",
}


_HEADERS: Final = rate_limit_headers() | {
    "Retry-After": response_header("Try again after this many seconds.", 1, minimum=0)
}


def baas_openapi_document(version: str) -> JsonSchema:
    """The whole document; `version` is the release that it describes."""
    paths: dict[str, JsonSchema] = {}
    for row in OPERATIONS:
        paths.setdefault(f"/baas/v1{row.path}", {})[row.method] = _operation(row)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "BaaS Customer Wallets API",
            "version": version,
            "summary": "Wallets of customers whose identity is known.",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/", "description": "The server that this document comes from."}],
        "security": [{"api_key": []}],
        "tags": [
            {"name": "Wallets", "description": "Open wallets for people, and look at them."},
            {"name": "Money", "description": "Move money."},
            {"name": "Transactions", "description": "Read what was moved, or declined."},
        ],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "headers": _HEADERS,
            "securitySchemes": {
                "api_key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "`<client id>.<client secret>` in the header X-API-Key.",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The same, as Authorization: Bearer, if a call accepts it.",
                },
            },
        },
    }


def _schemas() -> dict[str, JsonSchema]:
    structs = [
        shape for row in OPERATIONS for shape in (row.request, row.answer) if shape is not None
    ]
    return components([*dict.fromkeys(structs), http.FailureAnswer], _SCHEMAS)


def _operation(row: BaasOperation) -> JsonSchema:
    operation: dict[str, Any] = {
        "operationId": row.id,
        "tags": [row.group],
        "summary": row.summary,
        "description": f"{row.description}\n\nNeeds the scope `{row.scope}`.",
        "parameters": [_parameter(name) for name in row.parameters],
    }
    if row.bearer_too:
        operation["security"] = [{"api_key": []}, {"bearer": []}]
    if row.request is not None:
        content_type = "multipart/form-data" if row.is_form else "application/json"
        operation["requestBody"] = {"required": True, "content": {content_type: _asked(row)}}
    operation["responses"] = {
        str(row.status): {
            "description": row.answer_description,
            "headers": _headers_of(row.status),
            "content": {"application/json": _of(row.answer) | {"example": plain(ANSWERS[row.id])}},
        }
    } | {
        str(status): {
            "description": _REFUSALS[status],
            "headers": _headers_of(status),
            "content": {"application/json": _of(http.FailureAnswer)},
        }
        for status in sorted({*row.refusals, 401, 403, 429, 500, 503})
    }
    return operation


def _asked(row: BaasOperation) -> JsonSchema:
    """The body of a call, with what a client would leave out left out of the example."""
    assert row.request is not None, "only a call with a body has an example of it"
    members = plain(REQUESTS[row.id])
    example = {name: value for name, value in members.items() if value is not None}
    return _of(row.request) | {"example": example}


def _headers_of(status: int) -> dict[str, JsonSchema]:
    names = [] if status == 401 else list(rate_limit_headers())
    if status in {429, 503}:
        names.append("Retry-After")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _of(shape: type[Struct]) -> JsonSchema:
    return {"schema": {"$ref": _SCHEMAS + shape.__name__}}


_UUID: Final[JsonSchema] = {"type": "string", "format": "uuid"}
_PARAMETERS: Final[dict[str, tuple[str, str, JsonSchema]]] = {
    "customer_id": ("path", "The customer: `user_id` of a wallet.", _UUID),
    "reference": (
        "path",
        "The transaction's reference.",
        {"type": "string", "minLength": 1, "maxLength": 255},
    ),
    "wallet_reference": ("query", "The wallet.", _UUID),
    "page": (
        "query",
        "Which page; `page_number` is another name for it.",
        {"type": "integer", "minimum": 1, "default": http.DEFAULT_PAGE},
    ),
    "limit": (
        "query",
        "The largest number of entries on a page; `page_size` is another name for it.",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": http.MAX_PAGE_LIMIT,
            "default": http.DEFAULT_PAGE_LIMIT,
        },
    ),
    "Idempotency-Key": (
        "header",
        "Names this call: a repetition with the same key gets the first answer.",
        {"type": "string", "pattern": "^[!-~]{1,255}$"},
    ),
}


_EXAMPLES: Final = {
    "customer_id": CUSTOMER_ID,
    "reference": REFERENCE,
    "wallet_reference": WALLET_ID,
}
"""Of the parameters that a call cannot do without."""


def _parameter(name: str) -> JsonSchema:
    where, description, schema = _PARAMETERS[name]
    parameter = {
        "name": "reference" if name == "wallet_reference" else name,
        "in": where,
        "required": where == "path" or name == "wallet_reference",
        "description": description,
        "schema": schema,
    }
    return parameter | ({"example": _EXAMPLES[name]} if name in _EXAMPLES else {})
