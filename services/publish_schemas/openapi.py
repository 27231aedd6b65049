"""The Credit Wallets API's OpenAPI 3.1 document, from the rows of `operations` and the Structs."""

from collections import Counter
from collections.abc import Container
from http import HTTPStatus
from itertools import groupby
from typing import Any, get_args

from schemas.http import credit_wallets as http
from schemas.http.problems import PROBLEM_CONTENT_TYPE, PROBLEMS, Problem
from schemas.results import HoldStatus, TopupStatus, TransactionType, WalletStatus
from services.publish_schemas import book_examples, http_examples
from services.publish_schemas.examples import (
    COMMAND_ID,
    HOLD_ID,
    SENT_ID,
    TOPUP_ID,
    TRANSFER_ID,
    WALLET,
    plain,
)
from services.publish_schemas.json_schema import JsonSchema, components
from services.publish_schemas.operation import Operation
from services.publish_schemas.operations import OPERATIONS
from services.publish_schemas.response_headers import HEADERS

Codes = tuple[str, ...]

_SCHEMAS = "#/components/schemas/"
_OF_LIMITS = ("RateLimit", "RateLimit-Policy")

_DESCRIPTION = """\
Wallets that hold money for your customers.

**Money** is an integer in the currency's smallest unit: pesewas, kobo, cents. Yen have no
decimals, dinars have three. Amounts are above 0 and at most 9 007 199 254 740 991.

**Times** are RFC 3339 in UTC. **Ids** are opaque.

**Retrying** is safe. Only a success uses up a `reference`: the same reference with the same
content gives the first answer again, with `Idempotent-Replayed: true`; with other content it is
refused with `reference_reused`. An `Idempotency-Key` freezes whatever the wallet decided, success
or decline. After a 503, send the same request again.

**Available** is what is booked less what open holds set aside. Money with an `expires_at` is spent
first, soonest expiry first, and whatever remains of it lapses at that moment.

**Reading your own write.** A GET of one wallet, of its transactions, holds or top-ups shows every
change that was acknowledged before it, or answers 503 `read_model_behind`.
`Ledger-Consistency: eventual` skips the wait, and `Ledger-Lag` in the answer says how far behind
it is.

**Pages.** A list takes `limit` and `after`. While `has_more` is true there is more: send
`next_cursor` as `after`, with the same filters. A list refuses the names that other APIs have for
pages, ranges and order, such as `cursor`, `page`, `from` or `sort`, with `invalid_parameter`. Other
query parameters that this API does not know are ignored.

**Problems** are `application/problem+json` (RFC 9457). Rely on `code`; the texts may change.

**Rate limits.** Each credential has a number of units a second, and a burst at once; a call costs
one unit, and each command of a batch one more. In every answer, `RateLimit-Policy` states the limit
and `RateLimit` what is left. A call over the limit is 429 `rate_limited`: repeat it after
`Retry-After` seconds. A stream of lines is slowed instead.

**Which refusal comes first**, if several apply: the path and the method; the credentials, their
rate limit and their scope; the `Idempotency-Key`; the body's size, type and form, then all its
fields at once; the query; `reference_reused`; what the call names but does not exist; what can
never be done; the wallet's state. Only the last is recorded.

**Tracing.** `X-Request-Id` and `X-Correlation-Id` may be sent with every call (1 to 128 visible
ASCII characters); the first comes back with the answer.

**Compatibility.** Fields may be added to answers and `code` may get new values: ignore what you
do not know. Fields of a request that this API does not know are ignored.
"""


def openapi_document(version: str) -> JsonSchema:
    """The whole document; `version` is the release that it describes."""
    shared = _shared_refusals()
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Credit Wallets API",
            "version": version,
            "summary": "Wallets, the money in them, holds, transfers and top-ups.",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/", "description": "The server that this document comes from."}],
        "security": [{"basic": []}],
        "tags": [
            {"name": "Wallets", "description": "Open, look at, freeze and close wallets."},
            {"name": "Reviews", "description": "See who waits for a review, and settle it."},
            {"name": "Money", "description": "Move money and read what was moved."},
            {"name": "Holds", "description": "Set money aside, then spend it or let it go."},
            {"name": "Transfers", "description": "Move money between two wallets."},
            {"name": "Top-ups", "description": "Ask customers for payments into their wallets."},
            {"name": "Batches", "description": "Send many commands in one call."},
            {"name": "Books", "description": "Accounts, their entries, the trial balance."},
            {"name": "Audit", "description": "What administrators did."},
        ],
        "paths": _paths(shared),
        "components": {
            "schemas": _schemas(),
            "responses": {".".join(codes): _refusal(codes) for codes in shared},
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "examples": {
                _example_name(code): {
                    "summary": kind.title,
                    "value": plain(http_examples.problem(code)),
                }
                for code, kind in sorted(PROBLEMS.items())
            },
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "CLIENT_ID as user, CLIENT_SECRET as password.",
                }
            },
        },
    }


def _schemas() -> dict[str, JsonSchema]:
    structs = [type(shape) for row in OPERATIONS for shape in (row.request, row.answer) if shape]
    schemas = components([*dict.fromkeys(structs), Problem], _SCHEMAS)
    schemas["Problem"]["properties"]["code"] |= {
        "description": "\n".join(
            f"- `{code}` ({kind.status}): {kind.meaning}" for code, kind in sorted(PROBLEMS.items())
        ),
        "examples": ["insufficient_funds"],
    }
    return schemas


def _paths(shared: Container[Codes]) -> dict[str, JsonSchema]:
    paths: dict[str, JsonSchema] = {}
    for row in OPERATIONS:
        paths.setdefault(row.path, {})[row.method] = _operation(row, shared)
    return paths


def _operation(row: Operation, shared: Container[Codes]) -> JsonSchema:
    operation: dict[str, Any] = {
        "operationId": row.id,
        "tags": [row.group],
        "summary": row.summary,
        "description": f"{row.description}\n\nNeeds the scope `{row.scope}`.",
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in row.parameters],
    }
    if row.request is not None:
        operation["requestBody"] = {
            "required": row.body_required,
            "content": {"application/json": _asked(row.request)} | _lines(row.lines),
        }
    operation["responses"] = {
        str(row.status): {
            "description": row.answer_description,
            "headers": _header_references(*row.answer_headers, *_OF_LIMITS, "X-Request-Id"),
            "content": _answered(row),
        }
    }
    if row.unchanged:
        operation["responses"]["304"] = {
            "description": "The client has this version already.",
            "headers": _header_references("ETag", *_OF_LIMITS, "X-Request-Id"),
        }
    operation["responses"] |= {
        str(status): {"$ref": "#/components/responses/" + ".".join(codes)}
        if codes in shared
        else _refusal(codes)
        for status, codes in _codes_by_status(row).items()
    }
    return operation


def _answered(row: Operation) -> JsonSchema:
    if row.answer is None:
        return {content_type: {} for content_type in row.files}
    return {"application/json": _content(row.answer)} | _lines(row.lines_answer)


def _codes_by_status(row: Operation) -> dict[int, Codes]:
    def status_of(code: str) -> int:
        return PROBLEMS[code].status

    codes = sorted(sorted(row.problems), key=status_of)
    return {status: tuple(group) for status, group in groupby(codes, status_of)}


def _shared_refusals() -> list[Codes]:
    """Refusals with the same codes that more than one call has."""
    counted = Counter(codes for row in OPERATIONS for codes in _codes_by_status(row).values())
    return sorted(codes for codes, count in counted.items() if count > 1)


def _content(shape: object) -> JsonSchema:
    return {
        "schema": {"$ref": _SCHEMAS + type(shape).__name__},
        "example": plain(shape),
    }


def _lines(description: str | None) -> JsonSchema:
    if description is None:
        return {}
    return {"application/x-ndjson": {"schema": {"type": "string", "description": description}}}


def _asked(shape: object) -> JsonSchema:
    """As `_content`, with what a client would leave out left out."""
    content = _content(shape)
    content["example"] = {
        name: value for name, value in content["example"].items() if value is not None
    }
    return content


def _refusal(codes: Codes) -> JsonSchema:
    kinds = [PROBLEMS[code] for code in codes]
    headers = ["X-Request-Id"]
    if any(kind.retry_after for kind in kinds):
        headers.append("Retry-After")
    if any(kind.status == HTTPStatus.UNAUTHORIZED for kind in kinds):
        headers.append("WWW-Authenticate")
    else:
        headers += _OF_LIMITS
    if any(kind.status == HTTPStatus.CONFLICT for kind in kinds):
        headers += ["ETag", "Idempotent-Replayed"]
    return {
        "description": "\n".join(f"- `{kind.code}`: {kind.meaning}" for kind in kinds),
        "headers": _header_references(*headers),
        "content": {
            PROBLEM_CONTENT_TYPE: {
                "schema": {
                    "allOf": [
                        {"$ref": _SCHEMAS + "Problem"},
                        {"properties": {"code": {"enum": list(codes)}}},
                    ]
                },
                "examples": {
                    kind.code: {"$ref": f"#/components/examples/{_example_name(kind.code)}"}
                    for kind in kinds
                },
            }
        },
    }


def _example_name(code: str) -> str:
    return f"problem_{code}"


def _header_references(*names: str) -> dict[str, JsonSchema]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}


def _parameter(
    where: str, name: str, description: str, schema: JsonSchema, example: str | int | None = None
) -> JsonSchema:
    parameter: JsonSchema = {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema,
    }
    return parameter if example is None else parameter | {"example": example}


PARAMETERS: dict[str, JsonSchema] = {
    "account_id": _parameter(
        "path", "account_id", "The account.", {"type": "string"}, book_examples.ACCOUNT_ID
    ),
    "after": _parameter(
        "query",
        "after",
        "Where the page starts: `next_cursor` of the previous page. Opaque.",
        {"type": "string", "minLength": 1, "maxLength": 512},
    ),
    "as_of": _parameter(
        "query",
        "as_of",
        "A position of the log, such as `position:1842`, or a moment (RFC 3339; a date alone is "
        "its beginning, in UTC) that is not ahead of now. A number alone is a position; of four or "
        "eight digits it may be a date, and is refused.",
        {"type": "string"},
        "2026-05-24T10:00:00Z",
    ),
    "consistency": _parameter(
        "header",
        "Ledger-Consistency",
        "`eventual` answers at once, with what the read model shows now.",
        {"type": "string", "enum": ["eventual"]},
    ),
    "currency": _parameter(
        "query", "currency", "Only wallets in this currency.", {"type": "string"}, "GHS"
    ),
    "customer_id": _parameter(
        "query",
        "customer_id",
        "Only wallets of this customer.",
        {"type": "string", "minLength": 1, "maxLength": 255},
        "cus_abc123",
    ),
    "hold_id": _parameter("path", "hold_id", "The hold.", {"type": "string"}, HOLD_ID),
    "hold_status": _parameter(
        "query",
        "status",
        "Only holds with this status.",
        {"type": "string", "enum": list(get_args(HoldStatus))},
    ),
    "idempotency_key": _parameter(
        "header",
        "Idempotency-Key",
        "Names this call: a repetition with the same key gets whatever the wallet decided then.",
        {"type": "string", "pattern": "^[!-~]{1,255}$"},
        COMMAND_ID,
    ),
    "if_none_match": _parameter(
        "header",
        "If-None-Match",
        "An `ETag` that the client has: 304 if the wallet has not changed since.",
        {"type": "string"},
        '"3"',
    ),
    "limit": _parameter(
        "query",
        "limit",
        "The largest number of entries on the page.",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": http.MAX_PAGE_SIZE,
            "default": http.DEFAULT_PAGE_SIZE,
        },
    ),
    "topup_id": _parameter("path", "topup_id", "The top-up.", {"type": "string"}, TOPUP_ID),
    "topup_status": _parameter(
        "query",
        "status",
        "Only top-ups with this status.",
        {"type": "string", "enum": list(get_args(TopupStatus))},
    ),
    "transaction_id": _parameter(
        "path", "transaction_id", "The transaction.", {"type": "string"}, SENT_ID
    ),
    "transaction_status": _parameter(
        "query",
        "status",
        "`failed` lists the declined ones.",
        {"type": "string", "enum": list(get_args(http.TransactionStatus)), "default": "completed"},
    ),
    "transaction_type": _parameter(
        "query",
        "type",
        "Only transactions of this type.",
        {"type": "string", "enum": list(get_args(TransactionType))},
    ),
    "transfer_id": _parameter(
        "path", "transfer_id", "The transfer.", {"type": "string"}, TRANSFER_ID
    ),
    "wallet_id": _parameter("path", "wallet_id", "The wallet.", {"type": "string"}, WALLET),
    "wallet_status": _parameter(
        "query",
        "status",
        "Only wallets with this status.",
        {"type": "string", "enum": list(get_args(WalletStatus))},
    ),
}
