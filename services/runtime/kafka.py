"""Kafka: how every client connects, and which partition a key belongs to.

The partition is chosen as Java's default partitioner chooses it, so that producers in
any language put one wallet's messages on one partition.
"""

import ssl
from typing import Any

from services.runtime.settings import Settings

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def client_options(settings: Settings, client_id: str) -> dict[str, Any]:
    """The arguments that aiokafka's producer, consumer and admin client have in common.

    Raises `SettingsError` where no bootstrap servers are configured.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": settings.require_kafka_bootstrap(),
        "client_id": client_id,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        ca_file = settings.kafka_ca_file
        options["ssl_context"] = ssl.create_default_context(cafile=ca_file and str(ca_file))
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password
    return options


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
