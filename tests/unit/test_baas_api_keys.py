"""API keys: which header counts, and that a key is judged as the first dialect judges its own."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from ledger.tenants.store import Credential, Secret, hash_secret
from services.gateway.authentication import Authenticator, Principal
from services.gateway.baas.api_keys import Accepts, authenticate_api_key
from services.gateway.problems import RefusedError
from tests.specs.running_gateway import basic

KEY = Secret("key_" + "0a" * 12, "secret.with.dots-and_dashes")
OTHER = Secret("key_" + "0b" * 12, "another")
REVOKED = Secret("key_" + "0c" * 12, "revoked")
UNKNOWN = Secret("key_" + "0d" * 12, "unknown")

Headers = Sequence[tuple[str, str]]


class Credentials:
    """What is stored, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def find(self, key_id: str) -> Credential | None:
        """As the store finds it."""
        self.asked.append(key_id)
        for secret in (KEY, OTHER, REVOKED):
            if secret.key_id == key_id:
                return Credential(
                    key_id=key_id,
                    tenant_id=f"tenant of {key_id}",
                    merchant_id="merchant",
                    environment="sandbox",
                    secret_hash=hash_secret(secret.secret),
                    scopes=frozenset({"wallets:read"}),
                    revoked_at=datetime(2026, 1, 1, tzinfo=UTC) if secret is REVOKED else None,
                    redirect_origins=frozenset(),
                )
        return None


def authenticator(stored: Credentials) -> Authenticator:
    return Authenticator(stored.find, lambda: 1.0)


async def principal(headers: Headers, accepts: Accepts) -> Principal:
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers))
    return await authenticate_api_key(authenticator(Credentials()), request, accepts)


async def refusal(headers: Headers, accepts: Accepts) -> tuple[str, str]:
    """The words and the challenge."""
    with pytest.raises(RefusedError) as caught:
        await principal(headers, accepts)
    assert caught.value.code == "unauthorized"
    ((name, challenge),) = caught.value.headers
    assert name == "WWW-Authenticate"
    return caught.value.detail, challenge


def key(secret: Secret) -> tuple[str, str]:
    return "X-API-Key", secret.api_key()


def bearer(secret: Secret, scheme: str = "Bearer") -> tuple[str, str]:
    return "Authorization", f"{scheme} {secret.api_key()}"


@pytest.mark.parametrize("accepts", ["api_key", "api_key_or_bearer"])
async def test_the_header_of_the_dialect(accepts: Accepts) -> None:
    found = await principal([key(KEY)], accepts)
    assert (found.key_id, found.tenant_id) == (KEY.key_id, f"tenant of {KEY.key_id}")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
async def test_a_bearer_where_it_is_accepted(scheme: str) -> None:
    found = await principal([bearer(KEY, scheme)], "api_key_or_bearer")
    assert found.key_id == KEY.key_id


async def test_a_bearer_where_it_is_not_accepted() -> None:
    assert await refusal([bearer(KEY)], "api_key") == (
        "the API key is missing: send X-API-Key",
        'ApiKey realm="ledger"',
    )


@pytest.mark.parametrize("accepts", ["api_key", "api_key_or_bearer"])
async def test_the_header_of_the_dialect_counts_where_both_are_sent(accepts: Accepts) -> None:
    for other in (bearer(OTHER), bearer(UNKNOWN), ("Authorization", basic(*OTHER))):
        assert (await principal([other, key(KEY)], accepts)).key_id == KEY.key_id
    detail, _ = await refusal([key(UNKNOWN), bearer(KEY)], accepts)
    assert detail == "the API key is wrong"


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ([], "the API key is missing: send X-API-Key or Authorization: Bearer"),
        ([key(KEY), key(KEY)], "X-API-Key must be sent once"),
        ([bearer(KEY), bearer(KEY)], "Authorization must be Bearer and the API key, once"),
        (
            [("Authorization", basic(*KEY))],
            "Authorization must be Bearer and the API key, once",
        ),
        ([("Authorization", "Bearer")], "Authorization must be Bearer and the API key, once"),
        ([("Authorization", "")], "Authorization must be Bearer and the API key, once"),
        ([("Authorization", "Bearer a b")], "Authorization must be Bearer and the API key, once"),
        ([bearer(UNKNOWN)], "the API key is wrong"),
    ],
)
async def test_what_no_call_gets_in_with(headers: Headers, detail: str) -> None:
    assert await refusal(headers, "api_key_or_bearer") == (
        detail,
        'ApiKey realm="ledger", Bearer realm="ledger"',
    )


@pytest.mark.parametrize(
    "api_key",
    [
        "",
        ".",
        KEY.key_id,
        f"{KEY.key_id}.",
        f".{KEY.secret}",
        f"{KEY.key_id}.{KEY.secret}x",
        f"{KEY.key_id}.{OTHER.secret}",
        f"{KEY.key_id.upper()}.{KEY.secret}",
        f"{KEY.key_id}:{KEY.secret}",
        f" {KEY.api_key()}",
        f"{KEY.key_id}.\u00ff",
        UNKNOWN.api_key(),
        REVOKED.api_key(),
        "x" * 8000,
    ],
)
async def test_a_wrong_key_is_told_in_the_same_words(api_key: str) -> None:
    """Unknown, revoked, or only near a right one: nobody learns which."""
    detail, _ = await refusal([("X-API-Key", api_key)], "api_key")
    assert detail == "the API key is wrong"


async def test_both_dialects_share_what_was_read() -> None:
    stored = Credentials()
    shared = authenticator(stored)
    await shared.authenticate(basic(*KEY))
    request = make_mocked_request("GET", "/", headers=CIMultiDict([key(KEY)]))
    await authenticate_api_key(shared, request, "api_key")
    assert stored.asked == [KEY.key_id]


async def test_what_is_no_key_is_never_looked_up() -> None:
    stored = Credentials()
    request = make_mocked_request("GET", "/", headers=CIMultiDict([("X-API-Key", "nonsense")]))
    with pytest.raises(RefusedError):
        await authenticate_api_key(authenticator(stored), request, "api_key")
    assert stored.asked == []
