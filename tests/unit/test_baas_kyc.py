"""KYC bodies: everything that is wrong at once, in words that never repeat what was said."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.http.problems import FieldProblem
from services.gateway.baas.failures import FAILURES
from services.gateway.baas.kyc_fields import (
    FreezeWish,
    Rules,
    TierTwoUpgrade,
    read_freeze,
    read_tier_one,
    read_tier_three,
    read_tier_two,
    read_upgrade,
)
from services.identity.person import Identity
from tests.specs.kyc_refusals import code_of_one, refusal, refusal_if_any
from tests.specs.people import (
    LIVE,
    NGOZI,
    SANDBOX,
    TIER_ONE,
    TIER_THREE,
    TIER_TWO,
)

Body = dict[str, object]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)


def offending(read: Callable[..., object], *arguments: Any) -> dict[str, str]:
    """The codes by field, and nothing else."""
    return {problem.param: problem.code for problem in refusal(read, *arguments).errors}


def test_a_person_at_tier_one() -> None:
    assert read_tier_one(TIER_ONE, LIVE) == NGOZI


def test_a_person_at_tier_two() -> None:
    assert read_tier_two(TIER_TWO, LIVE) == msgspec.structs.replace(NGOZI, nin="11111111111")


def test_a_person_at_tier_three() -> None:
    assert read_tier_three(TIER_THREE, LIVE) == msgspec.structs.replace(
        NGOZI,
        nin="11111111111",
        postal_code="101-233",
        country="Nigeria",
        state="Lagos",
        lga="Lagos Island",
        city="Lagos",
    )


def test_an_upgrade_and_a_freeze() -> None:
    upgrade = {"nin": "11111111111", "account_number": "0000000006"}
    assert read_upgrade(upgrade) == TierTwoUpgrade(nin="11111111111", account_number="0000000006")
    freeze = {"account_number": "0000000006", "reason": " lost  phone "}
    assert read_freeze(freeze) == FreezeWish(account_number="0000000006", reason="lost phone")


@pytest.mark.parametrize(
    ("read", "fields"),
    [
        (lambda body: read_tier_one(body, LIVE), set(TIER_ONE)),
        (lambda body: read_tier_two(body, LIVE), set(TIER_TWO)),
        (lambda body: read_tier_three(body, LIVE), set(TIER_THREE)),
        (read_upgrade, {"nin", "account_number"}),
        (read_freeze, {"account_number", "reason"}),
    ],
)
def test_everything_is_required_and_told_at_once(
    read: Callable[[Body], object], fields: set[str]
) -> None:
    assert offending(read, {}) == dict.fromkeys(fields, "missing")
    assert offending(read, dict.fromkeys(fields)) == dict.fromkeys(fields, "missing")
    assert offending(read, dict.fromkeys(fields, 1)) == dict.fromkeys(fields, "wrong_type")
    refused = refusal(read, {name: ["secret"] for name in fields})
    assert refused.code == "validation_failed"
    assert FAILURES[refused.code].status == 400


def test_the_sandbox_takes_john_doe() -> None:
    body = TIER_ONE | {"first_name": None}
    del body["last_name"]
    assert read_tier_one(body, SANDBOX).account_name() == "John Doe"
    assert offending(read_tier_one, body, LIVE) == {"first_name": "missing", "last_name": "missing"}
    assert code_of_one("first_name", "") == "too_short"


def test_a_malformed_bvn_alone_is_unprocessable() -> None:
    refused = refusal(read_tier_one, TIER_ONE | {"bvn": "123"}, SANDBOX)
    assert FAILURES[refused.code].status == 422
    refused = refusal(read_tier_two, TIER_TWO | {"bvn": "123", "nin": "x"}, SANDBOX)
    assert FAILURES[refused.code].status == 422
    assert {problem.param for problem in refused.errors} == {"bvn", "nin"}


@pytest.mark.parametrize("other", [{"email": "x"}, {"nin": None}, {"nin": 11111111111}])
def test_beside_another_mistake_it_is_a_bad_request(other: Body) -> None:
    refused = refusal(read_tier_two, TIER_TWO | {"bvn": "123"} | other, SANDBOX)
    assert FAILURES[refused.code].status == 400
    assert len(refused.errors) == 2


def test_the_originals_spelling_of_the_postal_code() -> None:
    body = dict(TIER_THREE)
    del body["postal_code"]
    assert read_tier_three(body | {"postal_ccode": "101233"}, LIVE).postal_code == "101233"
    both = TIER_THREE | {"postal_ccode": "101-233"}
    assert read_tier_three(both, LIVE).postal_code == "101-233"
    contradiction = TIER_THREE | {"postal_ccode": "1"}
    assert offending(read_tier_three, contradiction, LIVE) == {"postal_ccode": "contradiction"}
    broken = TIER_THREE | {"postal_ccode": "/", "postal_code": "/"}
    assert offending(read_tier_three, broken, LIVE) == {
        "postal_ccode": "invalid_postal_code",
        "postal_code": "invalid_postal_code",
    }


@given(
    body=st.dictionaries(st.sampled_from(sorted({*TIER_TWO, *TIER_THREE})), json_values),
    read=st.sampled_from([read_tier_one, read_tier_two, read_tier_three]),
)
def test_any_body_is_read_or_refused(body: Body, read: Callable[[Body, Rules], Identity]) -> None:
    refused = refusal_if_any(read, body, SANDBOX)
    assert refused is None or refused.errors


@given(text=st.text(min_size=4, max_size=30), field=st.sampled_from(sorted(TIER_ONE)))
def test_a_refusal_never_repeats_a_value(text: str, field: str) -> None:
    """Nor does any error that it came from."""
    said = f"\u0416{text}\u0416"
    refused = refusal_if_any(read_tier_one, TIER_ONE | {field: said}, LIVE)
    if refused is not None:
        assert "\u0416" not in f"{refused} {refused.detail} {refused.errors}"
        assert (refused.__cause__, refused.__context__) == (None, None)


def test_a_person_is_not_shown_where_it_is_printed() -> None:
    whole = read_tier_three(TIER_THREE, LIVE)
    shown = f"{whole} {whole!r} {[whole]} {whole.__rich_repr__()}"
    assert shown.count("Identity(…)") == 3
    for secret in ("Ngozi", "22222222222", "1992", "8012345678", "Marina", "example.com"):
        assert secret not in shown
    upgrade = TierTwoUpgrade(nin="11111111111", account_number="0000000006")
    assert repr(upgrade) == "TierTwoUpgrade(…)"
    assert repr(FreezeWish(account_number="0000000006", reason="x")) == "FreezeWish(…)"


def test_the_same_details_are_the_same_bytes() -> None:
    again = TIER_ONE | {"phone_number": "+2348012345678", "email": " ngozi@EXAMPLE.com"}
    assert read_tier_one(again, SANDBOX).canonical_bytes() == NGOZI.canonical_bytes()


def test_the_canonical_form_is_kept_for_ever() -> None:
    """What was compared once was stored; this sample must never change."""
    assert (
        NGOZI.canonical_bytes()
        == (
            'identity.v1\n{"address":"12 Marina Road","bvn":"22222222222",'
            '"date_of_birth":"1992-02-29","email":"ngozi@example.com","first_name":"Ngozi",'
            '"last_name":"Adéyemí-O\'Neill","phone_number":"+2348012345678"}'
        ).encode()
    )


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(Identity)])
def test_any_other_detail_is_other_bytes(field: str) -> None:
    other = date(1992, 3, 1) if field == "date_of_birth" else "other"
    changed = msgspec.structs.replace(NGOZI, **{field: other})
    assert changed.canonical_bytes() != NGOZI.canonical_bytes()


@given(
    first=st.tuples(st.text(max_size=4), st.text(max_size=4)),
    second=st.tuples(st.text(max_size=4), st.text(max_size=4)),
)
def test_details_cannot_run_into_each_other(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    one, other = (
        msgspec.structs.replace(NGOZI, first_name=names[0], last_name=names[1])
        for names in (first, second)
    )
    assert (one.canonical_bytes() == other.canonical_bytes()) == (first == second)


def test_a_refused_field_is_a_problem_of_the_house() -> None:
    (problem,) = refusal(read_tier_one, TIER_ONE | {"email": "x"}, LIVE).errors
    assert problem == FieldProblem(
        param="email", code="invalid_email", detail="must be an e-mail address"
    )
