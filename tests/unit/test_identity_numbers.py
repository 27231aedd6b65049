"""Account numbers and their check digit; the sandbox's test numbers, as their page tells them."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.nuban import (
    MAX_SERIAL,
    account_number,
    check_digit,
    is_account_number,
)
from schemas.tiers import TIERS, Tier
from services.customers.banks import SANDBOX_BANK
from services.identity.sandbox import (
    BVN_PARTS,
    NIN_PARTS,
    TIER_THREE_ONLY,
    Part,
    SandboxVerifier,
)
from services.identity.verifier import (
    BelongsToAnother,
    Unknown,
    Verification,
    Verified,
    VerifierUnavailableError,
)
from tests.specs.people import NGOZI

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "sandbox-test-numbers.md"

serials = st.integers(0, MAX_SERIAL)
bank_codes = st.from_regex(r"[0-9]{6}", fullmatch=True)
eleven_digits = st.from_regex(r"[0-9]{11}", fullmatch=True)
ANSWERS = {
    Part.VERIFIED: Verified(),
    Part.UNKNOWN: Unknown(),
    Part.BELONGS_TO_ANOTHER: BelongsToAnother(),
}


def test_the_first_account_is_that_of_the_contract() -> None:
    assert account_number(0, SANDBOX_BANK.code) == "0000000006"


@pytest.mark.parametrize(
    ("serial", "number"), [(1, "0000000013"), (6, "0000000068"), (MAX_SERIAL, "9999999995")]
)
def test_the_next_accounts(serial: int, number: str) -> None:
    assert account_number(serial, SANDBOX_BANK.code) == number


@pytest.mark.parametrize(("serial_digits", "digit"), [("000001457", "9"), ("000000022", "0")])
def test_the_central_banks_own_examples(serial_digits: str, digit: str) -> None:
    """Its first standard had bank codes of three digits; three zeros before them add nothing."""
    assert check_digit("000011", serial_digits) == digit


@given(serial=serials, bank_code=bank_codes)
def test_an_account_number_checks(serial: int, bank_code: str) -> None:
    number = account_number(serial, bank_code)
    assert len(number) == 10
    assert int(number[:9]) == serial
    assert is_account_number(number, bank_code)


@given(serial=serials, bank_code=bank_codes, place=st.integers(0, 9), other=st.integers(1, 9))
def test_one_wrong_digit_never_checks(serial: int, bank_code: str, place: int, other: int) -> None:
    """Weights 3 and 7 have no common factor with ten."""
    number = account_number(serial, bank_code)
    wrong = str((int(number[place]) + other) % 10)
    assert not is_account_number(number[:place] + wrong + number[place + 1 :], bank_code)


@given(serial=serials, bank_code=bank_codes)
def test_exactly_one_check_digit_fits(serial: int, bank_code: str) -> None:
    fitting = [digit for digit in range(10) if is_account_number(f"{serial:09d}{digit}", bank_code)]
    assert len(fitting) == 1


@pytest.mark.parametrize(
    "text", ["", "000000006", "00000000060", "000000000x", "0000000006\n", "\u0660000000006"]
)
def test_what_is_no_account_number(text: str) -> None:
    assert not is_account_number(text, SANDBOX_BANK.code)


async def both(number: str, tier: Tier) -> tuple[Verification, Verification]:
    verifier = SandboxVerifier()
    return (
        await verifier.verify_bvn(number, NGOZI, tier=tier),
        await verifier.verify_nin(number, NGOZI, tier=tier),
    )


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("bvn", "part"), BVN_PARTS.items())
async def test_a_bvn_plays_its_part_at_every_tier(bvn: str, part: Part, tier: Tier) -> None:
    verifier = SandboxVerifier()
    if part is Part.PROVIDER_DOWN:
        with pytest.raises(VerifierUnavailableError):
            await verifier.verify_bvn(bvn, NGOZI, tier=tier)
    else:
        assert await verifier.verify_bvn(bvn, NGOZI, tier=tier) == ANSWERS[part]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(("nin", "part"), NIN_PARTS.items())
async def test_a_nin_plays_its_part_at_every_tier(nin: str, part: Part, tier: Tier) -> None:
    verifier = SandboxVerifier()
    if part is Part.PROVIDER_DOWN:
        with pytest.raises(VerifierUnavailableError):
            await verifier.verify_nin(nin, NGOZI, tier=tier)
    else:
        assert await verifier.verify_nin(nin, NGOZI, tier=tier) == ANSWERS[part]


@given(number=eleven_digits, tier=st.sampled_from(TIERS))
async def test_every_other_number_is_the_persons(number: str, tier: Tier) -> None:
    if number in BVN_PARTS or number in NIN_PARTS or number == TIER_THREE_ONLY:
        return
    assert await both(number, tier) == (Verified(), Verified())


async def test_zeros_are_taken_for_tier_three_only() -> None:
    assert await both(TIER_THREE_ONLY, "TIER_THREE") == (Verified(), Verified())
    for tier in ("TIER_ONE", "TIER_TWO"):
        assert await both(TIER_THREE_ONLY, tier) == (Unknown(), Unknown())


def test_the_page_of_test_numbers_is_complete() -> None:
    rows = re.findall(r"^\| `(\d+)` \| `(\d+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    parts = [part.value for part in Part]
    assert [(bvn, plays) for bvn, _, plays in rows] == [
        (bvn, part.value) for bvn, part in BVN_PARTS.items()
    ]
    assert [(nin, plays) for _, nin, plays in rows] == [
        (nin, part.value) for nin, part in NIN_PARTS.items()
    ]
    assert [plays for _, _, plays in rows] == parts
    assert f"`{TIER_THREE_ONLY}`" in PAGE.read_text()
