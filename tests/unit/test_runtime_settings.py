"""The environment is read once and either makes sense or is refused in one clear line."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from click.testing import CliRunner

from services.command_line.main import commands
from services.gateway.payments.providers import payment_settings
from services.runtime.dsn import server_of
from services.runtime.settings import Process, SecretText, Settings, SettingsError


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({})

    assert settings == Settings()
    assert settings.home == Path(".ledger")
    assert settings.http_port == 8080


def test_every_field_is_a_variable() -> None:
    settings = Settings.from_environment(
        {
            "LEDGER_HOME": "/srv/ledger",
            "LEDGER_HTTP_PORT": "9090",
            "LEDGER_DATABASE_URL": "postgresql://db/ledger",
            "LEDGER_BACKGROUND_NICE": "0",
            "LEDGER_LOG_LEVEL": "",
            "HTTP_PORT": "1",
        }
    )

    assert settings.home == Path("/srv/ledger")
    assert settings.http_port == 9090
    assert settings.require_database_url() == "postgresql://db/ledger"
    assert settings.background_nice == 0
    assert settings.log_level == "info"


@pytest.mark.parametrize("process", get_args(Process))
def test_a_process_may_have_a_login_of_its_own(process: Process) -> None:
    one_for_all = {"LEDGER_DATABASE_URL": "postgresql://db/ledger"}
    own = {f"LEDGER_DATABASE_URL_{process.upper()}": f"postgresql://{process}@db/ledger"}

    with_it = Settings.from_environment(one_for_all | own).of_process(process)
    without = Settings.from_environment(one_for_all).of_process(process)

    assert with_it.require_database_url() == f"postgresql://{process}@db/ledger"
    assert without.require_database_url() == "postgresql://db/ledger"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("LEDGER_HTTP_PORT", "http"),
        ("LEDGER_HTTP_PORT", "0"),
        ("LEDGER_HTTP_PORT", "65536"),
        ("LEDGER_HEALTH_PORT", "-1"),
        ("LEDGER_LOG_LEVEL", "loud"),
        ("LEDGER_TOPIC_PARTITIONS", "0"),
        ("LEDGER_KAFKA_SECURITY_PROTOCOL", "none"),
        ("LEDGER_POSTGRES_USER", "root"),
        ("LEDGER_PUBLIC_URL", "pay.example.com"),
        ("LEDGER_PUBLIC_URL", "https://pay.example.com/"),
        ("LEDGER_PUBLIC_URL", "https://user@pay.example.com"),
        ("LEDGER_PUBLIC_URL", "https://pay.example.com\n"),
        ("LEDGER_PUBLIC_URL", "https://päy.example.com"),
        ("LEDGER_PAYMENT_PROVIDER_URL", "127.0.0.1:8081"),
        ("LEDGER_PAYMENT_PROVIDER_URL", "http://127.0.0.1:8081/"),
        ("LEDGER_SANDBOX_PROVIDER_PORT", "0"),
        ("LEDGER_VAULT_BACKUP_DAYS", "0"),
        ("LEDGER_RATE_LIMIT", "100"),
        ("LEDGER_RATE_LIMIT", "0/s"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({variable: text})

    assert str(refusal.value).startswith(f"{variable}: {text!r} cannot be used: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("LEDGER_RATE_LIMIT", "such as 100/s or 100/s:500"),
        ("LEDGER_PUBLIC_URL", "such as https://pay.example/ledger"),
        ("LEDGER_PAYMENT_PROVIDER_URL", "such as https://pay.example:8443"),
        ("LEDGER_DOCUMENTS_URL", "such as s3://bucket/prefix"),
        ("LEDGER_KMS", "such as package.module:function"),
        ("LEDGER_BANK_CODE", "six digits, such as 999999"),
        ("LEDGER_HTTP_PORT", "a port, from 1 to 65535"),
        ("LEDGER_LOG_LEVEL", "one of debug, info, warning, error"),
    ],
)
def test_a_refused_value_is_told_the_form_and_no_pattern(variable: str, said: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environment({variable: "!"})

    assert str(refusal.value).startswith(f"{variable}: '!' cannot be used: it has to be ")
    assert str(refusal.value).endswith(said)


def test_every_pattern_of_a_setting_has_its_form_in_words() -> None:
    for field in msgspec.structs.fields(Settings):
        for part in (field.type, *get_args(field.type)):
            for mark in getattr(part, "__metadata__", ()):
                assert mark.pattern is None or mark.description, field.name


def test_a_server_is_named_without_login_and_password() -> None:
    for dsn, named in {
        "postgresql://u:p@db/ledger?sslmode=require": "db:5432/ledger",
        "postgresql://u:p@[::1]:5433/ledger": "[::1]:5433/ledger",
        "postgresql://u@first:5432,second/ledger": "first:5432,second:5432/ledger",
        "postgresql:///ledger?host=/run/postgresql": "/run/postgresql:5432/ledger",
        "postgresql://db/ledger?port=6432&password=p": "db:6432/ledger",
    }.items():
        assert server_of(dsn) == named


def test_a_rate_limit_that_makes_no_sense_is_refused_by_name() -> None:
    settings = Settings.from_environment({"LEDGER_RATE_LIMIT": "100/s:500"})
    assert str(settings.default_rate_limit()) == "100/s:500"
    with pytest.raises(
        SettingsError, match="LEDGER_RATE_LIMIT: '100/s:99' cannot be used: the bur"
    ):
        Settings(rate_limit="100/s:99").default_rate_limit()


@pytest.mark.parametrize(
    ("missing", "ask"),
    [
        ("LEDGER_DATABASE_URL", Settings.require_database_url),
        ("LEDGER_KAFKA_BOOTSTRAP", Settings.require_kafka_bootstrap),
        ("LEDGER_VAULT_DATABASE_URL", Settings.require_vault_database_url),
    ],
)
def test_what_a_process_alone_needs_is_asked_for_by_name(
    missing: str, ask: Callable[[Settings], str]
) -> None:
    with pytest.raises(SettingsError, match=missing):
        ask(Settings())


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ledger:s3cret@db.internal/ledger?sslmode=verify-full",
        "postgres://[::1]:5432/ledger",
        "postgresql://first:5432,second:5433/ledger?target_session_attrs=read-write",
        "postgresql:///ledger?host=/run/postgresql",
        "postgresql://ledger:s3%2Fcret%40@db/ledger",
    ],
)
def test_a_dsn_is_taken_as_it_is(dsn: str) -> None:
    assert Settings(database_url=SecretText(dsn)).require_database_url() == dsn


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("mysql://ledger:s3cret@db/ledger", "it does not begin with postgresql://"),
        ("host=db password=s3cret", "it does not begin with postgresql://"),
        ("postgresql://ledger:s3cret/x@db/ledger", "it cannot be read as"),
        ("postgresql://ledger:s3cret#x@db/ledger", "it cannot be read as"),
        ("postgresql://ledger:s3cret@x@db/ledger", "it cannot be read as"),
        ("postgresql://ledger:s3cret?x@db/ledger", "it cannot be read as"),
        ("postgresql://ledger:s3cret[x@db/ledger", "it cannot be read as"),
        ("postgresql://ledger:s3cret@db:port/ledger", "it cannot be read as"),
        ("postgresql://ledger:s3cret@db/ledger?sslmode=on", "its sslmode must be one of disable,"),
        (
            "postgresql://ledger:s3cret@db/ledger?sslmode=verify-full&sslrootcert=/not/there.pem",
            "its sslrootcert /not/there.pem cannot be read: No such file or directory",
        ),
    ],
)
def test_a_dsn_that_cannot_be_used_is_refused_without_its_password(dsn: str, said: str) -> None:
    for settings, ask, variable in (
        (
            Settings(database_url=SecretText(dsn)),
            Settings.require_database_url,
            "LEDGER_DATABASE_URL",
        ),
        (
            Settings(vault_database_url=SecretText(dsn)),
            Settings.require_vault_database_url,
            "LEDGER_VAULT_DATABASE_URL",
        ),
    ):
        with pytest.raises(SettingsError) as refusal:
            ask(settings)
        assert str(refusal.value).startswith(f"{variable}: its value cannot be used: {said}")
        assert "s3cret" not in str(refusal.value)


_ANY_TEXT = "postgresql://ledger:s3cret@db/ledger"
_SECRETS = [
    field.name for field in msgspec.structs.fields(Settings) if SecretText in get_args(field.type)
]


@pytest.mark.parametrize("name", _SECRETS)
def test_a_secret_is_not_shown_with_the_settings(name: str) -> None:
    settings = Settings.from_environment({f"LEDGER_{name.upper()}": _ANY_TEXT})

    assert getattr(settings, name).expose() == _ANY_TEXT
    assert getattr(settings, name) == SecretText(_ANY_TEXT)
    assert f"{name}=<secret>" in repr(settings)
    # As the log would write them, and a message.
    logged = msgspec.json.encode(settings, enc_hook=repr).decode()
    assert f'"{name}":"<secret>"' in logged
    assert "s3cret" not in f"{settings} {settings!r} {getattr(settings, name)} {logged}"


def test_what_is_called_like_a_secret_or_has_a_password_in_it_is_one() -> None:
    named = re.compile(r"(password|secret|api_key|_keys?|database_url(_\w+)?)$")

    found = [name for name in Settings.__struct_fields__ if named.search(name)]

    assert found == _SECRETS


def test_the_payments_secrets_are_not_shown_with_what_is_said_of_payments() -> None:
    secret = SecretText("s3cret")
    settings = Settings(
        payment_provider_url="http://127.0.0.1:8081",
        payment_api_key=secret,
        payment_callback_secret=secret,
    )

    assert "s3cret" not in repr(payment_settings(settings))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"payment_api_key": SecretText("k")},
        {"payment_callback_secret": SecretText("s")},
    ],
)
def test_a_provider_without_both_secrets_is_a_mistake(given: dict[str, SecretText]) -> None:
    with pytest.raises(SettingsError, match="LEDGER_PAYMENT_API_KEY and LEDGER_PAYMENT_CALLBACK"):
        payment_settings(Settings(payment_provider_url="http://127.0.0.1:8081", **given))  # type: ignore[arg-type]


def test_without_a_provider_no_secret_is_needed() -> None:
    assert payment_settings(Settings()) is None


def test_the_command_line_says_every_command() -> None:
    shown = CliRunner().invoke(commands, ["--help"]).output

    for command in (
        *("up", "migrate", "gateway", "intake", "relay", "projector", "rebuild"),
        *("tail", "verify", "merchants", "keys", "sandbox-provider", "vault"),
    ):
        assert f"  {command} " in shown
