"""The sandbox provider as the gateway calls it: answers that come in pieces, and bad ones."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from services.gateway.payments.provider import PaymentProvider, ProviderUnavailableError
from services.gateway.payments.providers import payment_providers
from tests.specs.payments import payments_at

TOPUP = "top_" + "0a" * 16
PAID = b'{"session_id":"ses_' + b"0" * 32 + b'","status":"paid"}'


class Answering:
    """What the provider's server answers, piece by piece, and what it was asked."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.headers: dict[str, str] = {}
        self.accepted = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Each piece is a packet of its own."""
        self.accepted = request.headers.get("Accept-Encoding", "")
        response = web.StreamResponse(headers=self.headers)
        await response.prepare(request)
        for piece in self.pieces:
            await response.write(piece)
        return response


@asynccontextmanager
async def provider_that(answering: Answering) -> AsyncIterator[PaymentProvider]:
    """The gateway's side of it."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answering.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with payment_providers(payments_at(url)) as providers:
            assert providers.sandbox is not None
            yield providers.sandbox
    finally:
        await runner.cleanup()


async def test_an_answer_in_many_pieces_is_read_to_its_end() -> None:
    answering = Answering()
    answering.pieces = [PAID[at : at + 5] for at in range(0, len(PAID), 5)]

    async with provider_that(answering) as provider:
        assert not await provider.cancel_session(TOPUP)

    assert answering.accepted == "identity"


async def test_a_compressed_answer_is_not_unpacked() -> None:
    answering = Answering()
    answering.pieces = [gzip.compress(PAID)]
    answering.headers = {"Content-Encoding": "gzip"}

    async with provider_that(answering) as provider:
        with pytest.raises(ProviderUnavailableError, match="compressed"):
            await provider.cancel_session(TOPUP)


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    answering = Answering()
    answering.pieces = [PAID + b" " * 10_000] + [b" " * 10_000] * 10

    async with provider_that(answering) as provider:
        with pytest.raises(ProviderUnavailableError, match="too long"):
            await provider.cancel_session(TOPUP)


async def test_an_answer_of_endless_depth_is_one_that_cannot_be_read() -> None:
    answering = Answering()
    answering.pieces = [b'{"x":' + b"[" * 50_000]

    async with provider_that(answering) as provider:
        with pytest.raises(ProviderUnavailableError, match="cannot be read"):
            await provider.cancel_session(TOPUP)
