"""API keys: `<key id>.<secret>` in one header, checked as the first dialect checks its own.

Where both headers are sent, `X-API-Key` is the one that counts, right or wrong: it is the
dialect's own, and a proxy may have added the other.
"""

import re
from typing import Final, Literal

from aiohttp import web

from ledger.tenants.store import split_api_key
from services.gateway.authentication import Authenticator, Principal
from services.gateway.problems import RefusedError

API_KEY_HEADER: Final = "X-API-Key"
Accepts = Literal["api_key", "api_key_or_bearer"]

_BEARER = re.compile(r"Bearer +(?P<token>[!-~]+) *", re.ASCII | re.IGNORECASE)
_CHALLENGES: Final[dict[Accepts, str]] = {
    "api_key": 'ApiKey realm="ledger"',
    "api_key_or_bearer": 'ApiKey realm="ledger", Bearer realm="ledger"',
}


async def authenticate_api_key(
    authenticator: Authenticator, request: web.BaseRequest, accepts: Accepts
) -> Principal:
    """The principal of a call's API key. Refuses with 401 `unauthorized`."""
    secret = split_api_key(_api_key(request, accepts))
    principal = None if secret is None else await authenticator.principal_of(*secret)
    if principal is None:
        raise _unauthorized("the API key is wrong", accepts)
    return principal


def _api_key(request: web.BaseRequest, accepts: Accepts) -> str:
    headers = request.headers
    keys = headers.getall(API_KEY_HEADER, [])
    if len(keys) > 1:
        raise _unauthorized(f"{API_KEY_HEADER} must be sent once", accepts)
    if keys:
        return keys[0]
    if accepts == "api_key":
        raise _unauthorized(f"the API key is missing: send {API_KEY_HEADER}", accepts)
    authorizations = headers.getall("Authorization", [])
    if not authorizations:
        raise _unauthorized(
            f"the API key is missing: send {API_KEY_HEADER} or Authorization: Bearer", accepts
        )
    bearer = _BEARER.fullmatch(authorizations[0])
    if bearer is None or len(authorizations) > 1:
        raise _unauthorized("Authorization must be Bearer and the API key, once", accepts)
    return bearer["token"]


def _unauthorized(detail: str, accepts: Accepts) -> RefusedError:
    challenge = ("WWW-Authenticate", _CHALLENGES[accepts])
    return RefusedError("unauthorized", detail, headers=(challenge,))
