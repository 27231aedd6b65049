"""Servers that want TLS, passwords and rights: by settings alone, with the least ACLs.

What is wrong with TLS or a password is said by each process, and none is ready then.
"""

import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from schemas.commands import DebitWallet
from services.client import CommandClient
from services.runtime.kafka import client_options
from services.runtime.settings import SecretText, Settings
from services.runtime.topic_identity import describe_topic
from services.runtime.topics import TopicUnavailableError, ensure_topics, ledger_topics
from tests.specs.certificates import Authority
from tests.specs.lone_process import LoneProcess, lone_process
from tests.specs.running_stack import eventually
from tests.specs.secured_kafka import Right, SecuredKafka
from tests.specs.shop_calls import Merchant, ShopCalls
from tests.specs.tls_door import TlsDoor

TOPICS = ("ledger.events", "ledger.commands", "ledger.command-results", "ledger.commands.rejected")
PROJECTIONS = ("balances", "transactions", "trial_balance")
PROCESSES = {
    "gateway": None,
    "intake": "intake",
    "relay": "relay",
    **{f"projector {name}": "projector" for name in PROJECTIONS},
    "scheduler": "scheduler",
}
"""Each with its user in Kafka."""
LEAST_RIGHTS = [
    *(Right(user, "describe", "topic", name) for user in ("relay", "intake") for name in TOPICS),
    *(Right("scheduler", "describe", "topic", name) for name in TOPICS),
    Right("relay", "write", "topic", "ledger.events"),
    Right("intake", "read", "topic", "ledger.commands"),
    Right("intake", "read", "group", "ledger.intake"),
    Right("intake", "write", "topic", "ledger.command-results"),
    Right("intake", "write", "topic", "ledger.commands.rejected"),
    Right("projector", "read", "topic", "ledger.events"),
    *(Right("projector", "read", "group", f"ledger.projector.{name}") for name in PROJECTIONS),
    Right("scheduler", "write", "topic", "ledger.commands"),
    Right("verify", "read", "topic", "ledger.events"),
    Right("billing", "write", "topic", "ledger.commands"),
    Right("billing", "read", "topic", "ledger.command-results"),
    Right("billing", "read", "topic", "ledger.commands.rejected"),
]
"""As docs/how-to/use-your-own-postgresql-and-kafka.md has them; billing is a service that asks."""

SECRET = "kafka-s3cret-of-{}"
USERS = ("relay", "intake", "projector", "scheduler", "verify", "billing")

pytestmark = pytest.mark.long


class Secured(NamedTuple):
    """A broker, and whose certificates are right and wrong."""

    kafka: SecuredKafka
    authority: Authority
    stranger: Authority
    certificate: Path
    """Of a client that Kafka calls `CN=ledger`."""

    def kafka_settings(self, user: str | None) -> dict[str, str]:
        """How a process of ours is told of Kafka; without a user, not at all."""
        if user is None:
            return {}
        return {
            "LEDGER_KAFKA_BOOTSTRAP": self.kafka.sasl,
            "LEDGER_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "LEDGER_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "LEDGER_KAFKA_SASL_USERNAME": user,
            "LEDGER_KAFKA_SASL_PASSWORD": SECRET.format(user),
            "LEDGER_KAFKA_CA_FILE": str(self.authority.ca_file),
        }


@pytest.fixture(scope="module")
def secured(server_folder: Path, _no_settings_of_the_caller: None) -> Iterator[Secured]:
    folder = server_folder / "secured"
    folder.mkdir()
    authority, stranger = Authority(folder, "authority"), Authority(folder, "stranger")
    kafka = SecuredKafka(
        folder / "kafka",
        certificate=authority.issue("broker"),
        ca_file=authority.ca_file,
        scram_users={user: SECRET.format(user) for user in USERS},
        plain_users={"plainly": SECRET.format("plainly")},
    )
    kafka.start()
    yield Secured(kafka, authority, stranger, authority.issue("ledger"))
    kafka.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def door(secured: Secured, database: str) -> AsyncIterator[TlsDoor]:
    """TLS before the test's database."""
    async with TlsDoor(database, secured.authority.issue("postgres")) as door:
        yield door


async def test_from_http_to_kafka_and_back_with_the_least_rights(
    secured: Secured, database: str, door: TlsDoor, tmp_path: Path
) -> None:
    # Given servers that take nobody without TLS, and who may only what the table says
    await ensure_topics(secured.kafka.administration, ledger_topics(secured.kafka.administration))
    await secured.kafka.allow(LEAST_RIGHTS)
    merchant = await Merchant.made_in(database)
    dsn = door.dsn(secured.authority.ca_file)

    async with AsyncExitStack() as stack:
        running = {}
        for words, user in PROCESSES.items():
            settings = {"LEDGER_DATABASE_URL": dsn, **secured.kafka_settings(user)}
            running[words] = await stack.enter_async_context(
                lone_process(tmp_path, words, settings)
            )
        for process in running.values():
            await process.wait_until_ready()

        # When one command comes over HTTP and another over Kafka
        shop = ShopCalls(running["gateway"].url, merchant.authorization)
        wallet_id = await shop.open_wallet()
        await shop.credit(wallet_id, 500, "over-http")
        client = await stack.enter_async_context(_client(secured, merchant.tenant_id))
        settled = await client.execute(
            DebitWallet(wallet_id=wallet_id, amount=200, reference="over-kafka")
        )

        # Then both are read, from read models that Kafka has fed
        assert settled.status == "accepted"
        assert await shop.balance(wallet_id) == 300
        await eventually(lambda: _is_folded(running), "the projectors have folded everything")
        assert await shop.references(wallet_id) == ["over-kafka", "over-http"]
        verified = await stack.enter_async_context(
            lone_process(
                tmp_path,
                "verify",
                {"LEDGER_DATABASE_URL": dsn, **secured.kafka_settings("verify")},
            )
        )
        assert await verified.ended() == 0, verified.said()
        assert "not checked" not in verified.said()

    # And everybody came by TLS, and wrote no secret down
    assert door.sessions >= len(PROCESSES)
    assert door.turned_away == 0
    _assert_no_secret_in(tmp_path, dsn)


async def test_a_service_that_asks_cannot_write_events(secured: Secured) -> None:
    settings = _settings(secured, "SASL_SSL", "SCRAM-SHA-512", "billing")
    await ensure_topics(secured.kafka.administration, ledger_topics(secured.kafka.administration))
    await secured.kafka.allow(LEAST_RIGHTS)
    producer = AIOKafkaProducer(**client_options(settings, "test"), enable_idempotence=True)
    await producer.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait("ledger.events", b"{}", partition=0)
    finally:
        await producer.stop()


@pytest.mark.parametrize(
    ("protocol", "mechanism", "user"),
    [
        ("SASL_SSL", "SCRAM-SHA-512", "verify"),
        pytest.param("SASL_SSL", "PLAIN", "plainly", marks=pytest.mark.slow),
        pytest.param("SSL", "SCRAM-SHA-512", "CN=ledger", marks=pytest.mark.slow),
    ],
)
async def test_each_way_of_saying_who_one_is(
    secured: Secured, protocol: str, mechanism: str, user: str
) -> None:
    administration = secured.kafka.administration
    await ensure_topics(administration, ledger_topics(administration))
    await secured.kafka.allow([Right(user, "describe", "topic", "ledger.events")])

    found = await describe_topic(_settings(secured, protocol, mechanism, user), "ledger.events")

    assert found == await describe_topic(administration, "ledger.events")


async def test_a_topic_that_one_may_not_see_is_said_to_be_that(secured: Secured) -> None:
    settings = _settings(secured, "SASL_SSL", "SCRAM-SHA-512", "billing")

    with pytest.raises(TopicUnavailableError, match="does not let this user describe topic secret"):
        await describe_topic(settings, "secret")


KAFKA_FAULTS = {
    "another CA": ("LEDGER_KAFKA_CA_FILE", "CERTIFICATE_VERIFY_FAILED"),
    "another password": ("LEDGER_KAFKA_SASL_PASSWORD", "SaslAuthenticationFailed"),
}


@pytest.mark.parametrize("fault", KAFKA_FAULTS)
async def test_what_is_wrong_with_kafka_is_said_and_nothing_is_ready(
    secured: Secured, database: str, tmp_path: Path, fault: str
) -> None:
    variable, words_of_it = KAFKA_FAULTS[fault]
    wrong = str(secured.stranger.ca_file) if "CA" in fault else "a-wr0ng-one"

    async with AsyncExitStack() as stack:
        for words in ("intake", "relay", "projector balances", "scheduler"):
            settings = {
                "LEDGER_DATABASE_URL": database,
                **secured.kafka_settings(PROCESSES[words]),
                variable: wrong,
            }
            process = await stack.enter_async_context(lone_process(tmp_path, words, settings))
            stack.push_async_callback(_assert_said, process, words_of_it)

    _assert_no_secret_in(tmp_path, database, "a-wr0ng-one")


DATABASE_FAULTS = {
    "another CA": "CERTIFICATE_VERIFY_FAILED",
    "another password": "password authentication failed",
}


@pytest.mark.parametrize("fault", DATABASE_FAULTS)
async def test_what_is_wrong_with_the_database_is_said_and_nothing_is_ready(
    secured: Secured, kafka_server: str, door: TlsDoor, tmp_path: Path, fault: str
) -> None:
    ca_file = secured.stranger.ca_file if "CA" in fault else secured.authority.ca_file
    password = "a-wr0ng-one" if "password" in fault else None
    dsn = door.dsn(ca_file, password=password)

    async with AsyncExitStack() as stack:
        for words in ("gateway", "intake", "relay", "projector balances", "scheduler"):
            settings = {"LEDGER_DATABASE_URL": dsn, "LEDGER_KAFKA_BOOTSTRAP": kafka_server}
            process = await stack.enter_async_context(lone_process(tmp_path, words, settings))
            stack.push_async_callback(_assert_said, process, DATABASE_FAULTS[fault])

    _assert_no_secret_in(tmp_path, dsn, "a-wr0ng-one")


async def _assert_said(process: LoneProcess, words: str) -> None:
    await process.wait_until_said(words)
    assert await process.reasons() != [], process.said()
    if process.words in {"relay", "projector balances"}:
        # These say it at once; an intake is not asked yet, and a gateway is asked by anybody.
        await eventually(lambda: _is_reason(process, words), f"{process.words} gives the reason")


async def _is_reason(process: LoneProcess, words: str) -> bool:
    return any(words in reason for reason in await process.reasons() or [])


def _settings(secured: Secured, protocol: str, mechanism: str, user: str) -> Settings:
    if protocol == "SSL":
        return Settings(
            kafka_bootstrap=secured.kafka.ssl,
            kafka_security_protocol="SSL",
            kafka_ca_file=secured.authority.ca_file,
            kafka_certificate_file=secured.certificate,
        )
    return Settings(
        kafka_bootstrap=secured.kafka.sasl,
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="PLAIN" if mechanism == "PLAIN" else "SCRAM-SHA-512",
        kafka_sasl_username=user,
        kafka_sasl_password=SecretText(SECRET.format(user)),
        kafka_ca_file=secured.authority.ca_file,
    )


def _client(secured: Secured, tenant_id: str) -> CommandClient:
    options = client_options(_settings(secured, "SASL_SSL", "SCRAM-SHA-512", "billing"), "billing")
    bootstrap = options.pop("bootstrap_servers")
    return CommandClient(bootstrap, tenant_id, "/billing", kafka_options=options)


async def _is_folded(running: Mapping[str, LoneProcess]) -> bool:
    lags = [await running["relay"].metric("ledger_relay_lag_events")]
    lags += [
        await running[f"projector {name}"].metric("ledger_projector_lag_events")
        for name in PROJECTIONS
    ]
    return not any(lags)


def _assert_no_secret_in(folder: Path, dsn: str, *more: str) -> None:
    """None of the passwords is in any log."""
    password = dsn.partition("://")[2].partition("@")[0].partition(":")[2]
    logs = [path.read_text() for path in folder.glob("*.log")]
    assert logs
    for secret in (password, SECRET.format(""), *more):
        assert not any(secret in log for log in logs)
