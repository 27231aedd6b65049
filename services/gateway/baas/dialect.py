"""The dialect: API keys, and failures in its own envelope."""

from typing import Final

from services.gateway.answers import Answer
from services.gateway.authentication import Authenticator, Principal
from services.gateway.baas.api_keys import Accepts, authenticate_api_key
from services.gateway.baas.failures import failure_of_error
from services.gateway.calls import Call

BASE: Final = "/baas/v1"
"""What a client's `BASE_URL` ends with."""
BEARER_TOO: Final = frozenset(
    {f"{BASE}/wallets/freeze", f"{BASE}/wallets/unfreeze", f"{BASE}/wallets/tier-3"}
)
"""Paths under which the API key may also come as `Authorization: Bearer`."""


class BaasDialect:
    """The BaaS API."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def authenticate(self, call: Call, route_name: str) -> Principal:
        """The principal of the API key."""
        accepts: Accepts = "api_key_or_bearer" if route_name in BEARER_TOO else "api_key"
        return await authenticate_api_key(self._authenticator, call.request, accepts)

    def failure(self, error: Exception, _request_id: str) -> Answer:
        """A failure; the request's id is in its header."""
        return failure_of_error(error)
