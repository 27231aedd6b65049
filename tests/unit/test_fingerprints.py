"""Fingerprints are kept for ever: what was asked once must be recognised by every later release."""

from typing import get_args

import pytest
from msgspec import Raw
from msgspec.structs import replace

from ledger.command_handling.fingerprint import fingerprint
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    Command,
    CompleteTopup,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    EnrollCustomer,
    EraseCustomer,
    ExpireDue,
    FreezeWallet,
    PlaceHold,
    RaiseTier,
    ReverseTransaction,
    ReviewWallet,
    TransferMoney,
    TransferTo,
    UnfreezeWallet,
    VoidHold,
)
from tests.specs.wallet_commands import JUNE

WALLET, OTHER = "wal_" + "0a" * 16, "wal_" + "0b" * 16
HOLD, TOPUP, TRANSACTION = ("_".join((prefix, "0c" * 16)) for prefix in ("hol", "top", "txn"))
USER = "ab74cbaf-c46b-5cd4-bf2f-8cdf19545a44"
DIGEST = "0d" * 32
SHOP = "https://shop.example/thanks"
METADATA = Raw(b'{"order": 7}')

KEPT: list[tuple[str, Command]] = [
    ("6bdfff91e6805cc4f3c7629bd96a1aad",
     CreateWallet(customer_id="ama", currency="GHS")),
    ("235391f2a8801c6720c3684cf0e72e14",
     CreateWallet(customer_id="ama", currency="GHS", metadata=METADATA)),
    ("f12d87bb29b03fb1adc6c29cf477cd53",
     CreditWallet(wallet_id=WALLET, amount=5, reference="r")),
    ("8182b53f9093058ed67c43fa0c002d31",
     CreditWallet(wallet_id=WALLET, amount=5, reference="r", description="d", expires_at=JUNE,
                  metadata=METADATA)),
    ("36d6f2ac33cb8eab2d0b26e0dc6d2d7d",
     DebitWallet(wallet_id=WALLET, amount=5, reference="r")),
    ("df3bc07147911a9de52688255597071e",
     DebitWallet(wallet_id=WALLET, amount=5, reference="r", description="d", metadata=METADATA)),
    ("e2ac3e0fd21df1f1ab43abc6b45b9390",
     FreezeWallet(wallet_id=WALLET)),
    ("155cae517c2bcee0cb6819f2530e9aa7",
     FreezeWallet(wallet_id=WALLET, scope="all")),
    ("4f6c2cd7b6535c80b2eaa7f58d836a64",
     FreezeWallet(wallet_id=WALLET, reason="why")),
    ("8442a38bc27ddb461a66e870432a586d",
     UnfreezeWallet(wallet_id=WALLET)),
    ("f368b824c2501d8f7d9aca779377d2c2",
     UnfreezeWallet(wallet_id=WALLET, reason="why")),
    ("f2faf978c38dbae42a66f01e2781f3bb",
     CloseWallet(wallet_id=WALLET)),
    ("f50fd8e768d0277dbf85cdc33a57fc3e",
     CloseWallet(wallet_id=WALLET, remaining_balance="forfeit")),
    ("27a5234158f6e65e3d036fbda2d3266e",
     CloseWallet(wallet_id=WALLET, remaining_balance=TransferTo(transfer_to=OTHER))),
    ("004c8dc3ca60685c6e488cf297d40b53",
     PlaceHold(wallet_id=WALLET, amount=5, reference="r")),
    ("7db5e0d3fcd17ecc8e4773673fc4b494",
     PlaceHold(wallet_id=WALLET, amount=5, reference="r", description="d", expires_at=JUNE,
               metadata=METADATA)),
    ("65220b8fbadddbee20303a5c3687e689",
     CaptureHold(hold_id=HOLD)),
    ("2ccd906a70c3024c322ae870eebd0cb2",
     CaptureHold(hold_id=HOLD, amount=5, final=True, description="d", reference="r",
                 metadata=METADATA)),
    ("6804ee619006041e858fc2b83f8c4ad5",
     VoidHold(hold_id=HOLD)),
    ("721af0e380812cf441b099d27bd7a86c",
     TransferMoney(from_wallet_id=WALLET, to_wallet_id=OTHER, amount=5, reference="r")),
    ("e2d8d9ffc29d6eaee4b5695921febfb0",
     TransferMoney(from_wallet_id=WALLET, to_wallet_id=OTHER, amount=5, reference="r",
                   description="d", metadata=METADATA)),
    ("caa73767089669cc294cdbebfbe1b1e6",
     ReverseTransaction(transaction_id=TRANSACTION, reference="r")),
    ("261473af798d2c8c79311333aec0228d",
     ReverseTransaction(transaction_id=TRANSACTION, amount=5, allow_negative=True,
                        description="d", reference="r", metadata=METADATA)),
    ("6b59506c6df5284b9492aab26404e52f",
     CreateTopup(wallet_id=WALLET, amount=5, redirect_url=SHOP)),
    ("88ab23e126ac741665eeae36535dca53",
     CreateTopup(wallet_id=WALLET, amount=5, redirect_url=SHOP, cancel_url=SHOP, expires_at=JUNE,
                 description="d", reference="r", metadata=METADATA)),
    ("952c6db802ea307949b3189ed462c34c",
     CompleteTopup(topup_id=TOPUP, payment_id="p", amount=5, currency="GHS")),
    ("49bb58c6215a459f61e3f872a210bcb9",
     CancelTopup(topup_id=TOPUP)),
    ("0d99b2957ca43c7d8a9e83b41a84e30d",
     ExpireDue(wallet_id=WALLET)),
    ("1ccbee5abaca4e6f3d5c150d47a270d7",
     EnrollCustomer(customer_id=USER, currency="GHS", tier="TIER_ONE", identity="c2VhbGVk",
                    identity_index=DIGEST, asked=DIGEST, bank_code="999999")),
    ("9051efc5c2794a296960d2578d380da7",
     EnrollCustomer(customer_id=USER, currency="GHS", tier="TIER_ONE", identity="c2VhbGVk",
                    identity_index=DIGEST, asked=DIGEST, bank_code="999999", metadata=METADATA)),
    ("3eb95e069fbee1b3c5d9af9691c4c454",
     RaiseTier(wallet_id=WALLET, tier="TIER_TWO", identity="c2VhbGVk", asked=DIGEST)),
    ("31a1724f4237461c3c7caad79c1e1f9f",
     ReviewWallet(wallet_id=WALLET, outcome="rejected", reason="why", bank_code="999999")),
    ("87aa2d6ddb027ad6b9cdc5cb80d8755f",
     EraseCustomer(wallet_id=WALLET)),
    ("1fc2bbeadc47432cac29835ae742e813",
     EraseCustomer(wallet_id=WALLET, reason="why")),
]  # fmt: skip
"""Add rows; never change one. The first of a type is as short as it was when the type was new."""


@pytest.mark.parametrize(("kept", "command"), KEPT)
def test_a_command_has_the_fingerprint_that_was_kept_of_it(kept: str, command: Command) -> None:
    assert fingerprint(command).hex() == kept


def test_every_command_has_its_row_and_no_two_are_alike() -> None:
    assert {type(command) for _, command in KEPT} == set(get_args(Command))
    assert len({kept for kept, _ in KEPT}) == len(KEPT)


@pytest.mark.parametrize(
    ("metadata", "is_the_same"),
    [
        (b'{"b":[1,2],"a":"\\u0065"}', True),
        (b'{ "a" : "e", "b" : [1, 2] }', True),
        (b'{"a":"e","b":[2,1]}', False),
        (b'{"a":"e"}', False),
        (b"{}", False),
        (b"null", False),
    ],
)
def test_metadata_counts_by_value(metadata: bytes, *, is_the_same: bool) -> None:
    first = DebitWallet(
        wallet_id=WALLET, amount=5, reference="r", metadata=Raw(b'{"a":"e","b":[1,2]}')
    )
    again = replace(first, metadata=Raw(metadata))
    assert (fingerprint(again) == fingerprint(first)) is is_the_same
