"""A broker with TLS, passwords and ACLs; what is not allowed on it is denied."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from services.runtime.kafka import client_options
from services.runtime.settings import Settings
from services.supervisor.embedded_kafka import EmbeddedKafka
from services.supervisor.ports import RememberedPorts

_TYPES = {"topic": 2, "group": 3}
_OPERATIONS = {"read": 3, "write": 4, "describe": 8}
_LITERAL, _ALLOW = 3, 3
_LOOKS, _LOOK_S = 500, 0.02
_PROTOCOLS = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL"
_LOGIN = "org.apache.kafka.common.security.{}LoginModule required {};"


class Right(NamedTuple):
    """One ACL: who may do what with which topic or group."""

    user: str
    operation: str
    kind: str
    name: str


class SecuredKafka:
    """One node. Its plain listener, as which nobody is named, may do everything."""

    def __init__(
        self,
        home: Path,
        *,
        certificate: Path,
        ca_file: Path,
        scram_users: Mapping[str, str],
        plain_users: Mapping[str, str],
    ) -> None:
        """Users are name → password."""
        ports = RememberedPorts(home)
        passwords, certificates = ports.take("kafka-sasl"), ports.take("kafka-ssl")
        secured = f"SASL_SSL://127.0.0.1:{passwords},SSL://127.0.0.1:{certificates}"
        plain = "PLAINTEXT://127.0.0.1:${port}"
        users = " ".join(f'user_{name}="{secret}"' for name, secret in plain_users.items())
        self._broker = EmbeddedKafka(
            home,
            settings={
                "listeners": f"{plain},CONTROLLER://127.0.0.1:${{controller_port}},{secured}",
                "advertised.listeners": f"{plain},{secured}",
                "listener.security.protocol.map": _PROTOCOLS,
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(certificate),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": str(ca_file),
                "listener.name.ssl.ssl.client.auth": "required",
                "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
                "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": _LOGIN.format(
                    "scram.Scram", ""
                ),
                "listener.name.sasl_ssl.plain.sasl.jaas.config": _LOGIN.format(
                    "plain.Plain", users
                ),
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
            },
            format_options=[
                word
                for name, secret in scram_users.items()
                for word in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={secret}]")
            ],
        )
        self.sasl = f"127.0.0.1:{passwords}"
        """Where clients show passwords."""
        self.ssl = f"127.0.0.1:{certificates}"
        """Where clients show certificates."""

    @property
    def administration(self) -> Settings:
        """Settings that may do everything."""
        return Settings(kafka_bootstrap=self._broker.bootstrap)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._broker.start()

    def stop(self) -> None:
        """Stop it."""
        self._broker.stop()

    async def allow(self, rights: Iterable[Right]) -> None:
        """Add ACLs."""
        admin = AIOKafkaAdminClient(**client_options(self.administration, "test"))
        try:
            await admin.start()
            for user, operation, kind, name in rights:
                acl = (
                    *(_TYPES[kind], name, _LITERAL, f"User:{user}", "*"),
                    *(_OPERATIONS[operation], _ALLOW),
                )
                response = await admin._send_request(CreateAclsRequest(*acl))
                assert [code for code, _ in response.creation_responses] == [0], response
                await _until_it_counts(admin, DescribeAclsRequest(*acl))
        finally:
            await admin.close()


async def _until_it_counts(admin: AIOKafkaAdminClient, request: DescribeAclsRequest) -> None:
    """The controller has an ACL before the broker goes by it."""
    for _ in range(_LOOKS):
        if (await admin._send_request(request)).resources:
            return
        await asyncio.sleep(_LOOK_S)
    raise AssertionError("the broker does not go by an ACL that it has taken")
