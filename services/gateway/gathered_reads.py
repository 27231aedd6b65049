"""Reads of single wallets, gathered: one statement for all that arrived meanwhile.

A question never joins a statement that was sent before it arrived, so what was
acknowledged before the question is in its answer.
"""

import asyncio
from typing import Final

from projections.balances.read_model import WalletReading, read_many
from schemas.identifiers import StreamKey
from services.gateway.database import GATHERED, Database, Pool

_STATEMENTS_AT_ONCE: Final = 2
_WALLETS_PER_STATEMENT: Final = 256


class GatheredReads:
    """Gathers the questions of all requests of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[StreamKey, list[asyncio.Future[WalletReading | None]]] = {}
        self._senders: set[asyncio.Task[None]] = set()

    def read(self, wallet: StreamKey) -> asyncio.Future[WalletReading | None]:
        """The wallet as it stands from now on, with the log's newest version of it."""
        answer: asyncio.Future[WalletReading | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(wallet, []).append(answer)
        if len(self._senders) < _STATEMENTS_AT_ONCE:
            sender = asyncio.create_task(self._send_while_waiting())
            self._senders.add(sender)
        return answer

    async def _send_while_waiting(self) -> None:
        sender = asyncio.current_task()
        assert sender is not None, "it runs as a task"
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                wallets = list(waiting)
                for wallet in wallets[_WALLETS_PER_STATEMENT:]:
                    self._waiting[wallet] = waiting.pop(wallet)
                await self._send(waiting)
        finally:
            # At once: a task's callbacks run later, and who asks until then would start nobody,
            # and wait for senders that have seen that nothing is to be sent.
            self._senders.discard(sender)

    async def _send(
        self, waiting: dict[StreamKey, list[asyncio.Future[WalletReading | None]]]
    ) -> None:
        wallets = list(waiting)

        async def ask(pool: Pool) -> list[WalletReading | None]:
            return await read_many(pool, wallets)

        try:
            readings = await self._database.read(GATHERED, ask)
        except Exception as error:  # noqa: BLE001 - handed on to everyone who asked
            for answers in waiting.values():
                for answer in answers:
                    if not answer.done():
                        answer.set_exception(error)
            return
        for answers, reading in zip(waiting.values(), readings, strict=True):
            for answer in answers:
                if not answer.done():
                    answer.set_result(reading)
