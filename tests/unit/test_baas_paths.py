"""References and pages: what calls of the second dialect name in their paths and queries."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.baas.paging import Page, page_of
from services.gateway.baas.references import made_reference, reference_of
from services.gateway.problems import RefusedError


def test_a_reference_is_made_as_the_contract_spells_it() -> None:
    made = made_reference(1743766099, bytes.fromhex("328df4d3f44bcafc"))
    assert made == "TXN-1743766099-328df4d3f44bcafc"


@given(seconds=st.integers(0, 2**40), randomness=st.binary(min_size=8, max_size=8))
def test_a_made_reference_is_one_that_a_path_can_name(seconds: int, randomness: bytes) -> None:
    made = made_reference(seconds, randomness)
    assert re.fullmatch(r"TXN-[0-9]+-[0-9a-f]{16}", made)
    assert reference_of(made) == made


@given(
    reference=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
        min_size=1,
        max_size=255,
    )
)
def test_whatever_was_a_reference_can_be_asked_for(reference: str) -> None:
    """Also one that the other dialect took."""
    assert reference_of(quote(reference, safe="")) == reference


@pytest.mark.parametrize(
    "segment",
    [
        *("", "%", "%2", "%zz", "a%", "%%32%35", "%2%35", "%ff", "%ed%a0%80", "%00", "a%00b"),
        *("x" * 256, "%c3%a9" * 256, "\udcff", "\ud800"),
    ],
)
def test_what_never_was_a_reference_is_malformed(segment: str) -> None:
    assert reference_of(segment) is None


@given(st.text("%25acfx\udc80é", max_size=12))
def test_any_segment_is_read_or_not(segment: str) -> None:
    reference = reference_of(segment)
    assert reference is None or reference.isprintable()


def refused(**parameters: str) -> tuple[str, str | None]:
    with pytest.raises(RefusedError) as caught:
        page_of(**parameters)
    return caught.value.code, caught.value.param


def test_the_first_ten_unless_asked() -> None:
    assert page_of() == Page(1, 10)


def test_a_page_by_either_name() -> None:
    assert page_of(page="3", limit="100") == Page(3, 100)
    assert page_of(page_number="3", page_size="100") == Page(3, 100)
    assert page_of(page="3", page_number="3", limit="5", page_size="5") == Page(3, 5)


def test_a_page_comes_after_those_before_it() -> None:
    assert [Page(number, 10).offset for number in (1, 2, 11)] == [0, 10, 100]
    assert page_of(page="1000000000", limit="100").offset < 2**63


NO_PAGES = ["0", "-1", "1.0", "1e1", "+1", " 1", "", "x", "1000000001", "9" * 5000, "\u0661", "1\n"]


@pytest.mark.parametrize("text", [*NO_PAGES, "99999999999"])
def test_what_is_no_page(text: str) -> None:
    assert refused(page=text) == ("invalid_parameter", "page")
    assert refused(page_number=text) == ("invalid_parameter", "page_number")


@pytest.mark.parametrize("text", [*NO_PAGES, "101"])
def test_what_is_no_limit(text: str) -> None:
    assert refused(limit=text) == ("invalid_limit", "limit")
    assert refused(page_size=text) == ("invalid_parameter", "page_size")


def test_two_names_may_not_contradict() -> None:
    assert refused(page="1", page_number="2") == ("invalid_parameter", "page_number")
    assert refused(limit="1", page_size="2") == ("invalid_parameter", "page_size")


def test_a_second_name_is_judged_too() -> None:
    assert refused(page="1", page_number="x") == ("invalid_parameter", "page_number")
