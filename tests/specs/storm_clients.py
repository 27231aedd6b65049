"""The clients of a storm: each follows a random script of its own, and is careful.

They share eight wallets, so that they are in each other's way; others they open themselves, to
close them again. What is not answered clearly is asked again, as it was.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal, NamedTuple, Protocol

import aiohttp

from schemas.commands import (
    CaptureHold,
    CloseWallet,
    Command,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    UnfreezeWallet,
    VoidHold,
)
from tests.specs.storm_doors import session_of_a_client
from tests.specs.storm_journal import Journal
from tests.specs.storm_wishes import Call, Door, Told, Wish

SOON_S = 5.0
"""Within what time expiring credits and holds fall due."""
PATIENT_S = 90.0
_PAUSE_S = 0.05
_RETRY_PAUSE_S = (0.05, 0.6)
_IN_B = (CreditWallet, DebitWallet, TransferMoney)
_WEIGHTS: dict[str, int] = {
    "credit": 20,
    "lapsing credit": 8,
    "debit": 20,
    "hold": 10,
    "capture": 8,
    "void": 3,
    "transfer": 12,
    "reverse": 7,
    "freeze": 2,
    "unfreeze": 5,
    "together": 6,
    "one by one": 6,
    "as lines": 4,
    "short life": 2,
    "top-up": 6,
}
_OF_BATCHES = ("credit", "debit", "hold", "transfer", "capture", "reverse")


class Shared(NamedTuple):
    """A wallet that all clients use."""

    wallet_id: str
    user_id: str


class WaysIn(Protocol):
    """How a client reaches the ledger; what comes of it is in the journal."""

    offers: Sequence[Door]
    """The doors that there are, as often as they are to be taken."""

    async def send(self, session: aiohttp.ClientSession, call: Call, chance: Random) -> None:
        """Ask once, and wait for the answer."""

    async def hang_up(self, session: aiohttp.ClientSession, call: Call, chance: Random) -> None:
        """Ask, and do not wait for the answer."""

    async def send_half(self, call: Call, chance: Random) -> None:
        """Begin to ask."""

    async def pay(
        self,
        session: aiohttp.ClientSession,
        chance: Random,
        shown: Mapping[str, Any],
        *,
        ends_soon: bool,
    ) -> None:
        """Pay for a top-up, or do not."""

    async def look(self, session: aiohttp.ClientSession, chance: Random, wallet_id: str) -> None:
        """A GET of a wallet."""

    async def see(
        self, session: aiohttp.ClientSession, chance: Random, kind: str, named: str
    ) -> None:
        """A GET of what was acknowledged."""

    async def see_history(
        self, session: aiohttp.ClientSession, chance: Random, shown: Mapping[str, Any]
    ) -> None:
        """A GET of the history in which this transaction is."""


class Client:
    """One client with its own connections and its own chance."""

    def __init__(
        self, name: str, doors: WaysIn, journal: Journal, seed: str, soon_s: float = SOON_S
    ) -> None:
        self.name = name
        self.chance = Random(f"{seed} {name}")  # noqa: S311 - a script, not a secret
        self._doors = doors
        self._soon_s = soon_s
        self._journal = journal
        self._wallets: Sequence[Shared] = ()
        self._holds: list[str] = []
        self._transactions: list[str] = []
        self._count = 0

    async def work(self, wallets: Sequence[Shared], is_over: Callable[[], bool]) -> None:
        """Follow the script until it is over, and until what was asked for is clear."""
        self._wallets = wallets
        kinds, weights = [*_WEIGHTS], [*_WEIGHTS.values()]
        async with session_of_a_client() as session:
            while not is_over():
                (kind,) = self.chance.choices(kinds, weights)
                await self._do(session, kind)
                await asyncio.sleep(self.chance.uniform(0, _PAUSE_S))

    async def open_shared(self) -> Shared:
        """A wallet for all, with something in it."""
        async with session_of_a_client() as session:
            wish = self._wish(CreateWallet(customer_id=self._named(), currency="NGN"), always=True)
            opened = await self._ask(session, self._call([wish], "a"), forever=True)
            shown = opened[0].shown
            shared = Shared(shown["id"], shown["user_id"])
            credit = CreditWallet(wallet_id=shared.wallet_id, amount=200, reference=self._named())
            await self._ask(session, self._call([self._wish(credit)], "a"), forever=True)
        return shared

    async def _do(self, session: aiohttp.ClientSession, kind: str) -> None:
        if kind in ("together", "one by one"):
            await self._batch(session, is_atomic=kind == "together")
        elif kind == "as lines":
            await self._batch(session, is_stream=True)
        elif kind == "short life":
            await self._live_shortly(session)
        elif kind == "top-up":
            await self._top_up(session)
        else:
            of = self.chance.choice(self._wallets)
            command = self._command(kind, of.wallet_id)
            if command is not None:
                call = self._call([self._wish(command)], user=of.user_id)
                await self._look(session, of.wallet_id, await self._ask(session, call))

    async def _batch(
        self,
        session: aiohttp.ClientSession,
        *,
        is_atomic: bool = False,
        is_stream: bool = False,
    ) -> None:
        key = self._named() if is_atomic or self.chance.random() < 0.7 else None
        wishes: list[Wish] = []
        for _ in range(self.chance.randint(2, 25 if is_stream else 5)):
            kind = self.chance.choice(_OF_BATCHES)
            command = self._command(kind, self.chance.choice(self._wallets).wallet_id)
            if command is not None and (key or _names_itself(command)):
                member = None if key is None else f"{key}/{len(wishes)}"
                wishes.append(Wish(command, member))
        if wishes:
            call = Call("a", wishes, key, atomic=is_atomic, is_stream=is_stream)
            await self._ask(session, call)

    async def _top_up(self, session: aiohttp.ClientSession) -> None:
        """Ask for a payment, and mostly pay it: also when it is too late."""
        ends = self._soon() if self.chance.random() < 0.3 else None
        command = CreateTopup(
            wallet_id=self.chance.choice(self._wallets).wallet_id,
            amount=self.chance.randint(1, 30),
            redirect_url="https://shop.example/paid",
            reference=self._named(),
            expires_at=ends,
        )
        asked = await self._ask(session, self._call([self._wish(command, always=True)], "a"))
        if asked and asked[0].is_accepted and self.chance.random() < 0.9:
            shown = asked[0].shown
            await self._doors.pay(session, self.chance, shown, ends_soon=ends is not None)

    async def _live_shortly(self, session: aiohttp.ClientSession) -> None:
        """Open a wallet, use it a little, close it."""
        wish = self._wish(CreateWallet(customer_id=self._named(), currency="NGN"), always=True)
        opened = await self._ask(session, self._call([wish], _a_or_kafka(self.chance)))
        if not opened or not opened[0].is_accepted:
            return
        wallet_id = opened[0].shown["id"]
        await self._look(session, wallet_id, opened)
        for kind in self.chance.choices(("credit", "lapsing credit", "hold", "debit"), k=3):
            command = self._command(kind, wallet_id)
            assert command is not None
            await self._ask(session, self._call([self._wish(command)], "a"))
        into = TransferTo(transfer_to=self.chance.choice(self._wallets).wallet_id)
        rest: Literal["forfeit"] | TransferTo | None = self.chance.choice(("forfeit", into, None))
        close = CloseWallet(wallet_id=wallet_id, remaining_balance=rest)
        closed = await self._ask(session, self._call([self._wish(close, always=True)], "a"))
        await self._look(session, wallet_id, closed)

    def _command(self, kind: str, of: str) -> Command | None:
        chance = self.chance
        amount, reference = chance.randint(1, 30), self._named()
        soon = None
        if kind == "lapsing credit" or (kind == "hold" and chance.random() < 0.4):
            soon = self._soon()
        match kind:
            case "credit" | "lapsing credit":
                return CreditWallet(
                    wallet_id=of, amount=amount, reference=reference, expires_at=soon
                )
            case "debit":
                return DebitWallet(wallet_id=of, amount=amount, reference=reference)
            case "hold":
                return PlaceHold(wallet_id=of, amount=amount, reference=reference, expires_at=soon)
            case "transfer":
                other = chance.choice([each for each in self._wallets if each.wallet_id != of])
                return TransferMoney(
                    from_wallet_id=of,
                    to_wallet_id=other.wallet_id,
                    amount=amount,
                    reference=reference,
                )
            case "freeze":
                return FreezeWallet(wallet_id=of, scope=chance.choice(("debits", "credits", "all")))
            case "unfreeze":
                return UnfreezeWallet(wallet_id=of)
            case _:
                return self._command_on_what_was(kind, reference)

    def _soon(self) -> datetime:
        seconds = self.chance.uniform(self._soon_s / 15, self._soon_s)
        return datetime.now(UTC) + timedelta(seconds=seconds)

    def _command_on_what_was(self, kind: str, reference: str) -> Command | None:
        """A command about something that an answer has named; none if nothing was yet."""
        chance = self.chance
        named = self._transactions if kind == "reverse" else self._holds
        if not named:
            return None
        of = chance.choice(named[-6:])
        amount = chance.choice((None, chance.randint(1, 15)))
        match kind:
            case "capture":
                own = reference if chance.random() < 0.7 else None
                return CaptureHold(
                    hold_id=of, amount=amount, final=chance.random() < 0.5, reference=own
                )
            case "void":
                return VoidHold(hold_id=of)
            case _:
                return ReverseTransaction(transaction_id=of, amount=amount, reference=reference)

    def _wish(self, command: Command, *, always: bool = False) -> Wish:
        """With a key or, where a reference names it, sometimes without."""
        needs_key = always or not _names_itself(command)
        key = self._named() if needs_key or self.chance.random() < 0.6 else None
        return Wish(command, key)

    def _call(self, wishes: list[Wish], asked: Door | None = None, user: str = "") -> Call:
        (wish,) = wishes
        if asked is not None:
            door = asked
        else:
            in_b = isinstance(wish.command, _IN_B) and not _lapses(wish.command)
            offered = [each for each in self._doors.offers if each != "b" or (in_b and user)]
            door = self.chance.choice(offered)
        if door == "kafka" and wish.key is None:
            wish.key = self._named()
        return Call(door, wishes, wish.key, user=user)

    def _named(self) -> str:
        self._count += 1
        return f"{self.name}-{self._count}"

    async def _ask(
        self, session: aiohttp.ClientSession, call: Call, *, forever: bool = False
    ) -> list[Told]:
        """Ask until all of it is clear; a few give up sooner. The answers, if there are any."""
        self._journal.calls.append(call)
        tries = 1_000 if forever else self.chance.choice((1, 3, *[1_000] * 10))
        until = time.monotonic() + PATIENT_S
        while not call.is_clear and tries and time.monotonic() < until:
            tries -= 1
            await self._try(session, call)
            if not call.is_clear:
                await asyncio.sleep(self.chance.uniform(*_RETRY_PAUSE_S))
        told = [wish.told for wish in call.wishes if wish.told is not None]
        for each in told:
            self._learn_names(each)
        return told

    async def _try(self, session: aiohttp.ClientSession, call: Call) -> None:
        how = self.chance.random()
        if call.door != "kafka" and how < 0.03:
            await self._doors.hang_up(session, call, self.chance)
        elif call.door != "kafka" and how < 0.05:
            await self._doors.send_half(call, self.chance)
        elif how < 0.09:
            # A client that is too impatient: two copies at once, each to any gateway.
            await asyncio.gather(
                self._doors.send(session, call, self.chance),
                self._doors.send(session, call, self.chance),
            )
        else:
            await self._doors.send(session, call, self.chance)

    def _learn_names(self, told: Told) -> None:
        if not told.is_accepted:
            return
        shown = told.shown
        for name in ("id", "sent_transaction_id", "received_transaction_id"):
            named = str(shown.get(name, ""))
            if named.startswith("hol_") and named not in self._holds:
                self._holds.append(named)
            # A reversal is none that can be reversed.
            if named.startswith("txn_") and shown.get("reverses") is None:
                self._transactions.append(named)

    async def _look(
        self, session: aiohttp.ClientSession, wallet_id: str, told: Sequence[Told]
    ) -> None:
        """Sometimes: at the wallet, at its history, and at what was told of last."""
        for shown in (each.shown for each in told if each.is_accepted):
            is_line = str(shown.get("id", "")).startswith("txn_")
            if is_line and self.chance.random() < 0.15:
                await self._doors.see_history(session, self.chance, shown)
        if self.chance.random() < 0.5:
            await self._doors.look(session, self.chance, wallet_id)
        if self._transactions and self.chance.random() < 0.15:
            await self._doors.see(session, self.chance, "transactions", self._transactions[-1])
        if self._holds and self.chance.random() < 0.15:
            await self._doors.see(session, self.chance, "holds", self._holds[-1])


def _names_itself(command: Command) -> bool:
    return getattr(command, "reference", None) is not None


def _lapses(command: Command) -> bool:
    return getattr(command, "expires_at", None) is not None


def _a_or_kafka(chance: Random) -> Door:
    return chance.choice(("a", "kafka"))
