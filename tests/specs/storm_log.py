"""The log after a storm, read as plain rows, and which of them each wish has made."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.commands import (
    CaptureHold,
    CloseWallet,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    PlaceHold,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)
from schemas.identifiers import wallet_id
from tests.specs.running_stack import RunningStack
from tests.specs.storm_purses import Row
from tests.specs.storm_wishes import Wish, wallet_into

_EVENTS: Final = """
SELECT position, stream_id, version, event_id, type, data::text, metadata::text, recorded_at
FROM events WHERE tenant_id = $1 AND stream_id <> tenant_id ORDER BY position
"""
_MAKES: Final[dict[type, tuple[str, ...]]] = {
    CreateWallet: ("wallet.opened",),
    CreditWallet: ("wallet.credited",),
    DebitWallet: ("wallet.debited",),
    PlaceHold: ("wallet.hold_placed",),
    CreateTopup: ("wallet.topup_created",),
    CaptureHold: ("wallet.hold_captured",),
    VoidHold: ("wallet.hold_released",),
    TransferMoney: ("wallet.transfer_sent", "wallet.transfer_received"),
}
_REVERSED: Final = ("wallet.credit_reversed", "wallet.debit_reversed")


class Effects(NamedTuple):
    """What the log has of a wish."""

    done: list[Row]
    declined: list[Row]


async def rows_of(stack: RunningStack) -> list[Row]:
    """The wallets' events, in the log's order."""
    found = await stack.fetch(_EVENTS, stack.sandbox["TENANT_ID"])
    return [
        Row(
            position=row["position"],
            wallet_id=wallet_id(row["stream_id"].hex),
            version=row["version"],
            event_id=row["event_id"].hex,
            type=row["type"],
            data=msgspec.json.decode(row["data"]),
            cause=msgspec.json.decode(row["metadata"]).get("causation_id"),
            at=row["recorded_at"],
        )
        for row in found
    ]


class Index:
    """Which rows belong to which wish: by its key, or else by its reference."""

    def __init__(self, rows: Sequence[Row], wishes: Sequence[Wish]) -> None:
        by_name: defaultdict[tuple[str | None, str | None], list[Row]] = defaultdict(list)
        for row in rows:
            if not row.is_lapse and not row.is_of_a_payer:
                reference = None if row.cause else row.data.get("reference")
                by_name[row.cause, reference].append(row)
        self.effects: dict[int, Effects] = {}
        self.wish_of: dict[int, Wish] = {}
        """By position."""
        for wish in wishes:
            name = (wish.key, None if wish.key else wish.reference)
            found = by_name.pop(name, [])
            declined = [row for row in found if row.is_decline]
            self.effects[id(wish)] = Effects([row for row in found if not row.is_decline], declined)
            self.wish_of |= {row.position: wish for row in found}
        self.strangers = [row for found in by_name.values() for row in found]
        """Rows that nobody has asked for."""

    def of(self, wish: Wish) -> Effects:
        """What the log has of this one."""
        return self.effects[id(wish)]


def is_one_effect(wish: Wish, done: Sequence[Row]) -> bool:
    """Whether these are what doing the wish once makes, no more and no less."""
    types = Counter(row.type for row in done)
    match wish.command:
        case FreezeWallet():
            return types == {"wallet.frozen": 1}
        case UnfreezeWallet():
            return types == {"wallet.unfrozen": 1}
        case CloseWallet():
            holds = types.pop("wallet.hold_released", 0)
            rest = types - Counter(["wallet.closed"])
            moved = ["wallet.transfer_sent", "wallet.transfer_received"]
            of_rest: list[Counter[str]] = [Counter(), Counter(["wallet.balance_forfeited"])]
            if wallet_into(wish.command):
                of_rest = [Counter(), Counter(moved)]
            return types["wallet.closed"] == 1 and rest in of_rest and holds >= 0
        case command if type(command) in _MAKES:
            return types == Counter(_MAKES[type(command)])
        case _:
            return (
                len(done) > 0
                and all(types[name] <= 1 for name in types)
                and all(name in _REVERSED for name in types)
            )


def names_made(done: Sequence[Row]) -> dict[str, str]:
    """The ids of what the rows have made, by the rows' types."""
    prefixes = {"wallet.hold_placed": "hol_", "wallet.topup_created": "top_"}
    return {row.type: prefixes.get(row.type, "txn_") + row.event_id for row in done}
