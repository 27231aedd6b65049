"""The refusals of the BaaS API's calls that move money: one row each."""

from tests.specs.baas_client import UNKNOWN
from tests.specs.refused_row import Row

GOOD: dict[str, object] = {"amount": 5, "customer_id": "{user}", "reference": "ref"}
TRANSFER: dict[str, object] = {
    "amount": 5,
    "from_wallet_id": "{wallet}",
    "to_wallet_id": "{friend_wallet}",
    "reference": "ref",
}


def movement(name: str, *fields: str, body: object = None, data: bytes | None = None) -> list[Row]:
    """A credit and a debit whose fields are invalid."""
    return [
        Row(
            f"{verb}: {name}",
            "POST",
            f"/wallets/{verb}",
            400,
            "Validation failed",
            fields,
            body,
            data,
        )
        for verb in ("credit", "debit")
    ]


def amount(spelled: str) -> list[Row]:
    """A credit and a debit whose amount is spelled so."""
    data = f'{{"amount":{spelled},"customer_id":"{{user}}","reference":"ref"}}'.encode()
    return movement(f"the amount {spelled}", "amount", data=data)


def transfer(name: str, *fields: str, **change: object) -> Row:
    """A transfer whose fields are invalid."""
    body = {name: value for name, value in (TRANSFER | change).items() if value != "nothing"}
    return Row(
        f"transfer: {name}",
        "POST",
        "/wallets/transfer/bank",
        400,
        "Validation failed",
        fields,
        body,
    )


MONEY_ROWS = [
    *(
        row
        for spelled in (
            "0",
            "0.00",
            "-1",
            "-0.01",
            '"5"',
            "null",
            "true",
            "1e2",
            "1.5E1",
            "[5]",
            "{}",
            "0.001",
            "10.555",
            "10000000000000",
            "9999999999999.999",
            "99999999999999999999999",
        )
        for row in amount(spelled)
    ),
    *movement("nothing at all", "amount", "customer_id", body={}),
    *movement("no amount", "amount", body={"customer_id": "{user}"}),
    *movement("no customer", "customer_id", body={"amount": 1}),
    *movement(
        "everything wrong",
        "amount",
        "customer_id",
        "reference",
        "metadata",
        body={"amount": -1, "customer_id": 5, "reference": "", "metadata": []},
    ),
    *movement("a customer id that is no UUID", "customer_id", body=GOOD | {"customer_id": "cus_1"}),
    *movement("a reference that is too long", "reference", body=GOOD | {"reference": "r" * 256}),
    *movement("a reference that is a number", "reference", body=GOOD | {"reference": 5}),
    *movement("a reference with NUL", "reference", body=GOOD | {"reference": "a\x00"}),
    *movement("metadata that is text", "metadata", body=GOOD | {"metadata": "text"}),
    *movement("metadata with NUL", "metadata", body=GOOD | {"metadata": {"a": "\x00"}}),
    *movement("large metadata", "metadata", body=GOOD | {"metadata": {"a": "x" * 33_000}}),
    *(
        Row(
            f"{verb}: an unknown customer",
            "POST",
            f"/wallets/{verb}",
            404,
            "Customer not found: there is no such customer",
            (),
            GOOD | {"customer_id": UNKNOWN},
        )
        for verb in ("credit", "debit")
    ),
    *(
        Row(
            f"{verb}: another merchant's customer",
            "POST",
            f"/wallets/{verb}",
            404,
            "Customer not found: there is no such customer",
            (),
            GOOD,
            who="stranger",
        )
        for verb in ("credit", "debit")
    ),
    transfer("no amount", "amount", amount="nothing"),
    transfer("an amount that is zero", "amount", amount=0),
    transfer("no sender", "from_wallet_id", from_wallet_id="nothing"),
    transfer("no receiver", "to_wallet_id", to_wallet_id="nothing"),
    transfer("a wallet of the other spelling", "from_wallet_id", from_wallet_id="wal_" + "0a" * 16),
    transfer("a narration that is a number", "narration", narration=5),
    transfer("a narration that is too long", "narration", narration="n" * 1025),
    transfer("a reference that is empty", "reference", reference=""),
    transfer("metadata that is a list", "metadata", metadata=[]),
    Row(
        "transfer: to itself",
        "POST",
        "/wallets/transfer/bank",
        400,
        "Wallets must be different",
        ("to_wallet_id",),
        TRANSFER | {"to_wallet_id": "{wallet}"},
    ),
    Row(
        "transfer: an unknown receiver",
        "POST",
        "/wallets/transfer/bank",
        404,
        "Wallet not found",
        (),
        TRANSFER | {"to_wallet_id": UNKNOWN},
    ),
    Row(
        "transfer: an unknown sender",
        "POST",
        "/wallets/transfer/bank",
        404,
        "Wallet not found",
        (),
        TRANSFER | {"from_wallet_id": UNKNOWN},
    ),
    Row(
        "transfer: another merchant's wallets",
        "POST",
        "/wallets/transfer/bank",
        404,
        "Wallet not found",
        (),
        TRANSFER,
        who="stranger",
    ),
    Row(
        "transfer: a scope that is missing",
        "POST",
        "/wallets/transfer/bank",
        403,
        "Forbidden: the credentials lack the scope transfers:write",
        (),
        TRANSFER,
        who="writer",
    ),
]
