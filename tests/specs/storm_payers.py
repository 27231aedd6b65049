"""Who pays for the top-ups of a storm, and what the payment provider has taken in the end.

A payer has a page and a card, clicks twice, changes their mind, or gives up. Whether money was
taken is what the provider's own memory says.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import aiohttp

from tests.specs.shop import CARDS
from tests.specs.storm_journal import Journal, Payment

_TRIES = 20
_PAUSE_S = (0.1, 0.8)
_CARDS = {"good": 5, "duplicate": 2, "forged": 2, "slow": 1, "declined": 1}
_LATE = {"late": 2}
"""Told of when the top-up is over, which may be paid for half an hour."""
_AT_THE_PROVIDER = "/pay/"
_PAID = "SELECT payment_id, topup_id, amount FROM sessions WHERE status = 'paid'"
_WAITING = "SELECT count(*) FROM callbacks WHERE settled_at IS NULL"


class Payer:
    """Somebody before the hosted checkout at this URL."""

    def __init__(self, url: str, journal: Journal) -> None:
        self._url = url
        self._journal = journal

    async def pay(
        self, session: aiohttp.ClientSession, chance: Random, topup_id: str, *, ends_soon: bool
    ) -> None:
        """Pay, or cancel, or do both in two tabs."""
        cards = _CARDS | (_LATE if ends_soon else {})
        (card,) = chance.choices([*cards], [*cards.values()])
        how = chance.random()
        if how < 0.1:
            await self._cancel(session, chance, topup_id)
        elif how < 0.2:
            await asyncio.gather(
                self._pay(session, chance, topup_id, card), self._cancel(session, chance, topup_id)
            )
        else:
            await self._pay(session, chance, topup_id, card)

    async def _pay(
        self, session: aiohttp.ClientSession, chance: Random, topup_id: str, card: str
    ) -> None:
        page = await self._led_to(session, chance, f"{self._url}/checkout/{topup_id}/pay", {})
        if page is None or _AT_THE_PROVIDER not in page:
            return
        click = (session, chance, f"{page}/pay", {"card": CARDS[card]})
        clicks = 2 if chance.random() < 0.2 else 1
        await asyncio.gather(*(self._led_to(*click) for _ in range(clicks)))

    async def _cancel(self, session: aiohttp.ClientSession, chance: Random, topup_id: str) -> None:
        await self._led_to(session, chance, f"{self._url}/checkout/{topup_id}/cancel", {})

    async def _led_to(
        self, session: aiohttp.ClientSession, chance: Random, url: str, form: dict[str, str]
    ) -> str | None:
        """Where a form leads; none for who gives up."""
        for _ in range(_TRIES):
            try:
                async with session.post(url, data=form, allow_redirects=False) as answer:
                    if answer.status == 303:
                        return answer.headers["Location"]
                    if answer.status != 503:
                        text = await answer.text()
                        self._journal.wrong.append(f"{url}: {answer.status} {text[:500]}")
                        return None
            except (aiohttp.ClientError, TimeoutError, OSError):
                self._journal.counts["a payer tries again"] += 1
            await asyncio.sleep(chance.uniform(*_PAUSE_S))
        return None


class Provider(NamedTuple):
    """What the sandbox provider remembers."""

    payments: list[Payment]
    waiting: int
    """Callbacks that nobody has taken yet."""


def provider_of(home: Path) -> Provider:
    """Read it from the provider's file under LEDGER_HOME."""
    path = home / "sandbox-provider" / "sessions.sqlite"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        paid: list[Any] = connection.execute(_PAID).fetchall()
        ((waiting,),) = connection.execute(_WAITING).fetchall()
    return Provider([Payment(*row) for row in paid], waiting)
