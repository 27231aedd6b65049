"""Shapes of the second dialect: every field by the name that its contract has for it."""

from typing import Any

import msgspec
import pytest

from schemas.http import baas_wallets as shapes
from services.gateway.baas.kyc_fields import (
    read_freeze,
    read_tier_one,
    read_tier_three,
    read_tier_two,
    read_upgrade,
)
from services.gateway.problems import RefusedError
from services.publish_schemas.json_schema import components
from tests.specs.people import LIVE, TIER_ONE, TIER_THREE, TIER_TWO

TIER_ONE_FIELDS = [
    *("bvn", "first_name", "last_name", "date_of_birth", "phone_number", "email", "address"),
]
MOVEMENT_FIELDS = ["amount", "customer_id", "reference", "metadata"]
REQUESTS: dict[type[msgspec.Struct], list[str]] = {
    shapes.CreateWalletRequest: TIER_ONE_FIELDS,
    shapes.TierTwoWalletRequest: [*TIER_ONE_FIELDS, "nin"],
    shapes.UpgradeToTierTwoRequest: ["nin", "account_number"],
    shapes.TierThreeForm: [
        *("utility_bill_image", "address", "bvn", "nin", "postal_code", "postal_ccode", "country"),
        *("state", "lga", "city", "first_name", "last_name", "phone", "email", "dob"),
    ],
    shapes.CreditWalletRequest: MOVEMENT_FIELDS,
    shapes.DebitWalletRequest: MOVEMENT_FIELDS,
    shapes.BankTransferRequest: [
        *("amount", "from_wallet_id", "to_wallet_id", "narration", "reference", "metadata"),
    ],
    shapes.FreezeRequest: ["account_number", "reason"],
}
ANSWERS: list[type[msgspec.Struct]] = [
    shapes.WalletAnswer,
    shapes.WalletListAnswer,
    shapes.TransactionAnswer,
    shapes.CustomerTransactionAnswer,
    shapes.CustomerTransactionListAnswer,
    shapes.FailureAnswer,
]


@pytest.mark.parametrize("shape", REQUESTS, ids=lambda shape: shape.__name__)
def test_a_request_has_the_contracts_fields(shape: type[msgspec.Struct]) -> None:
    assert [field.encode_name for field in msgspec.structs.fields(shape)] == REQUESTS[shape]


def test_what_is_read_is_what_the_shapes_say() -> None:
    for shape, read in (
        (shapes.CreateWalletRequest, lambda: read_tier_one({}, LIVE)),
        (shapes.TierTwoWalletRequest, lambda: read_tier_two({}, LIVE)),
        (shapes.TierThreeForm, lambda: read_tier_three({}, LIVE)),
        (shapes.UpgradeToTierTwoRequest, lambda: read_upgrade({})),
        (shapes.FreezeRequest, lambda: read_freeze({})),
    ):
        with pytest.raises(RefusedError) as caught:
            read()
        required = {field.name for field in msgspec.structs.fields(shape) if field.required}
        assert {problem.param for problem in caught.value.errors} == required - {
            shapes.UTILITY_BILL_FIELD
        }


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (shapes.CreateWalletRequest, TIER_ONE),
        (shapes.TierTwoWalletRequest, TIER_TWO),
        (shapes.TierThreeForm, TIER_THREE | {"utility_bill_image": ""}),
    ],
)
def test_personal_data_is_not_shown_where_a_request_is_printed(
    shape: type[msgspec.Struct], body: dict[str, object]
) -> None:
    assert repr(msgspec.convert(body, shape)) == f"{shape.__name__}(…)"


def test_an_amount_stays_as_it_was_written() -> None:
    body = b'{"amount": 10.50, "customer_id": "ed380000-b6f6-4210-bc8b-5dd7d6721caa"}'
    asked = msgspec.json.decode(body, type=shapes.CreditWalletRequest)
    assert bytes(asked.amount) == b"10.50"


def test_the_shapes_can_be_published() -> None:
    published: dict[str, Any] = components([*REQUESTS, *ANSWERS], "#/components/schemas/")
    assert {shape.__name__ for shape in (*REQUESTS, *ANSWERS)} <= published.keys()
    assert published["CreditWalletRequest"]["properties"]["amount"]["type"] == "number"
    assert published["Wallet"]["properties"]["booked_balance"]["type"] == "number"
    wallet = published["Wallet"]
    assert set(wallet["properties"]) - set(wallet["required"]) == {
        *("account_type", "account_category", "tier", "expiry_time", "review_status"),
    }
    meta = {"page", "limit", "totalItems", "totalPages"}
    assert set(published["PageMeta"]["properties"]) == meta
    assert set(published["FailureAnswer"]["required"]) == {
        *("success", "statusCode", "message", "errors"),
    }
