"""Kafka: how every client connects, why one could not, and which partition a key belongs to.

The partition is chosen as Java's default partitioner chooses it, so that producers in
any language put one wallet's messages on one partition.
"""

import asyncio
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import KafkaError

from services.runtime.dsn import unreadable
from services.runtime.settings import Settings, SettingsError

_DIAGNOSIS_TIMEOUT_MS: Final = 5000
_CLOSE_SECONDS: Final = 5.0
_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def client_options(settings: Settings, client_id: str) -> dict[str, Any]:
    """The arguments that aiokafka's producer, consumer and admin client have in common.

    Raises `SettingsError` where no bootstrap servers are configured, or where the settings
    of TLS and SASL do not go together.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.require_kafka_bootstrap(),
        "client_id": client_id,
        "security_protocol": settings.kafka_security_protocol,
    }
    _refuse_what_would_not_count(settings)
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    if settings.kafka_security_protocol.startswith("SASL"):
        username, password = settings.kafka_sasl_username, settings.kafka_sasl_password
        if username is None or password is None:
            raise SettingsError(
                "LEDGER_KAFKA_SASL_USERNAME and LEDGER_KAFKA_SASL_PASSWORD must both be set where "
                f"LEDGER_KAFKA_SECURITY_PROTOCOL is {settings.kafka_security_protocol}"
            )
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = username
        options["sasl_plain_password"] = password.expose()
    return options


async def close_client(closing: Coroutine[Any, Any, None]) -> None:
    """Let a client of aiokafka close, within limits, and be cancelled meanwhile if need be.

    Awaited as it is, its `close` takes a cancellation of whoever awaits it for one of its own
    task and drops it: a loop that was to end would go round for ever.
    """
    task = asyncio.ensure_future(closing)
    try:
        await asyncio.wait({task}, timeout=_CLOSE_SECONDS)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_CLOSE_SECONDS)
        raise
    finally:
        task.cancel()
    if task.done() and not task.cancelled():
        task.result()


async def why_unreachable(settings: Settings) -> str | None:
    """Try each bootstrap server once, and say what the last one's refusal was.

    aiokafka's own error names the servers only; TLS and SASL say why. None where one of them
    can be connected to, so that the reason lies elsewhere.
    """
    options = client_options(settings, "ledger-diagnosis")
    said = "no bootstrap server is named"
    for host, port, _ in collect_hosts(options.pop("bootstrap_servers")):
        connection = AIOKafkaConnection(
            host, port, request_timeout_ms=_DIAGNOSIS_TIMEOUT_MS, **options
        )
        try:
            await connection.connect()
        except (KafkaError, OSError, TimeoutError) as error:
            said = f"{host}:{port}: {error!r}"
        else:
            return None
        finally:
            connection.close()
    return said


def _refuse_what_would_not_count(settings: Settings) -> None:
    """Whoever sets a password or a CA means to be secured, and has to be told if it is not so."""
    protocol = settings.kafka_security_protocol
    for needed, variable, value in (
        ("SSL", "LEDGER_KAFKA_CA_FILE", settings.kafka_ca_file),
        ("SSL", "LEDGER_KAFKA_CERTIFICATE_FILE", settings.kafka_certificate_file),
        ("SSL", "LEDGER_KAFKA_KEY_FILE", settings.kafka_key_file),
        ("SASL", "LEDGER_KAFKA_SASL_USERNAME", settings.kafka_sasl_username),
        ("SASL", "LEDGER_KAFKA_SASL_PASSWORD", settings.kafka_sasl_password),
    ):
        if value is not None and needed not in protocol.split("_"):
            raise SettingsError(
                f"{variable} is set, and LEDGER_KAFKA_SECURITY_PROTOCOL is {protocol}, with "
                f"which it would not count: unset it, or name a protocol with {needed}"
            )


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    ca, certificate, key = (
        _readable("LEDGER_KAFKA_CA_FILE", settings.kafka_ca_file),
        _readable("LEDGER_KAFKA_CERTIFICATE_FILE", settings.kafka_certificate_file),
        _readable("LEDGER_KAFKA_KEY_FILE", settings.kafka_key_file),
    )
    if key is not None and certificate is None:
        raise SettingsError("LEDGER_KAFKA_KEY_FILE needs LEDGER_KAFKA_CERTIFICATE_FILE, too")
    try:
        context = ssl.create_default_context(cafile=ca)
    except ssl.SSLError as error:
        raise SettingsError(f"LEDGER_KAFKA_CA_FILE: {ca} has no certificate as PEM") from error
    if certificate is not None:
        try:
            # A key with a password would otherwise be asked for at a terminal.
            context.load_cert_chain(certificate, key, password="")
        except ssl.SSLError as error:
            raise SettingsError(
                f"LEDGER_KAFKA_CERTIFICATE_FILE: {certificate} and {key or 'the same file'} are "
                "not a certificate and its key as PEM, without a password"
            ) from error
    return context


def _readable(variable: str, path: Path | None) -> str | None:
    if path is None:
        return None
    if trouble := unreadable(path):
        raise SettingsError(f"{variable}: {path} cannot be read: {trouble}")
    return str(path)


def partition_for(key: bytes, partition_count: int) -> int:
    """The partition of a key: toPositive(murmur2(key)) % n, as in Java."""
    return (murmur2(key) & 0x7FFFFFFF) % partition_count


def murmur2(data: bytes) -> int:
    """The 32-bit murmur2 hash with Kafka's seed, as an unsigned integer."""
    length = len(data)
    hashed = _SEED ^ length
    whole = length & ~3
    for offset in range(0, whole, 4):
        word = int.from_bytes(data[offset : offset + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MULTIPLIER & _MASK
        hashed = hashed * _MULTIPLIER & _MASK ^ word
    if rest := data[whole:]:
        hashed = (hashed ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _MASK
    hashed = (hashed ^ hashed >> 13) * _MULTIPLIER & _MASK
    return hashed ^ hashed >> 15
