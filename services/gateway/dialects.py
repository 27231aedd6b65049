"""Dialects: how the calls of one API say who sends them, and are told that they are refused."""

from typing import Protocol

from services.gateway.answers import Answer
from services.gateway.authentication import Authenticator, Principal
from services.gateway.calls import Call
from services.gateway.problems import problem_of_error


class Dialect(Protocol):
    """What differs between the APIs before a handler is asked, and where one has raised."""

    async def authenticate(self, call: Call, route_name: str) -> Principal:
        """Who sends the call. Refuses with 401 `unauthorized`."""

    def failure(self, error: Exception, request_id: str) -> Answer:
        """The answer where a call was refused, or its handler raised."""


class CreditWalletsDialect:
    """The Credit Wallets API: HTTP Basic, and problems as RFC 9457 has them."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def authenticate(self, call: Call, _route_name: str) -> Principal:
        """The principal of the header `Authorization`."""
        return await self._authenticator.authenticate(call.request.headers.get("Authorization"))

    def failure(self, error: Exception, request_id: str) -> Answer:
        """A problem."""
        return problem_of_error(error, request_id)
