"""Settings: everything that the environment may say, read once, at the start of a process.

A field `http_port` is the variable LEDGER_HTTP_PORT. An empty variable counts as unset.
"""

from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Self, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from ledger.tenants.limits import RateLimit, parse_rate_limit
from services.runtime.dsn import mistake_in

Port = Annotated[int, Meta(ge=1, le=65535, description="a port, from 1 to 65535")]
HealthPort = Annotated[
    int, Meta(ge=0, le=65535, description="a port, from 1 to 65535, or 0 for none")
]
Niceness = Annotated[int, Meta(ge=0, le=19, description="a number from 0 to 19")]
PartitionCount = Annotated[int, Meta(ge=1, le=1000, description="a number from 1 to 1000")]
BankName = Annotated[str, Meta(min_length=1, max_length=100, description="at most 100 characters")]
BankCode = Annotated[str, Meta(pattern=r"^[0-9]{6}\Z", description="six digits, such as 999999")]
BackupDays = Annotated[int, Meta(ge=1, le=365, description="days, from 1 to 365")]
LogLevel = Literal["debug", "info", "warning", "error"]
PostgresUser = Literal["auto", "namespace", "nobody"]
Process = Literal["gateway", "intake", "relay", "projector", "scheduler"]
"""A process that may have a login of its own with the database."""

PaymentUrl = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^/?#@\\\s]+\Z",
        description="scheme, host and port, without a slash at the end, such as https://pay.example:8443",
    ),
]
PublicUrl = Annotated[
    str,
    Meta(
        pattern=r"^https?://(?![^/]*[^!-~])[^/?#@\\\s]+(/[^/?#\\\s]+)*\Z",
        description="scheme, host in ASCII and, as behind a proxy, a path, without a slash at the "
        "end, such as https://pay.example/ledger",
    ),
]
RateLimitText = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,6}/s(:[1-9][0-9]{0,7})?\Z",
        description="units a second, and after a colon the burst, where that is not a second's "
        "worth, such as 100/s or 100/s:500",
    ),
]
DocumentsUrl = Annotated[
    str,
    Meta(
        pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]*)?\Z",
        description="a bucket, and what the names in it begin with, such as s3://bucket/prefix",
    ),
]
ImportPlace = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*\Z",
        description="a module of Python and a name in it, such as package.module:function",
    ),
]

PREFIX = "LEDGER_"


class SettingsError(Exception):
    """The environment says something that cannot be used. The message names the variable."""


class SecretText:
    """A setting that is a secret, or has one in it: nothing that shows the settings shows it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretText) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def expose(self) -> str:
        """The text itself, for who uses it."""
        return self._text


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of every process; each reads what concerns it."""

    home: Path = Path(".ledger")
    """Where `ledger up` keeps its data, logs and secrets. Nothing outside it is changed."""
    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    public_url: PublicUrl | None = None
    """Where customers reach the gateway; without it, `http_host` and `http_port`."""
    health_host: str = "127.0.0.1"
    health_port: HealthPort = 0
    """Where a process serves its health and metrics. 0: the gateway beside its calls, the others
    nowhere."""
    log_level: LogLevel = "info"

    rate_limit: RateLimitText = "20000/s"
    """What a credential without a limit of its own may ask for, at all gateways together."""

    database_url: SecretText | None = None
    """PostgreSQL, 15 or newer. `ledger up` without it starts a server of its own."""
    database_url_gateway: SecretText | None = None
    """The same database, with the login that only the gateway uses; so below."""
    database_url_intake: SecretText | None = None
    database_url_relay: SecretText | None = None
    database_url_projector: SecretText | None = None
    database_url_scheduler: SecretText | None = None
    kafka_bootstrap: str | None = None
    """Kafka's bootstrap servers. `ledger up` without it starts a broker of its own."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretText | None = None
    kafka_ca_file: Path | None = None
    """Whom to trust for SSL; without it, whom the machine trusts."""
    kafka_certificate_file: Path | None = None
    """Who we are for SSL, where the brokers ask: a certificate and its chain, as PEM."""
    kafka_key_file: Path | None = None
    """The certificate's key, as PEM, without a password; without it, in the same file."""

    events_topic: str = "ledger.events"
    commands_topic: str = "ledger.commands"
    results_topic: str = "ledger.command-results"
    rejected_topic: str = "ledger.commands.rejected"
    topic_partitions: PartitionCount = 4

    payment_provider_url: PaymentUrl | None = None
    """Where the payment provider answers, for the gateway and for browsers. `ledger up` without
    it starts a sandbox provider of its own."""
    payment_api_key: SecretText | None = None
    """What the gateway shows to the payment provider."""
    payment_callback_secret: SecretText | None = None
    """What the payment provider signs its callbacks with."""
    sandbox_provider_port: Port = 8081
    """The port of the sandbox provider, on `http_host`; its health and metrics are there, too."""

    background_nice: Niceness = 5
    """How far relay, projectors and scheduler stand back (nice), so that commands go first."""
    postgres_user: PostgresUser = "auto"
    """As root: run the embedded PostgreSQL in a user namespace, or as the user nobody."""
    kafka_jars: Path | None = None
    """The embedded broker's jars; without it, where `./dev` puts them."""

    tier_limits_file: Path | None = None
    """What wallets may hold and move at each tier, as TOML or JSON; without it, built-in limits."""
    time_zone: str = "Africa/Lagos"
    """Where midnight ends the day of a tier's daily limit; a name of the IANA database."""
    bank_name: BankName = "Sandbox Bank"
    """The bank that live accounts are kept with. Sandboxes have `Sandbox Bank`, always."""
    bank_code: BankCode = "999999"
    """The six digits of that bank, from which account numbers have their check digit."""

    vault_database_url: SecretText | None = None
    """The key store's database, apart from the log's. `ledger up` makes one on its own server."""
    master_key_file: Path | None = None
    """Lines of id and key, the last one active; without it, vault/master.keys in the home."""
    master_keys: SecretText | None = None
    """The same lines, in place of a file."""
    kms: ImportPlace | None = None
    """A function, in place of a file, that opens the master keys of a KMS: `module:function`."""
    index_key_file: Path | None = None
    """The key of blind indexes; without it, vault/index.key in the home."""
    index_key: SecretText | None = None
    """The same key, in place of a file."""
    destroyed_keys_file: Path | None = None
    """The list that is never rolled back; without it, vault/destroyed.jsonl in the home."""
    documents_folder: Path | None = None
    """Where sealed documents lie; without it, vault/documents in the home."""
    documents_url: DocumentsUrl | None = None
    """A bucket in place of that folder: `s3://bucket/prefix`."""
    vault_backup_days: BackupDays = 30
    """How long the key store's backups are kept, and so how long an erasure takes."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `SettingsError` for a value that cannot be used."""
        values = {}
        for field in msgspec.structs.fields(cls):
            variable = PREFIX + field.name.upper()
            text = environment.get(variable, "")
            if not text:
                continue
            try:
                values[field.name] = msgspec.convert(
                    text, field.type, strict=False, dec_hook=_decode
                )
            except msgspec.ValidationError as error:
                # No secret gets into a terminal or a log by this: any text makes a `SecretText`.
                form = _form_of(field.type)
                why = str(error) if form is None else f"it has to be {form}"
                message = f"{variable}: {text!r} cannot be used: {why}"
                raise SettingsError(message) from error
        return cls(**values)

    def default_rate_limit(self) -> RateLimit:
        """What `rate_limit` says. Raises `SettingsError` where it cannot be used."""
        try:
            return parse_rate_limit(self.rate_limit)
        except ValueError as error:
            message = f"LEDGER_RATE_LIMIT: {self.rate_limit!r} cannot be used: {error}"
            raise SettingsError(message) from error

    def of_process(self, process: Process) -> Self:
        """The settings of a process: its own DSN, where it has one, is the database's."""
        own: SecretText | None = getattr(self, f"database_url_{process}")
        return self if own is None else msgspec.structs.replace(self, database_url=own)

    def require_database_url(self) -> str:
        """The database's DSN. Raises `SettingsError` where there is none, or a wrong one."""
        return _dsn(self.database_url, "LEDGER_DATABASE_URL")

    def require_kafka_bootstrap(self) -> str:
        """Kafka's bootstrap servers. Raises `SettingsError` where none were given."""
        return _required(self.kafka_bootstrap, "LEDGER_KAFKA_BOOTSTRAP", "host:port,…")

    def require_vault_database_url(self) -> str:
        """The key store's DSN. Raises `SettingsError` where there is none, or a wrong one."""
        return _dsn(self.vault_database_url, "LEDGER_VAULT_DATABASE_URL")

    def require_payment_secrets(self) -> tuple[SecretText, SecretText]:
        """API key and callback secret. Raises `SettingsError` where one was not given."""
        if self.payment_api_key is None or self.payment_callback_secret is None:
            message = (
                "LEDGER_PAYMENT_API_KEY and LEDGER_PAYMENT_CALLBACK_SECRET must both be set, to "
                "the same as with the other side of the payments"
            )
            raise SettingsError(message)
        return self.payment_api_key, self.payment_callback_secret


def _form_of(expected: object) -> str | None:
    """What a value has to look like, in words, where what msgspec says is not for everybody."""
    if get_origin(expected) is Literal:
        return f"one of {', '.join(get_args(expected))}"
    for part in getattr(expected, "__metadata__", ()):
        if isinstance(part, Meta) and part.description is not None:
            return part.description
    return next(filter(None, map(_form_of, _of_union(expected))), None)


def _of_union(expected: object) -> tuple[object, ...]:
    return get_args(expected) if get_origin(expected) in (Union, UnionType) else ()


def _required(value: str | None, variable: str, shape: str) -> str:
    if value is None:
        message = (
            f"{variable} is not set ({shape}), and LEDGER_HOME has no sandbox.env of a "
            "running `ledger up` to take it from"
        )
        raise SettingsError(message)
    return value


def _dsn(value: SecretText | None, variable: str) -> str:
    given = None if value is None else value.expose()
    dsn = _required(given, variable, "postgresql://…")
    if mistake := mistake_in(dsn):
        raise SettingsError(f"{variable}: its value cannot be used: {mistake}")
    return dsn


def _decode(expected: type, value: object) -> object:
    if expected is Path and isinstance(value, str):
        return Path(value).expanduser()
    if expected is SecretText and isinstance(value, str):
        return SecretText(value)
    # What msgspec asks of a hook that does not know a type: it then says so by field.
    raise NotImplementedError
