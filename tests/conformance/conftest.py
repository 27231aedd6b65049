"""Every test of this folder runs on both event logs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.conformance.backends import Backend, MemoryBackend, PostgresBackend


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    """A fresh, empty ledger."""
    if request.param == "memory":
        yield MemoryBackend()
        return
    dsn = request.getfixturevalue("database")
    async with AsyncExitStack() as stack:
        yield PostgresBackend(dsn, stack)
