"""Refused calls about holds, transfers, reversals, freezes and expiring money: one row each.

As in `refused_calls`, and made by the same test.
"""

from typing import Any

from tests.specs.refused_calls import GOOD, NO_WALLET, Row

NO_HOLD = "hol_" + "0a" * 16
NO_TRANSACTION = "txn_" + "0a" * 16
NO_TRANSFER = "trf_" + "0a" * 16
YEN_WALLET = "{yen_wallet}"
THIS_WALLET = "{wallet}"


def post(
    name: str, path: str, status: int, code: str, param: str | None = None, **more: Any
) -> Row:
    return Row(name, "POST", f"/v1{path}", status, code, param, **more)


def invalid(name: str, path: str, param: str, body: object) -> Row:
    """A call with one field spoiled, which is a 422."""
    return post(name, path, 422, "validation_failed", param, body=body)


def transfer(name: str, status: int, code: str, param: str | None = None, **more: Any) -> Row:
    body = {"from": THIS_WALLET, "to": NO_WALLET, **GOOD, **more.pop("fields", {})}
    return post(name, "/transfers", status, code, param, body=body, **more)


def get(name: str, path: str, status: int, code: str, param: str | None = None, **more: Any) -> Row:
    return Row(name, "GET", f"/v1{path}", status, code, param, **more)


OWING: dict[str, object] = {"reference": "r", "allow_negative": True}
REVERSE = f"/transactions/{NO_TRANSACTION}/reverse"

ROWS = [
    # Credentials.
    post("a hold by who only reads", "/wallets/{wallet}/holds", 403, "forbidden", who="reader"),
    post(
        "a capture by who only reads", f"/holds/{NO_HOLD}/capture", 403, "forbidden", who="reader"
    ),
    post("a void by who only reads", f"/holds/{NO_HOLD}/void", 403, "forbidden", who="reader"),
    post("a reversal by who only reads", REVERSE, 403, "forbidden", who="reader"),
    transfer("a transfer by who may only change wallets", 403, "forbidden", who="writer"),
    *(
        get(f"a GET of {path} without credentials", path, 401, "unauthorized", who=None)
        for path in (
            *(f"/holds/{NO_HOLD}", "/wallets/{wallet}/holds", f"/transfers/{NO_TRANSFER}"),
            f"/transactions/{NO_TRANSACTION}",
        )
    ),
    post(
        "a balance below zero for who may not",
        REVERSE,
        403,
        "forbidden",
        "allow_negative",
        body=OWING,
    ),
    *(
        post(
            f"a balance below zero for who may not, {name}",
            f"/transactions/{transaction}/reverse",
            status,
            code,
            param,
            body=body,
            who=who,
        )
        for who in ("merchant", "stranger")
        for name, transaction, body, status, code, param in (
            (
                f"of a transaction, {who}",
                "{transaction}",
                OWING,
                403,
                "forbidden",
                "allow_negative",
            ),
            (f"of no such id, {who}", "txn_1", OWING, 403, "forbidden", "allow_negative"),
            (
                *(f"by an invalid wish, {who}", NO_TRANSACTION, {**OWING, "amount": 0}),
                *(422, "validation_failed", "amount"),
            ),
        )
    ),
    # What there is not, or is not spelled as an id.
    *(
        row
        for kind, prefix, verbs in (
            ("hold", "hol", ("capture", "void")),
            ("transaction", "txn", ("reverse",)),
            ("transfer", "trf", ()),
        )
        for name, identifier in (
            ("an unknown", f"{prefix}_" + "0a" * 16),
            ("a malformed", f"{prefix}_1'--"),
            ("a wallet as", NO_WALLET),
            ("a capital", f"{prefix}_" + "0A" * 16),
            ("a NUL as", "%00"),
        )
        for row in (
            get(f"{name} {kind}", f"/{kind}s/{identifier}", 404, f"{kind}_not_found"),
            *(
                post(
                    f"{name} {kind} to {verb}",
                    f"/{kind}s/{identifier}/{verb}",
                    404,
                    f"{kind}_not_found",
                    body={"reference": "r"},
                )
                for verb in verbs
            ),
        )
    ),
    *(
        get(
            f"another merchant's {kind}",
            f"/{kind}s/{{{kind}}}",
            404,
            f"{kind}_not_found",
            who="stranger",
        )
        for kind in ("hold", "transaction", "transfer")
    ),
    *(
        post(
            f"another merchant's {kind} to {verb}",
            f"/{kind}s/{{{kind}}}/{verb}",
            404,
            f"{kind}_not_found",
            body={"reference": "r"},
            who="stranger",
        )
        for kind, verb in (("hold", "capture"), ("hold", "void"), ("transaction", "reverse"))
    ),
    get(
        "another merchant's holds",
        "/wallets/{wallet}/holds",
        404,
        "wallet_not_found",
        who="stranger",
    ),
    get("the holds of an unknown wallet", f"/wallets/{NO_WALLET}/holds", 404, "wallet_not_found"),
    get("a transaction as a hold", "/holds/hol_{transaction_digits}", 404, "hold_not_found"),
    get("a hold as a transaction", "/transactions/txn_{hold_digits}", 404, "transaction_not_found"),
    get("a hold as a transfer", "/transfers/trf_{hold_digits}", 404, "transfer_not_found"),
    post(
        "a transaction to capture",
        "/holds/hol_{transaction_digits}/capture",
        404,
        "hold_not_found",
    ),
    transfer("a transfer to an unknown wallet", 404, "wallet_not_found", "to"),
    transfer(
        "a transfer from an unknown wallet",
        404,
        "wallet_not_found",
        "from",
        fields={
            "from": NO_WALLET,
            "to": THIS_WALLET,
        },
    ),
    transfer(
        "a transfer from another merchant's wallet",
        404,
        "wallet_not_found",
        "from",
        fields={"from": THIS_WALLET, "to": YEN_WALLET},
        who="stranger",
    ),
    post(
        "closing into an unknown wallet",
        "/wallets/{wallet}/close",
        404,
        "wallet_not_found",
        "remaining_balance",
        body={"remaining_balance": {"transfer_to": NO_WALLET}},
    ),
    post(
        "closing an unknown wallet into another",
        f"/wallets/{NO_WALLET}/close",
        404,
        "wallet_not_found",
        body={"remaining_balance": {"transfer_to": THIS_WALLET}},
    ),
    # What can never be done.
    transfer("a transfer to itself", 422, "same_wallet", "to", fields={"to": THIS_WALLET}),
    transfer(
        "a transfer into another currency",
        422,
        "currency_mismatch",
        "to",
        fields={"to": YEN_WALLET},
    ),
    post(
        "closing into itself",
        "/wallets/{wallet}/close",
        422,
        "same_wallet",
        "remaining_balance",
        body={"remaining_balance": {"transfer_to": THIS_WALLET}},
    ),
    post(
        "closing into another currency",
        "/wallets/{wallet}/close",
        422,
        "currency_mismatch",
        "remaining_balance",
        body={"remaining_balance": {"transfer_to": YEN_WALLET}},
    ),
    *(
        post(
            f"{name} that ends at {moment}",
            f"/wallets/{{wallet}}/{verb}",
            422,
            "expiry_not_ahead",
            "expires_at",
            body={**GOOD, "expires_at": moment},
        )
        for name, verb in (("a credit", "credit"), ("a hold", "holds"))
        for moment in ("2020-01-01T00:00:00Z", "2020-01-01", "0001-01-01T00:00:00Z")
    ),
    # Bodies that cannot be read, or are invalid.
    *(
        invalid(
            f"{name} with the expiry {moment!r}",
            f"/wallets/{{wallet}}/{verb}",
            "expires_at",
            {**GOOD, "expires_at": moment},
        )
        for name, verb in (("a credit", "credit"), ("a hold", "holds"))
        for moment in (
            *("", "soon", "2030-02-30", "2030-01-01T24:00:00Z", "2030-W01-1", "20300101"),
            *(1893456000, True, ["2030-01-01"], "9999-12-31T23:59:59-01:00"),
        )
    ),
    post(
        "a NUL in the expiry",
        "/wallets/{wallet}/credit",
        400,
        "malformed_request",
        "expires_at",
        body={**GOOD, "expires_at": "2030-01-01\x00"},
    ),
    post("a hold without a body", "/wallets/{wallet}/holds", 400, "malformed_request"),
    post("a transfer without a body", "/transfers", 400, "malformed_request"),
    post("a reversal without a body", REVERSE, 400, "malformed_request"),
    post("a void with an array", f"/holds/{NO_HOLD}/void", 400, "malformed_request", body=[]),
    post("a capture with an array", f"/holds/{NO_HOLD}/capture", 400, "malformed_request", body=[]),
    invalid("a hold of nothing", "/wallets/{wallet}/holds", "amount", {**GOOD, "amount": 0}),
    invalid("a hold without a reference", "/wallets/{wallet}/holds", "reference", {"amount": 5}),
    invalid("a capture of nothing", f"/holds/{NO_HOLD}/capture", "amount", {"amount": 0}),
    invalid("a capture of half a pesewa", f"/holds/{NO_HOLD}/capture", "amount", {"amount": 0.5}),
    invalid(
        "a capture that is final by a word", f"/holds/{NO_HOLD}/capture", "final", {"final": "yes"}
    ),
    invalid(
        "a capture that is final by null", f"/holds/{NO_HOLD}/capture", "final", {"final": None}
    ),
    invalid(
        "an empty reference of a capture",
        f"/holds/{NO_HOLD}/capture",
        "reference",
        {"reference": ""},
    ),
    invalid("a reversal without a reference", REVERSE, "reference", {"amount": 5}),
    invalid("a reversal of nothing", REVERSE, "amount", {"amount": 0, "reference": "r"}),
    invalid(
        "a flag that is a number",
        REVERSE,
        "allow_negative",
        {"allow_negative": 1, "reference": "r"},
    ),
    *(
        transfer(
            f"a transfer {field} {value!r}",
            422,
            "validation_failed",
            field,
            fields={field: value},
        )
        for field in ("from", "to")
        for value in ("", "wal_1", NO_WALLET.upper(), NO_WALLET + "\n", 5, None)
    ),
    transfer("a transfer of nothing", 422, "validation_failed", "amount", fields={"amount": 0}),
    *(
        invalid(f"a freeze of {scope!r}", "/wallets/{wallet}/freeze", "scope", {"scope": scope})
        for scope in ("everything", "", "Debits", None, 5, ["debits"])
    ),
    *(
        invalid(f"{name} to {verb}", f"/wallets/{{wallet}}/{verb}", "reason", {"reason": reason})
        for verb in ("freeze", "unfreeze")
        for name, reason in (("a very long reason", "r" * 256), ("a number as reason", 5))
    ),
    *(
        invalid(
            f"closing into {wish!r}",
            "/wallets/{wallet}/close",
            "remaining_balance",
            {"remaining_balance": wish},
        )
        for wish in (
            *({"transfer_to": "wal_1"}, {"transfer_to": NO_WALLET + "\n"}, {"transfer_to": None}),
            *({"transfer_to": NO_WALLET, "more": 1}, {}, {"to": NO_WALLET}),
        )
    ),
    # Queries.
    *(
        get(f"the holds{query}", f"/wallets/{{wallet}}/holds{query}", 400, code, param)
        for query, code, param in (
            ("?status=frozen", "invalid_status", "status"),
            ("?status=", "invalid_status", "status"),
            ("?limit=0", "invalid_limit", "limit"),
            ("?limit=101", "invalid_limit", "limit"),
            ("?after=x", "invalid_cursor", "after"),
            ("?status=open&status=open", "invalid_status", "status"),
        )
    ),
    # Methods.
    get("a GET of a capture", f"/holds/{NO_HOLD}/capture", 405, "method_not_allowed"),
    get("a GET of all transfers", "/transfers", 405, "method_not_allowed"),
    get("a GET of all holds", "/holds", 404, "not_found"),
    post("a POST of a hold", f"/holds/{NO_HOLD}", 405, "method_not_allowed"),
]
