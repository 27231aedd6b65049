"""Refused calls about top-ups: one row each. As in `refused_calls`, and made by the same test.

Without a payment provider: of what is sound, only that is left to refuse.
"""

from typing import Any

from tests.specs.refused_calls import NO_WALLET, Row

NO_TOPUP = "top_" + "0a" * 16
GOOD: dict[str, object] = {"amount": 500, "redirect_url": "https://shop.example.com/thanks"}


def create(name: str, status: int, code: str, param: str | None = None, **more: Any) -> Row:
    body = GOOD | more.pop("fields", {})
    path = more.pop("path", "/v1/wallets/{wallet}/topups")
    return Row(name, "POST", path, status, code, param, **({"body": body} | more))


def invalid(name: str, param: str, **fields: object) -> Row:
    """A top-up with one field spoiled, which is a 422."""
    return create(f"a top-up {name}", 422, "validation_failed", param, fields=fields)


def without(name: str) -> dict[str, object]:
    return {field: value for field, value in GOOD.items() if field != name}


FORBIDDEN_URLS = (
    "javascript:alert(1)",
    "//evil.example",
    "/thanks",
    "https:///thanks",
    "https://user@shop.example.com",
    "https://user:secret@shop.example.com/",
    "https://shop.example.com@evil.example/",
    "https://shop.example.com\\@evil.example/",
    "https://shop.example.com/a b",
    "https://shop.example.com/\n",
    "https://bücher.example/",
    "ftp://shop.example.com/",
    "data:text/html,hello",
    "https://shop.example.com/" + "a" * 2048,
    "",
)

ROWS = [
    create("a top-up by who only reads", 403, "forbidden", who="reader"),
    create("a top-up without credentials", 401, "unauthorized", who=None),
    create(
        "a top-up of an unknown wallet",
        404,
        "wallet_not_found",
        path=f"/v1/wallets/{NO_WALLET[:-1]}/topups",
    ),
    create("a top-up without a provider", 409, "topups_unavailable"),
    create("a top-up of a live tenant", 409, "topups_unavailable", who="live"),
    create(
        "a top-up with an empty idempotency key",
        400,
        "invalid_idempotency_key",
        "Idempotency-Key",
        headers={"Idempotency-Key": ""},
    ),
    create("a top-up without a body", 400, "malformed_request", body=None),
    create(
        "a top-up without an amount",
        422,
        "validation_failed",
        "amount",
        body=without("amount"),
    ),
    create(
        "a top-up without a redirect",
        422,
        "validation_failed",
        "redirect_url",
        body=without("redirect_url"),
    ),
    invalid("of nothing", "amount", amount=0),
    invalid("of a fraction", "amount", amount=0.5),
    invalid("with a number as redirect", "redirect_url", redirect_url=7),
    invalid("with null as redirect", "redirect_url", redirect_url=None),
    *(
        invalid(f"with the redirect {url[:40]!a}", "redirect_url", redirect_url=url)
        for url in FORBIDDEN_URLS
    ),
    *(
        invalid(f"with the way back {url[:40]!a}", "cancel_url", cancel_url=url)
        for url in FORBIDDEN_URLS
    ),
    invalid("with an array as way back", "cancel_url", cancel_url=[]),
    create(
        "a top-up of a live tenant without TLS",
        422,
        "validation_failed",
        "redirect_url",
        fields={"redirect_url": "http://shop.example.com/"},
        who="live",
    ),
    invalid("until some day", "expires_at", expires_at="soon"),
    invalid("with an empty reference", "reference", reference=""),
    invalid("with metadata that is an array", "metadata", metadata=[1]),
    Row(
        "a NUL in a redirect",
        "POST",
        "/v1/wallets/{wallet}/topups",
        400,
        "malformed_request",
        "redirect_url",
        data=b'{"amount":5,"redirect_url":"https://a.example/\\u0000"}',
    ),
    Row(
        "top-ups by another merchant",
        "GET",
        "/v1/wallets/{wallet}/topups",
        404,
        "wallet_not_found",
        who="stranger",
    ),
    Row(
        "top-ups without credentials",
        "GET",
        "/v1/wallets/{wallet}/topups",
        401,
        "unauthorized",
        who=None,
    ),
    Row(
        "top-ups of an unknown status",
        "GET",
        "/v1/wallets/{wallet}/topups?status=paid",
        400,
        "invalid_status",
        "status",
    ),
    Row(
        "no top-ups on a page",
        "GET",
        "/v1/wallets/{wallet}/topups?limit=0",
        400,
        "invalid_limit",
        "limit",
    ),
    Row(
        "a bad cursor of top-ups",
        "GET",
        "/v1/wallets/{wallet}/topups?after=abc",
        400,
        "invalid_cursor",
        "after",
    ),
    Row("an unknown top-up", "GET", f"/v1/topups/{NO_TOPUP}", 404, "topup_not_found"),
    Row("a malformed top-up id", "GET", "/v1/topups/top_1'--", 404, "topup_not_found"),
    Row("a hold as a top-up", "GET", "/v1/topups/top_{hold_digits}", 404, "topup_not_found"),
    Row(
        "a credit as a top-up", "GET", "/v1/topups/top_{transaction_digits}", 404, "topup_not_found"
    ),
    Row(
        "cancelling an unknown top-up",
        "POST",
        f"/v1/topups/{NO_TOPUP}/cancel",
        404,
        "topup_not_found",
    ),
    Row("cancelling a malformed top-up", "POST", "/v1/topups/x/cancel", 404, "topup_not_found"),
    Row(
        "cancelling a hold as a top-up",
        "POST",
        "/v1/topups/top_{hold_digits}/cancel",
        404,
        "topup_not_found",
    ),
    Row(
        "a cancel by who only reads",
        "POST",
        f"/v1/topups/{NO_TOPUP}/cancel",
        403,
        "forbidden",
        who="reader",
    ),
    Row(
        "a cancel with an array",
        "POST",
        f"/v1/topups/{NO_TOPUP}/cancel",
        400,
        "malformed_request",
        body=[],
    ),
    Row("a DELETE of a top-up", "DELETE", f"/v1/topups/{NO_TOPUP}", 405, "method_not_allowed"),
]
