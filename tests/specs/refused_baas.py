"""Every way in which a call of the BaaS API is refused before any wallet decides: one row each.

`tests/integration/test_baas_refusals.py` makes each call.
"""

from tests.specs.baas_client import UNKNOWN
from tests.specs.refused_baas_money import GOOD, MONEY_ROWS
from tests.specs.refused_row import Row

DEEP = b'{"amount":1,"customer_id":"x","metadata":{"a":' + b"[" * 40 + b"]" * 40 + b"}}"


def query(name: str, path: str, message: str, field: str) -> Row:
    """A list whose page is invalid."""
    return Row(name, "GET", path, 400, message, (field,))


MISSING_KEY = "Unauthorized: the API key is missing: send X-API-Key"
WRONG_KEY = "Unauthorized: the API key is wrong"
MALFORMED = "Malformed request: "

ROWS = [
    # Keys.
    Row("no key", "GET", "/wallets", 401, MISSING_KEY, who=None),
    *(
        Row(
            f"a key that is {name}",
            "GET",
            "/wallets",
            401,
            WRONG_KEY,
            who=None,
            headers={"X-API-Key": value},
        )
        for name, value in {
            "empty": "",
            "without a dot": "key",
            "unknown": f"key_{'0' * 24}.secret",
            "without a secret": f"key_{'0' * 24}.",
        }.items()
    ),
    Row(
        "a bearer where only a key is taken",
        "GET",
        "/wallets",
        401,
        MISSING_KEY,
        who=None,
        headers={"Authorization": "Bearer {key}"},
    ),
    Row(
        "the other contract's credentials",
        "GET",
        "/wallets",
        401,
        MISSING_KEY,
        who=None,
        headers={"Authorization": "Basic eA=="},
    ),
    Row(
        "a scope that is missing",
        "POST",
        "/wallets/credit",
        403,
        "Forbidden: the credentials lack the scope wallets:write",
        (),
        GOOD,
        who="reader",
    ),
    # Paths and methods.
    Row("an unknown path", "GET", "/nothing", 404, "Not found: there is nothing under this path"),
    Row(
        "an unknown path without a key",
        "GET",
        "/nothing",
        404,
        "Not found: there is nothing under this path",
        who=None,
    ),
    Row(
        "a wrong method",
        "DELETE",
        "/wallets",
        405,
        "Method not allowed: the path takes GET, HEAD, POST",
    ),
    Row(
        "a merchant's wallet to be made",
        "POST",
        "/wallets/merchants",
        405,
        "Method not allowed: the path takes GET, HEAD",
    ),
    # Bodies.
    *(
        Row(f"a body that is {name}", "POST", "/wallets/credit", 400, MALFORMED + what, data=data)
        for name, data, what in (
            ("empty", b"", "a JSON object is expected as the body"),
            (
                "no JSON",
                b"{",
                "the body is not valid JSON",
            ),
            (
                "half a character",
                b'{"amount":"\\ud83d"}',
                "the body is not valid JSON: it has a lone surrogate, which is half a character",
            ),
            (
                "too large a number",
                b'{"amount":1e999}',
                "the body has a number that no double can hold",
            ),
            ("a list", b"[]", "the body is JSON, but not an object"),
            ("not UTF-8", b'{"amount":"\xff"}', "the body is not UTF-8"),
            ("nested too deep", DEEP, "the body nests deeper than 33 levels"),
        )
    ),
    Row(
        "a member that is there twice",
        "POST",
        "/wallets/credit",
        400,
        "Malformed request",
        ("amount",),
        data=b'{"amount":1,"amount":2}',
    ),
    Row(
        "a body of another type",
        "POST",
        "/wallets/credit",
        415,
        "Unsupported media type: the body must be of content type application/json",
        (),
        GOOD,
        headers={"Content-Type": "text/plain"},
    ),
    Row(
        "a body that is too large",
        "POST",
        "/wallets/credit",
        413,
        "Payload too large: the body is over 131072 bytes",
        data=b" " * 131_073,
    ),
    Row(
        "an idempotency key with a blank",
        "POST",
        "/wallets/credit",
        400,
        "Invalid Idempotency-Key",
        ("Idempotency-Key",),
        GOOD,
        headers={"Idempotency-Key": "a b"},
    ),
    *MONEY_ROWS,
    # Pages.
    *(
        query(f"{path}: {name}={value}", f"{path}?{name}={value}", message, name)
        for path in ("/wallets", "/transactions/customer/{user}")
        for name, values, message in (
            ("page", ("0", "-1", "x", "1.5", ""), "Invalid parameter"),
            ("page_number", ("0",), "Invalid parameter"),
            ("limit", ("0", "101", "-1", "x"), "Invalid limit"),
            ("page_size", ("0", "101"), "Invalid parameter"),
        )
        for value in values
    ),
    query("two pages", "/wallets?page=1&page_number=2", "Invalid parameter", "page_number"),
    *(
        query(f"{path} by {name}", f"{path}?{name}=1", "Invalid parameter", name)
        for path in ("/wallets", "/transactions/customer/{user}")
        for name in (
            *("cursor", "next_cursor", "after", "before", "starting_after", "ending_before"),
            "as_of",
            *("offset", "from", "to", "since", "until", "start_date", "end_date", "sort", "order"),
        )
    ),
    # What there is not.
    Row(
        "a customer id that is no UUID",
        "GET",
        "/wallets/cus_1",
        400,
        "Invalid parameter",
        ("customer_id",),
    ),
    Row(
        "an unknown customer",
        "GET",
        f"/wallets/{UNKNOWN}",
        404,
        "Customer not found: there is no such customer",
    ),
    Row(
        "another merchant's customer",
        "GET",
        "/wallets/{user}",
        404,
        "Customer not found: there is no such customer",
        who="stranger",
    ),
    Row(
        "the customer of the live tenant",
        "GET",
        "/wallets/{user}",
        404,
        "Customer not found: there is no such customer",
        who="live",
    ),
    *(
        Row(
            f"a reference that is {name}",
            "GET",
            f"/transactions/{spelled}",
            400,
            "Invalid reference",
            ("reference",),
        )
        for name, spelled in {
            "not UTF-8": "%FF",
            "a NUL": "a%00",
            "too long": "r" * 256,
        }.items()
    ),
    Row(
        "an unknown reference",
        "GET",
        "/transactions/nothing",
        404,
        "Transaction not found: there is no such transaction",
    ),
    Row(
        "another merchant's reference",
        "GET",
        "/transactions/in",
        404,
        "Transaction not found: there is no such transaction",
        who="stranger",
    ),
    *(
        Row(
            f"the history of {name}{more}",
            "GET",
            f"/transactions/customer/{spelled}{more}",
            404,
            "Customer not found: there is no such customer",
        )
        for name, spelled in {
            "a malformed customer": "cus_1",
            "an unknown customer": UNKNOWN,
        }.items()
        for more in ("", "/in")
    ),
    *(
        Row(
            f"another merchant's history{more}",
            "GET",
            f"/transactions/customer/{{user}}{more}",
            404,
            "Customer not found: there is no such customer",
            who="stranger",
        )
        for more in ("", "/in")
    ),
    Row(
        "an unknown reference of a customer",
        "GET",
        "/transactions/customer/{user}/nothing",
        404,
        "Transaction not found: there is no such transaction",
    ),
    Row(
        "a malformed reference of a customer",
        "GET",
        "/transactions/customer/{user}/%FF",
        404,
        "Transaction not found: there is no such transaction",
    ),
    Row(
        "another customer's reference",
        "GET",
        "/transactions/customer/{friend}/in",
        404,
        "Transaction not found: there is no such transaction",
    ),
]
