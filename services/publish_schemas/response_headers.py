"""Headers of answers, as both OpenAPI documents describe them."""

from services.publish_schemas import http_examples
from services.publish_schemas.examples import WALLET
from services.publish_schemas.json_schema import JsonSchema


def response_header(description: str, example: str | int, **schema: object) -> JsonSchema:
    """A header that an answer may have."""
    return {
        "description": description,
        "schema": {"type": "integer" if isinstance(example, int) else "string", **schema},
        "example": example,
    }


def rate_limit_headers() -> dict[str, JsonSchema]:
    """What says how much a credential may ask for, by name.

    Their shape is that of draft-ietf-httpapi-ratelimit-headers.
    """
    return {
        "RateLimit": response_header(
            "What is left now: `r` units; in `t` seconds there are more.",
            '"default";r=19999;t=1',
            pattern='^"default";r=[0-9]+;t=[1-9][0-9]*$',
        ),
        "RateLimit-Policy": response_header(
            "The credentials' limit: `q` units at once, fully available again after `w` seconds.",
            '"default";q=20000;w=1',
            pattern='^"default";q=[1-9][0-9]*;w=[1-9][0-9]*$',
        ),
    }


HEADERS: dict[str, JsonSchema] = {
    "Cache-Control": response_header("Nobody may keep a copy.", "no-store", const="no-store"),
    "Content-Disposition": response_header(
        "A name under which it may be saved; it is not to be shown as a page.",
        f'attachment; filename="utility-bill-{WALLET}.pdf"',
    ),
    "ETag": response_header("The wallet's stream version, which every change raises.", '"3"'),
    "Idempotent-Replayed": response_header(
        "Present if the call had its effect before, and this is its first answer.",
        "true",
        const="true",
    ),
    "Ledger-Lag": response_header(
        "With `Ledger-Consistency: eventual`: how many versions of the wallet are not shown yet.",
        0,
        minimum=0,
    ),
    "Location": response_header("The path of what was made.", f"/v1/wallets/{WALLET}"),
    **rate_limit_headers(),
    "Retry-After": response_header("Try again after this many seconds.", 1, minimum=0),
    "WWW-Authenticate": response_header(
        "The kind of credentials that is expected.", 'Basic realm="ledger", charset="UTF-8"'
    ),
    "X-Content-Type-Options": response_header(
        "Treat the file as its `Content-Type`, whatever it looks like.", "nosniff", const="nosniff"
    ),
    "X-Request-Id": response_header(
        "Names this call in our logs; the problem's `request_id`.", http_examples.REQUEST_ID
    ),
}
"""Every header of the Credit Wallets API."""
