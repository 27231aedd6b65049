"""Keys go to the partition to which Java's default partitioner sends them."""

import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.kafka import client_options, murmur2, partition_for
from services.runtime.settings import Settings


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_gives_what_kafkas_own_test_expects(key: bytes, expected: int) -> None:
    """The rows of UtilsTest.testMurmur2, where Java's integers are signed."""
    assert murmur2(key) == expected & 0xFFFFFFFF


@given(st.binary(max_size=64))
def test_murmur2_agrees_with_another_implementation(key: bytes) -> None:
    assert murmur2(key) == murmur2_of_aiokafka(key)


@given(st.binary(max_size=64), st.integers(min_value=1, max_value=1000))
def test_a_partition_is_one_of_those_there_are(key: bytes, count: int) -> None:
    assert 0 <= partition_for(key, count) < count


def test_clients_connect_as_the_settings_say() -> None:
    plain = client_options(Settings(kafka_bootstrap="a:1,b:2"), "relay")
    secured = client_options(
        Settings(
            kafka_bootstrap="a:1",
            kafka_security_protocol="SASL_SSL",
            kafka_sasl_username="ledger",
            kafka_sasl_password="secret",
        ),
        "relay",
    )

    assert plain == {
        "bootstrap_servers": "a:1,b:2",
        "client_id": "relay",
        "security_protocol": "PLAINTEXT",
    }
    assert secured["sasl_mechanism"] == "SCRAM-SHA-512"
    assert secured["sasl_plain_username"] == "ledger"
    assert secured["ssl_context"].check_hostname
