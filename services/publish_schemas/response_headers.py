"""Headers of answers, as both OpenAPI documents describe them."""

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
            "What is left now: `r` units, and in `t` seconds there are more.",
            '"default";r=19999;t=1',
            pattern='^"default";r=[0-9]+;t=[1-9][0-9]*$',
        ),
        "RateLimit-Policy": response_header(
            "What the credentials may ask for: `q` units at once, which are there again after "
            "`w` seconds.",
            '"default";q=20000;w=1',
            pattern='^"default";q=[1-9][0-9]*;w=[1-9][0-9]*$',
        ),
    }
