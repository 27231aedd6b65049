"""Every way in which the Credit Wallets API refuses a call before a wallet decides: a row each.

Calls that set money aside or move it between wallets are in `refused_movements`.

`tests/integration/test_errors.py` makes each call. Each refused amount, cursor or limit is
a row of its own.
"""

from typing import Any, NamedTuple

from tests.specs.running_gateway import Who, basic

NO_WALLET = "wal_" + "0a" * 16
DEEP = b'{"amount":1,"reference":"r","metadata":{"a":' + b"[" * 40 + b"]" * 40 + b"}}"
VERY_DEEP = b'{"amount":1,"reference":"r","metadata":' + b"[" * 60_000 + b"]" * 60_000 + b"}"


class Row(NamedTuple):
    """A call that is refused. `{wallet}` in the path is an active wallet that holds 1000."""

    name: str
    method: str
    path: str
    status: int
    code: str
    param: str | None = None
    body: object = None
    data: bytes | None = None
    headers: dict[str, str] | None = None
    who: Who | None = "merchant"
    errors: tuple[str, ...] = ()
    """Which fields a 422 names, in order, where that is not the one `param`."""

    def named(self) -> list[str]:
        """Every field that `errors` has: none, unless fields are what is wrong."""
        if self.code != "validation_failed":
            return []
        return list(self.errors or (str(self.param),))


def debit(name: str, status: int, code: str, param: str | None = None, **more: Any) -> Row:
    return Row(name, "POST", "/v1/wallets/{wallet}/debit", status, code, param, **more)


def debit_of(name: str, param: str | None, **fields: object) -> Row:
    """A debit with one field spoiled, which is a 422."""
    body = {"amount": 5, "reference": "ref", **fields}
    return debit(name, 422, "validation_failed", param, body=body)


def debit_text(name: str, status: int, code: str, amount: str) -> Row:
    """A debit whose amount is spelled so."""
    data = f'{{"amount":{amount},"reference":"ref"}}'.encode()
    param = "amount" if status == 422 else None
    return debit(name, status, code, param, data=data)


def malformed(name: str, data: bytes, param: str | None = None) -> Row:
    return debit(name, 400, "malformed_request", param, data=data)


def create(name: str, param: str, **fields: object) -> Row:
    body = {"customer_id": "cus_new", "currency": "GHS", **fields}
    return Row(name, "POST", "/v1/wallets", 422, "validation_failed", param, body=body)


def query(name: str, path: str, code: str, param: str) -> Row:
    return Row(name, "GET", f"/v1/wallets{path}", 400, code, param)


GOOD = {"amount": 5, "reference": "ref"}

ROWS = [
    # Credentials.
    debit("no credentials", 401, "unauthorized", body=GOOD, who=None),
    *(
        debit(name, 401, "unauthorized", body=GOOD, who=None, headers={"Authorization": value})
        for name, value in {
            "an unknown client id": basic("key_" + "0" * 24, "secret"),
            "another scheme": "Bearer abc",
            "Basic without anything": "Basic",
            "Basic that is not base64": "Basic %%%",
            "Basic without a colon": "Basic YWJj",
            "Basic that is not UTF-8": "Basic /////w==",
            "a NUL as client id": basic("\x00", "secret"),
            "a very long client id": basic("k" * 4000, "secret"),
        }.items()
    ),
    debit("a scope that is missing", 403, "forbidden", body=GOOD, who="reader"),
    # Paths, methods and wallets that there are not.
    Row("an unknown path", "GET", "/v1/nothing", 404, "not_found"),
    Row("a path with a slash too many", "GET", "/v1/wallets/", 404, "not_found"),
    Row("a wrong method", "DELETE", "/v1/wallets/{wallet}", 405, "method_not_allowed"),
    Row("a GET of a command", "GET", "/v1/wallets/{wallet}/debit", 405, "method_not_allowed"),
    Row("an unknown wallet", "GET", f"/v1/wallets/{NO_WALLET}", 404, "wallet_not_found"),
    Row("a malformed wallet id", "GET", "/v1/wallets/wal_1'--", 404, "wallet_not_found"),
    Row(
        "a wallet id in capitals",
        "GET",
        f"/v1/wallets/{NO_WALLET.upper()}",
        404,
        "wallet_not_found",
    ),
    Row("a NUL in the path", "GET", "/v1/wallets/%00", 404, "wallet_not_found"),
    Row(
        "another merchant's wallet",
        "GET",
        "/v1/wallets/{wallet}",
        404,
        "wallet_not_found",
        who="stranger",
    ),
    Row(
        "another merchant's history",
        "GET",
        "/v1/wallets/{wallet}/transactions",
        404,
        "wallet_not_found",
        who="stranger",
    ),
    debit("another merchant's debit", 404, "wallet_not_found", body=GOOD, who="stranger"),
    *(
        Row(
            f"an unknown wallet to {verb}",
            "POST",
            f"/v1/wallets/{NO_WALLET}/{verb}",
            404,
            "wallet_not_found",
            body=body,
        )
        for verb, body in {
            "debit": GOOD,
            "credit": GOOD,
            "freeze": None,
            "unfreeze": None,
            "close": None,
            "holds": GOOD,
        }.items()
    ),
    # Bodies that cannot be read.
    malformed("no body", b""),
    malformed("JSON that breaks off", b'{"amount":5,'),
    malformed("something after the JSON", b'{"amount":5,"reference":"r"} x'),
    malformed("an array", b"[]"),
    malformed("a string", b'"debit"'),
    malformed("null", b"null"),
    malformed("NaN", b'{"amount":NaN,"reference":"r"}'),
    malformed("a byte order mark", b'\xef\xbb\xbf{"amount":5,"reference":"r"}'),
    malformed("UTF-16", '{"amount":5,"reference":"r"}'.encode("utf-16")),
    malformed("bytes that are not UTF-8", b'{"amount":5,"reference":"\xff"}'),
    malformed(
        "metadata that is not UTF-8", b'{"amount":5,"reference":"r","metadata":{"a":"\xff"}}'
    ),
    malformed("an unknown field that is not UTF-8", b'{"amount":5,"reference":"r","x":"\xff"}'),
    malformed("a NUL in the reference", b'{"amount":5,"reference":"a\\u0000b"}', "reference"),
    malformed(
        "a NUL in the description",
        b'{"amount":5,"reference":"r","description":"\\u0000"}',
        "description",
    ),
    malformed(
        "a NUL in metadata", b'{"amount":5,"reference":"r","metadata":{"a":"\\u0000"}}', "metadata"
    ),
    malformed(
        "a NUL in a key", b'{"amount":5,"reference":"r","metadata":{"\\u0000":1}}', "metadata"
    ),
    malformed("a bare NUL", b'{"amount":5,"reference":"a\x00b"}'),
    malformed("a lone surrogate", b'{"amount":5,"reference":"\\ud800"}'),
    malformed("a low surrogate alone", b'{"amount":5,"reference":"\\udc00x"}'),
    malformed("a surrogate as UTF-8", b'{"amount":5,"reference":"\xed\xa0\x80"}'),
    malformed(
        "a lone surrogate in metadata", b'{"amount":5,"reference":"r","metadata":{"a":"\\udfff"}}'
    ),
    malformed(
        "a number that no double holds", b'{"amount":5,"reference":"r","metadata":{"a":1e999}}'
    ),
    malformed("deep nesting", DEEP),
    malformed("very deep nesting", VERY_DEEP),
    Row(
        "a NUL in the customer id",
        "POST",
        "/v1/wallets",
        400,
        "malformed_request",
        "customer_id",
        data=b'{"customer_id":"\\u0000","currency":"GHS"}',
    ),
    # Bodies of the wrong size or kind.
    debit(
        "an oversized body",
        413,
        "payload_too_large",
        data=b'{"reference":"' + b"a" * 200_000 + b'"}',
    ),
    debit(
        "no content type", 415, "unsupported_media_type", body=GOOD, headers={"Content-Type": ""}
    ),
    *(
        debit(
            f"the content type {kind}",
            415,
            "unsupported_media_type",
            body=GOOD,
            headers={"Content-Type": kind},
        )
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "application/json; charset=utf-16",
        )
    ),
    debit(
        "a compressed body",
        415,
        "unsupported_media_type",
        data=b"\x1f\x8b",
        headers={"Content-Encoding": "gzip"},
    ),
    # Fields that are invalid.
    *(
        debit_text(f"the amount {amount}", 422, "validation_failed", amount)
        for amount in (
            "0",
            "-5",
            "5.0",
            "5.5",
            "1e3",
            "1E0",
            '"5"',
            "true",
            "null",
            "[5]",
            '{"minor":5}',
            "9007199254740992",
            "1" + "0" * 30,
            "-1" + "0" * 30,
        )
    ),
    debit_text("an amount of 5000 digits", 400, "malformed_request", "1" * 5000),
    debit_text("the amount 0x5", 400, "malformed_request", "0x5"),
    debit_text("the amount 05", 400, "malformed_request", "05"),
    debit("no amount", 422, "validation_failed", "amount", body={"reference": "ref"}),
    debit(
        "neither amount nor reference",
        422,
        "validation_failed",
        "amount",
        body={"description": 5},
        errors=("amount", "description", "reference"),
    ),
    debit("no reference", 422, "validation_failed", "reference", body={"amount": 5}),
    debit_of("an empty reference", "reference", reference=""),
    debit_of("a very long reference", "reference", reference="r" * 256),
    debit_of("a reference that is a number", "reference", reference=5),
    debit_of("a reference that is null", "reference", reference=None),
    debit_of("a very long description", "description", description="d" * 1025),
    debit_of("a description that is a number", "description", description=5),
    debit_of("metadata that is an array", "metadata", metadata=[1]),
    debit_of("metadata that is a string", "metadata", metadata="text"),
    debit_of("very large metadata", "metadata", metadata={"a": "b" * 33_000}),
    debit(
        "a member that is first wrong and then right",
        400,
        "malformed_request",
        param="amount",
        data=b'{"amount":"5","amount":5,"reference":"ref"}',
    ),
    create("an unknown currency", "currency", currency="XXQ"),
    create("a currency without minor units", "currency", currency="XAU"),
    create("a currency in small letters", "currency", currency="ghs"),
    create("a currency with a line break", "currency", currency="GHS\n"),
    create("a currency that is a number", "currency", currency=936),
    create("an empty customer id", "customer_id", customer_id=""),
    create("a very long customer id", "customer_id", customer_id="c" * 256),
    create("a customer id that is a number", "customer_id", customer_id=1),
    create("wallet metadata that is an array", "metadata", metadata=[]),
    Row(
        "closing with an unknown wish",
        "POST",
        "/v1/wallets/{wallet}/close",
        422,
        "validation_failed",
        "remaining_balance",
        body={"remaining_balance": "keep"},
    ),
    Row(
        "closing with a wish of a wrong type",
        "POST",
        "/v1/wallets/{wallet}/close",
        422,
        "validation_failed",
        "remaining_balance",
        body={"remaining_balance": 5},
    ),
    Row(
        "freezing with an array",
        "POST",
        "/v1/wallets/{wallet}/freeze",
        400,
        "malformed_request",
        body=[],
    ),
    # Headers and queries.
    *(
        debit(
            name,
            400,
            "invalid_idempotency_key",
            "Idempotency-Key",
            body=GOOD,
            headers={"Idempotency-Key": key},
        )
        for name, key in {
            "an empty idempotency key": "",
            "a very long idempotency key": "k" * 256,
            "an idempotency key with a space": "a b",
            "an idempotency key beyond ASCII": "clé",
        }.items()
    ),
    *(
        query(f"the limit {limit!r}", f"?limit={limit}", "invalid_limit", "limit")
        for limit in (
            "0",
            "-1",
            "101",
            "ten",
            "1.0",
            "",
            "%2B5",
            "%D9%A3",
            "1_0",
            "99999999999999999999",
        )
    ),
    query("a repeated limit", "?limit=5&limit=6", "invalid_limit", "limit"),
    query("a bad limit of a history", "/{wallet}/transactions?limit=0", "invalid_limit", "limit"),
    *(
        query(
            f"the cursor {cursor!r}",
            f"/{{wallet}}/transactions?after={cursor}",
            "invalid_cursor",
            "after",
        )
        for cursor in ("", "x", "%00", "eyJhIjoxfQ", "W10", "A" * 2000, "%F0%9F%92%B0")
    ),
    query("a bad cursor of the wallets", "?after=abc", "invalid_cursor", "after"),
    query("an unknown type", "/{wallet}/transactions?type=refund", "invalid_type", "type"),
    query(
        "an unknown status of transactions",
        "/{wallet}/transactions?status=open",
        "invalid_status",
        "status",
    ),
    query("an unknown status of wallets", "?status=open", "invalid_status", "status"),
    query("an unknown currency to filter by", "?currency=XXQ", "invalid_parameter", "currency"),
    query("an empty customer id to filter by", "?customer_id=", "invalid_parameter", "customer_id"),
    query("a NUL to filter by", "?customer_id=%00", "invalid_parameter", "customer_id"),
    *(
        query(f"wallets by {name}", f"?{name}=1", "invalid_parameter", name)
        for name in (
            *("cursor", "next_cursor", "before", "starting_after", "ending_before"),
            *("page", "page_number", "offset"),
            *("from", "to", "since", "until", "start_date", "end_date", "sort", "order"),
        )
    ),
    *(
        Row(f"{path} by cursor", "GET", f"/v1{path}?cursor=x", 400, "invalid_parameter", "cursor")
        for path in (
            "/wallets/{wallet}/transactions",
            "/wallets/{wallet}/holds",
            "/wallets/{wallet}/topups",
            "/accounts",
            "/accounts/merchant.GHS/entries",
        )
    ),
    *(
        Row(f"{path} of a day", "GET", f"/v1{path}?as_of=x", 400, "invalid_parameter", "as_of")
        for path in (
            *("/wallets", "/wallets/{wallet}", "/wallets/{wallet}/transactions"),
            *("/wallets/{wallet}/holds", "/wallets/{wallet}/topups"),
            *("/accounts", "/accounts/merchant.GHS/entries"),
        )
    ),
    *(
        Row(
            f"the audit log by {name}",
            "GET",
            f"/v1/audit-log?{name}=x",
            400,
            "invalid_parameter",
            name,
            who="admin",
        )
        for name in ("cursor", "as_of")
    ),
    query("a cursor before a bad limit", "?limit=0&cursor=x", "invalid_parameter", "cursor"),
]
