"""The log of a storm, told again with coins: who could do what, in the log's own order.

Each command that the log says was done, or declined, is put to naive purses; they must agree
with it on whether, and on the balances before and after. Moments are counted by their rank.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any, NamedTuple

from schemas.commands import (
    CaptureHold,
    CloseWallet,
    Command,
    CreateTopup,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    PlaceHold,
    ReverseTransaction,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)
from tests.specs.coins import FOREVER, Purse, Refused
from tests.specs.storm_wishes import wallet_into, wallet_named

LAPSES = ("wallet.credit_lapsed",)
PAYMENTS = ("wallet.topped_up", "wallet.topup_unapplied")
_SCOPES = {"debits": {"debits"}, "credits": {"credits"}, "all": {"debits", "credits"}}


class Row(NamedTuple):
    """An event as the log has it."""

    position: int
    wallet_id: str
    version: int
    event_id: str
    type: str
    data: Any
    cause: str | None
    at: datetime

    def __repr__(self) -> str:
        return f"<{self.position} {self.wallet_id} {self.version} {self.type} {self.data}>"

    @property
    def is_lapse(self) -> bool:
        """Whether time alone made it."""
        return self.type in LAPSES or self.data.get("cause") == "expired"

    @property
    def is_of_a_payer(self) -> bool:
        """Whether no client asked for it: a payment, or that none is waited for."""
        return self.type in (*PAYMENTS, "wallet.topup_ended")

    @property
    def is_decline(self) -> bool:
        """Whether it only says what was not done."""
        return self.type.endswith("_declined")


class _Movement:
    def __init__(self, coins: list[int], giver: str | None, taker: str | None) -> None:
        self.coins = coins
        self.giver = giver
        self.taker = taker
        self.undone = 0


class Purses:
    """All wallets as purses. `moments` are all those at which anything happens or falls due."""

    def __init__(self, moments: Sequence[datetime]) -> None:
        self._ranks = {moment: rank for rank, moment in enumerate(sorted(set(moments)))}
        assert len(self._ranks) < FOREVER
        self.of: dict[str, Purse] = {}
        self._movements: dict[str, _Movement] = {}
        self._wallet_of_hold: dict[str, str] = {}

    def rank(self, moment: datetime | None) -> int:
        """The moment's place among all."""
        return FOREVER if moment is None else self._ranks[moment]

    def live(self, wallet_id: str, at: datetime) -> Purse:
        """The wallet's purse at a moment, all that was due having lapsed in its order."""
        purse, today = self.of[wallet_id], self.rank(at)
        while (due := min([*purse.loose, *purse.ends.values()], default=FOREVER)) <= today:
            purse.live(due)
        return purse

    def copied(self) -> "Purses":
        """The same, to try something on."""
        return deepcopy(self)

    def knows(self, command: Command) -> bool:
        """Whether all that the command is about was there, so far as the coins can tell."""
        match command:
            case ReverseTransaction() if command.transaction_id not in self._movements:
                return False
            case CaptureHold() | VoidHold() if command.hold_id not in self._wallet_of_hold:
                return False
            case _:
                return all(each in self.of for each in self.wallets_of(command))

    def wallets_of(self, command: Command) -> list[str]:
        """The wallets that a command is about, the one that decides first."""
        match command:
            case TransferMoney():
                return [command.from_wallet_id, command.to_wallet_id]
            case ReverseTransaction():
                movement = self._movements[command.transaction_id]
                return [each for each in (movement.taker, movement.giver) if each is not None]
            case CloseWallet():
                into = wallet_into(command)
                return [command.wallet_id, *([into] if into else [])]
            case CaptureHold() | VoidHold():
                return [self._wallet_of_hold[command.hold_id]]
            case _:
                wallet_id = wallet_named(command)
                return [wallet_id] if wallet_id else []

    def refuses(self, command: Command, at: datetime) -> Refused | None:
        """Why the purses would not do it."""
        purses = [self.live(wallet_id, at) for wallet_id in self.wallets_of(command)]
        match command:
            case CreditWallet() | CreateTopup():
                return purses[0].refuses("credits")
            case DebitWallet() | PlaceHold():
                return purses[0].refuses_to_give(command.amount)
            case TransferMoney():
                return purses[0].refuses_to_give(command.amount) or purses[1].refuses("credits")
            case CaptureHold():
                return self._refuses_capture(command, purses[0])
            case ReverseTransaction():
                return self._refuses_reversal(command)
            case CloseWallet():
                return self._refuses_close(command, purses, at)
            case VoidHold():
                if purses[0].closed:
                    return "wallet_closed"
                return None if command.hold_id in purses[0].aside else "hold_not_open"
            case _:
                return "wallet_closed" if purses and purses[0].closed else None

    def _refuses_capture(self, command: CaptureHold, purse: Purse) -> Refused | None:
        if purse.closed:
            return "wallet_closed"
        if command.hold_id not in purse.aside:
            return "hold_not_open"
        if "debits" in purse.stopped:
            return "wallet_frozen"
        held = len(purse.aside[command.hold_id])
        return "capture_exceeds_hold" if (command.amount or held) > held else None

    def _refuses_reversal(self, command: ReverseTransaction) -> Refused | None:
        movement = self._movements[command.transaction_id]
        left = len(movement.coins) - movement.undone
        count = command.amount or left or len(movement.coins)
        if count > left:
            return "reversal_exceeds_transaction"
        giver, taker = self._ends(movement)
        refused = giver.refuses("credits") if giver is not None else None
        return refused or (taker.refuses_to_give(count) if taker is not None else None)

    def _ends(self, movement: _Movement) -> tuple[Purse | None, Purse | None]:
        giver = self.of[movement.giver] if movement.giver else None
        return giver, self.of[movement.taker] if movement.taker else None

    def _refuses_close(
        self, command: CloseWallet, purses: Sequence[Purse], at: datetime
    ) -> Refused | None:
        emptied = self._emptied(purses[0], at)
        if not emptied.booked or emptied.closed:
            return None
        if command.remaining_balance is None or emptied.booked < 0:
            return "wallet_not_empty"
        if emptied.stopped:
            return "wallet_frozen"
        return purses[1].refuses("credits") if len(purses) > 1 else None

    def _emptied(self, purse: Purse, at: datetime) -> Purse:
        emptied = deepcopy(purse)
        for name in list(emptied.aside):
            emptied.release(name)
        emptied.live(self.rank(at))
        return emptied

    def do(self, command: Command, at: datetime, names: Mapping[str, str]) -> None:
        """Do what is not refused. `names` are the ids of what it makes, by the event's type.

        Coins that come back after their moment lapse with the next look at the wallet.
        """
        purses = [self.live(wallet_id, at) for wallet_id in self.wallets_of(command)]
        match command:
            case CreateTopup():
                pass
            case CreditWallet():
                coins = [self.rank(command.expires_at)] * command.amount
                purses[0].put(coins)
                self._moved(coins, None, command.wallet_id, names)
            case DebitWallet():
                self._moved(purses[0].give(command.amount), command.wallet_id, None, names)
            case PlaceHold():
                (hold_id,) = names.values()
                purses[0].set_aside(hold_id, command.amount, self.rank(command.expires_at))
                self._wallet_of_hold[hold_id] = command.wallet_id
            case CaptureHold() | VoidHold():
                self._settle(command, purses[0], names)
            case TransferMoney():
                coins = purses[0].give(command.amount)
                purses[1].put(coins)
                self._moved(coins, command.from_wallet_id, command.to_wallet_id, names)
            case ReverseTransaction():
                self._undo(command)
            case CloseWallet():
                self._close(command, purses, at)
            case FreezeWallet() | UnfreezeWallet():
                more = _SCOPES[command.scope] if isinstance(command, FreezeWallet) else None
                purses[0].stopped = set() if more is None else purses[0].stopped | more
            case _:
                raise AssertionError(f"nobody asks for {command}")

    def top_up(self, wallet_id: str, amount: int) -> None:
        """A payment comes in."""
        self.of[wallet_id].put([FOREVER] * amount)

    def _settle(
        self,
        command: CaptureHold | VoidHold,
        purse: Purse,
        names: Mapping[str, str],
    ) -> None:
        wallet_id = self._wallet_of_hold[command.hold_id]
        if isinstance(command, VoidHold):
            purse.release(command.hold_id)
        else:
            count = command.amount or len(purse.aside[command.hold_id])
            spent = purse.capture(command.hold_id, count, final=command.final)
            self._moved(spent, wallet_id, None, names)

    def _moved(
        self, coins: list[int], giver: str | None, taker: str | None, names: Mapping[str, str]
    ) -> None:
        movement = _Movement(coins, giver, taker)
        for name in names.values():
            self._movements[name] = movement

    def _undo(self, command: ReverseTransaction) -> None:
        movement = self._movements[command.transaction_id]
        end = len(movement.coins) - movement.undone
        count = command.amount or end
        going = movement.coins[end - count : end]
        movement.undone += count
        giver, taker = self._ends(movement)
        if taker is not None:
            taker.give_back(going, movement.coins, count)
        if giver is not None:
            giver.put(going)

    def _close(self, command: CloseWallet, purses: Sequence[Purse], at: datetime) -> None:
        if len(purses) > 1:
            purses[1].put(self._emptied(purses[0], at).loose)
        closed = Purse()
        closed.closed = True
        self.of[command.wallet_id] = closed
