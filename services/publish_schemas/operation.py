"""What the OpenAPI document says of one call, and the refusals that many calls share."""

from typing import Literal

from msgspec import Struct

ALWAYS = ("unauthorized", "forbidden", "rate_limited", "internal_error", "ledger_unavailable")
COMMAND = (
    *ALWAYS,
    "malformed_request",
    "invalid_idempotency_key",
    "payload_too_large",
    "unsupported_media_type",
    "reference_reused",
    "overloaded",
    "outcome_unknown",
    "clock_stepped",
)
FIELDS = ("validation_failed",)
LIST = (*ALWAYS, "malformed_request", "invalid_parameter", "invalid_limit", "invalid_cursor")
BEHIND = ("read_model_behind",)


class Operation(Struct, frozen=True, kw_only=True):
    """One call: what it takes, what it answers, and how it can be refused."""

    id: str
    method: Literal["get", "post"]
    path: str
    group: str
    summary: str
    description: str
    scope: str
    parameters: tuple[str, ...]
    """Names under `components/parameters`."""
    request: Struct | None = None
    """An example of the body; its type is the body's schema."""
    body_required: bool = True
    lines: str | None = None
    """What the body has as NDJSON, if it may be sent so; and what the answer has then."""
    lines_answer: str | None = None
    answer: Struct | None = None
    """An example of the answer; its type is the answer's schema."""
    files: tuple[str, ...] = ()
    """The content types of which the answer is one, where it is a file."""
    answer_description: str
    status: int = 200
    answer_headers: tuple[str, ...] = ()
    unchanged: bool = False
    """Whether it can answer 304."""
    problems: tuple[str, ...]
