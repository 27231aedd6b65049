"""What is sealed opens with its key and its context, and with nothing else."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.blind_index import BlindIndex
from services.vault.customer import Customer, unambiguous
from services.vault.errors import SealBrokenError
from services.vault.sealing import DataKey, fingerprint, seal, unseal

KEY = DataKey(bytes(range(32)))
OTHER_KEY = DataKey(bytes(range(1, 33)))
NONCE = b"n" * 12
ADA = Customer(
    tenant_id="0b6f0c1e-5a34-4d3e-9a6b-52b1f2f5c001",
    user_id="ed380000-b6f6-4210-bc8b-5dd7d6721caa",
)
EVE = Customer(tenant_id=ADA.tenant_id, user_id=ADA.tenant_id)
BVN = ADA.context("kyc:bvn")


@given(plaintext=st.binary(max_size=300), nonce=st.binary(min_size=12, max_size=12))
def test_what_is_sealed_is_unsealed(plaintext: bytes, nonce: bytes) -> None:
    sealed = seal(KEY, nonce, plaintext, BVN)

    assert unseal(KEY, sealed, BVN) == plaintext
    assert len(sealed) == 1 + 12 + len(plaintext) + 16
    assert len(plaintext) < 8 or plaintext not in sealed[13:]


@given(plaintext=st.binary(max_size=40), place=st.integers(min_value=0))
def test_any_bit_that_is_changed_is_found(plaintext: bytes, place: int) -> None:
    sealed = bytearray(seal(KEY, NONCE, plaintext, BVN))
    bit = place % (8 * len(sealed))
    sealed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(SealBrokenError):
        unseal(KEY, bytes(sealed), BVN)


def test_any_cut_is_found() -> None:
    sealed = seal(KEY, NONCE, b"22200000001", BVN)

    for length in range(len(sealed)):
        with pytest.raises(SealBrokenError):
            unseal(KEY, sealed[:length], BVN)
    with pytest.raises(SealBrokenError):
        unseal(KEY, sealed + b"\0", BVN)


@pytest.mark.parametrize(
    "elsewhere",
    [EVE.context("kyc:bvn"), ADA.context("kyc:nin"), ADA.context(""), b""],
    ids=["another customer", "another field", "no field", "nothing"],
)
def test_what_is_sealed_cannot_be_moved(elsewhere: bytes) -> None:
    with pytest.raises(SealBrokenError):
        unseal(KEY, seal(KEY, NONCE, b"22200000001", BVN), elsewhere)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(SealBrokenError):
        unseal(OTHER_KEY, seal(KEY, NONCE, b"22200000001", BVN), BVN)


@given(
    one=st.lists(st.text(max_size=5), max_size=4), other=st.lists(st.text(max_size=5), max_size=4)
)
def test_different_parts_are_different_contexts(one: list[str], other: list[str]) -> None:
    assert (unambiguous(*one) == unambiguous(*other)) == (one == other)


def test_a_fingerprint_is_of_its_content_and_its_key() -> None:
    assert fingerprint(KEY, b"bvn") == fingerprint(DataKey(bytes(range(32))), b"bvn")
    assert fingerprint(KEY, b"bvn") != fingerprint(KEY, b"nin")
    assert fingerprint(KEY, b"bvn") != fingerprint(OTHER_KEY, b"bvn")


def test_each_purpose_has_a_key_of_its_own() -> None:
    derived = [KEY.derive(b"one"), KEY.derive(b"two"), KEY.derive(b"one", salt=b"s" * 32)]

    assert len({*derived, KEY.expose()}) == 4


def test_an_index_is_of_its_value_tenant_purpose_and_key() -> None:
    index = BlindIndex(b"i" * 32)
    one = index.index(ADA.tenant_id, "bvn", "22200000001")

    assert len(one) == 32
    assert one == BlindIndex(b"i" * 32).index(ADA.tenant_id, "bvn", "22200000001")
    assert one != BlindIndex(b"j" * 32).index(ADA.tenant_id, "bvn", "22200000001")
    assert one != index.index(ADA.user_id, "bvn", "22200000001")
    assert one != index.index(ADA.tenant_id, "nin", "22200000001")
    assert one != index.index(ADA.tenant_id, "bvn", "22200000002")


def test_text_that_no_utf_8_has_is_indexed_too_and_not_quoted_in_an_error() -> None:
    assert len(BlindIndex(b"i" * 32).index(ADA.tenant_id, "bvn", "\ud800222")) == 32


def test_a_key_shows_itself_nowhere() -> None:
    secret = bytes(range(65, 97))
    key = DataKey(secret)
    index = BlindIndex(secret)

    for shown in (repr(key), str(key), f"{key} {key!r}", repr([key]), repr(index), str(index)):
        assert "ABC" not in shown
        assert "65" not in shown
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(key)
    assert not hasattr(key, "__dict__")


def test_an_error_has_nothing_of_what_was_sealed() -> None:
    sealed = seal(KEY, NONCE, b"22200000001", BVN)

    with pytest.raises(SealBrokenError) as broken:
        unseal(OTHER_KEY, sealed, BVN)

    told = f"{broken.value!r} {broken.value.__cause__!r}"
    assert "222" not in told
    assert sealed.hex()[:20] not in told


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"32 bytes, not {length}"):
        DataKey(b"k" * length)
    with pytest.raises(ValueError, match=f"32 bytes, not {length}"):
        BlindIndex(b"k" * length)


def test_a_nonce_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="12 bytes, not 8"):
        seal(KEY, b"n" * 8, b"", BVN)


@pytest.mark.parametrize("text", ["", "ada@example.com", ADA.user_id.upper(), ADA.user_id + "\n"])
def test_a_customer_is_named_by_uuids_in_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match="user id is not a UUID"):
        Customer(tenant_id=ADA.tenant_id, user_id=text)
    with pytest.raises(ValueError, match="tenant id is not a UUID"):
        Customer(tenant_id=text, user_id=ADA.user_id)
