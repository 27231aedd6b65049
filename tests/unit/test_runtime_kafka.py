"""Keys go where Java's default partitioner sends them; TLS and SASL are as the settings say."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaConnectionError
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.consumers import FirstJoin, stop_consumer
from services.runtime.kafka import client_options, close_client, murmur2, partition_for
from services.runtime.settings import SecretText, Settings, SettingsError
from tests.specs.certificates import Authority


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
            kafka_sasl_password=SecretText("secret"),
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
    assert secured["sasl_plain_password"] == "secret"


def test_a_client_shows_its_own_certificate_where_there_is_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")

    options = client_options(
        Settings(
            kafka_bootstrap="a:1",
            kafka_security_protocol="SSL",
            kafka_ca_file=authority.ca_file,
            kafka_certificate_file=authority.issue("ledger"),
        ),
        "relay",
    )

    (trusted,) = options["ssl_context"].get_ca_certs()
    assert trusted["subject"] == ((("commonName", "authority"),),)
    assert "sasl_mechanism" not in options


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "ledger"},
            "LEDGER_KAFKA_SASL_USERNAME and LEDGER_KAFKA_SASL_PASSWORD must both be set",
        ),
        (
            {"kafka_sasl_password": SecretText("secret")},
            "LEDGER_KAFKA_SASL_PASSWORD is set, and LEDGER_KAFKA_SECURITY_PROTOCOL is PLAINTEXT",
        ),
        (
            {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_ca_file": Path("ca.pem")},
            "LEDGER_KAFKA_CA_FILE is set, and LEDGER_KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_ca_file": Path("/not/there.pem")},
            "LEDGER_KAFKA_CA_FILE: /not/there.pem cannot be read: No such file or directory",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_ca_file": Path(__file__)},
            f"LEDGER_KAFKA_CA_FILE: {__file__} has no certificate as PEM",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_key_file": Path(__file__)},
            "LEDGER_KAFKA_KEY_FILE needs LEDGER_KAFKA_CERTIFICATE_FILE",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_certificate_file": Path(__file__)},
            f"LEDGER_KAFKA_CERTIFICATE_FILE: {__file__} and the same file are not a certificate",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused_by_name(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        client_options(Settings(kafka_bootstrap="a:1", **given), "relay")

    assert str(refusal.value).startswith(said)
    assert "secret" not in str(refusal.value)


class _Closing:
    """Closes as aiokafka's clients do: waits for a task of its own, whose end it expects."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.is_closed = False

    async def close(self) -> None:
        """Close, whoever is cancelled meanwhile."""
        with suppress(asyncio.CancelledError):
            await self.may_end.wait()
        self.is_closed = True


async def test_a_cancellation_while_a_client_closes_is_not_lost() -> None:
    client = _Closing()

    async def watch() -> None:
        while True:
            await close_client(client.close())

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    watching.cancel()
    await asyncio.sleep(0)
    client.may_end.set()
    done, _ = await asyncio.wait({watching}, timeout=10)
    assert done
    assert watching.cancelled()
    assert client.is_closed


async def test_what_goes_wrong_while_a_client_closes_is_told() -> None:
    async def close() -> None:
        raise KafkaConnectionError

    with pytest.raises(KafkaConnectionError):
        await close_client(close())


class _Cancelled:
    """A consumer whose closing ends with a cancellation of aiokafka's own, as with Kafka away."""

    def __init__(self) -> None:
        self._client = self
        self.closed = 0

    async def stop(self) -> None:
        raise asyncio.CancelledError

    async def close(self) -> None:
        self.closed += 1
        raise asyncio.CancelledError


async def test_a_cancellation_inside_of_a_consumer_does_not_end_who_stops_it() -> None:
    consumer = _Cancelled()
    await stop_consumer(cast("AIOKafkaConsumer", consumer))
    assert consumer.closed == 1


def test_a_missing_coordinator_is_a_warning_until_the_group_was_joined(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = logging.getLogger("aiokafka.consumer.group_coordinator")
    missing, lost = GroupCoordinatorNotAvailableError(), KafkaConnectionError()
    joining = FirstJoin()

    joining.begin()
    log.error("Group Coordinator Request failed: %s", missing)
    log.error("Group Coordinator Request failed: %s", lost)
    joining.end()
    log.error("Group Coordinator Request failed: %s", missing)

    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR", "ERROR"]
