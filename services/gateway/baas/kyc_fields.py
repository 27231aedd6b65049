"""KYC bodies: read into a person, or refused with every offending field at once. Pure.

A field that is missing or invalid is a 400; where only BVN or NIN are malformed it is 422.
"""

from datetime import date
from typing import Final, NamedTuple

from schemas.personal import Personal
from services.gateway.baas.failures import INVALID_IDENTITY_NUMBER
from services.gateway.baas.field_reader import FieldReader, Members, sure
from services.gateway.baas.kyc_values import (
    MAX_ADDRESS_CHARACTERS,
    MAX_PLACE_CHARACTERS,
    MAX_REASON_CHARACTERS,
    birth_of,
    digits_of,
    email_of,
    line_of,
    name_of,
    phone_of,
    postal_code_of,
)
from services.identity.person import Identity

SANDBOX_FIRST_NAME: Final = "John"
SANDBOX_LAST_NAME: Final = "Doe"

_IDENTITY_NUMBERS: Final = frozenset({"bvn", "nin"})
_MALFORMED_NUMBER: Final = frozenset({"invalid_number"})

_identity_number = digits_of(11)
_account_number = digits_of(10)
_address = line_of(MAX_ADDRESS_CHARACTERS)
_place = line_of(MAX_PLACE_CHARACTERS)
_reason = line_of(MAX_REASON_CHARACTERS)


class Rules(NamedTuple):
    """What reading depends on beside the body."""

    sandbox: bool
    """Takes John and Doe for names that are left out, and e-mail under `.test`."""
    today: date
    """Nobody was born after it."""


class TierTwoUpgrade(Personal, frozen=True, kw_only=True):
    """Whom to raise to tier two, and by which NIN."""

    nin: str
    account_number: str


class FreezeWish(Personal, frozen=True, kw_only=True):
    """Whose wallet to freeze or unfreeze, and why. A reason may name a person."""

    account_number: str
    reason: str


def _finish(reader: FieldReader) -> None:
    only_numbers = all(
        problem.param in _IDENTITY_NUMBERS and problem.code in _MALFORMED_NUMBER
        for problem in reader.problems
    )
    reader.finish(INVALID_IDENTITY_NUMBER if only_numbers else "validation_failed")


def read_tier_one(members: Members, rules: Rules) -> Identity:
    """The person of `POST /wallets`. Refuses with 400, or 422 for the BVN."""
    return _read_person(members, rules, with_nin=False)


def read_tier_two(members: Members, rules: Rules) -> Identity:
    """The person of `POST /wallets/tier-2`. Refuses with 400, or 422 for BVN and NIN."""
    return _read_person(members, rules, with_nin=True)


def _read_person(members: Members, rules: Rules, *, with_nin: bool) -> Identity:
    reader = FieldReader(members)
    bvn = reader.read("bvn", _identity_number)
    nin = reader.read("nin", _identity_number) if with_nin else None
    first_name, last_name = _names(reader, rules)
    born = reader.read("date_of_birth", birth_of("DD-MM-YYYY", rules.today))
    phone_number = reader.read("phone_number", phone_of)
    email = reader.read("email", email_of(sandbox=rules.sandbox))
    address = reader.read("address", _address)
    _finish(reader)
    return Identity(
        bvn=sure(bvn),
        nin=nin,
        first_name=sure(first_name),
        last_name=sure(last_name),
        date_of_birth=sure(born),
        phone_number=sure(phone_number),
        email=sure(email),
        address=sure(address),
    )


def read_tier_three(fields: Members, rules: Rules) -> Identity:
    """The person of the form of `POST /wallets/tier-3`; the file is not looked at."""
    reader = FieldReader(fields)
    address = reader.read("address", _address)
    bvn = reader.read("bvn", _identity_number)
    nin = reader.read("nin", _identity_number)
    postal_code = _postal_code(reader)
    country = reader.read("country", _place)
    state = reader.read("state", _place)
    lga = reader.read("lga", _place)
    city = reader.read("city", _place)
    first_name, last_name = _names(reader, rules)
    phone_number = reader.read("phone", phone_of)
    email = reader.read("email", email_of(sandbox=rules.sandbox))
    born = reader.read("dob", birth_of("YYYY-MM-DD", rules.today))
    _finish(reader)
    return Identity(
        bvn=sure(bvn),
        nin=sure(nin),
        first_name=sure(first_name),
        last_name=sure(last_name),
        date_of_birth=sure(born),
        phone_number=sure(phone_number),
        email=sure(email),
        address=sure(address),
        postal_code=sure(postal_code),
        country=sure(country),
        state=sure(state),
        lga=sure(lga),
        city=sure(city),
    )


def _names(reader: FieldReader, rules: Rules) -> tuple[str | None, str | None]:
    return (
        reader.read("first_name", name_of, default=SANDBOX_FIRST_NAME if rules.sandbox else None),
        reader.read("last_name", name_of, default=SANDBOX_LAST_NAME if rules.sandbox else None),
    )


def _postal_code(reader: FieldReader) -> str | None:
    """The original spells the field in two ways; both at once must say the same."""
    if not reader.has("postal_ccode"):
        return reader.read("postal_code", postal_code_of)
    other = reader.read("postal_ccode", postal_code_of)
    if not reader.has("postal_code"):
        return other
    postal_code = reader.read("postal_code", postal_code_of)
    if None not in {postal_code, other} and postal_code != other:
        reader.refuse("postal_ccode", "contradiction", "says something else than postal_code")
    return postal_code


def read_upgrade(members: Members) -> TierTwoUpgrade:
    """The body of `POST /wallets/upgrade-tier-2`."""
    reader = FieldReader(members)
    nin = reader.read("nin", _identity_number)
    account_number = reader.read("account_number", _account_number)
    _finish(reader)
    return TierTwoUpgrade(nin=sure(nin), account_number=sure(account_number))


def read_freeze(members: Members) -> FreezeWish:
    """The body of `POST /wallets/freeze` and `/wallets/unfreeze`."""
    reader = FieldReader(members)
    account_number = reader.read("account_number", _account_number)
    reason = reader.read("reason", _reason)
    _finish(reader)
    return FreezeWish(account_number=sure(account_number), reason=sure(reason))
