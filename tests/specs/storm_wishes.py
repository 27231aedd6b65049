"""What the clients of a storm ask for, how each API spells it, and what they were told of it.

A wish is one command. A call asks for one wish, or for several in a batch, and is repeated as
it is until the answer is clear, or until its client has enough.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec

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
from services.gateway.baas.failures import FAILURES
from services.gateway.baas.identifiers import uuid_of

Door = Literal["a", "b", "kafka"]
CODES_OF_B: Final = {failure.message: code for code, failure in FAILURES.items()}
NOTHING_HAPPENED: Final = frozenset({"overloaded", "ledger_unavailable", "stopping"})
"""What a 503 says that leaves no doubt."""
FREEZES_NOTHING: Final = frozenset({"expiry_not_ahead"})
"""Refusals that a storm may come to, and of which the log has no record."""
_TYPES: Final = {
    "create_wallet": "create",
    "credit_wallet": "credit",
    "debit_wallet": "debit",
    "freeze_wallet": "freeze",
    "unfreeze_wallet": "unfreeze",
    "close_wallet": "close",
    "place_hold": "hold",
    "capture_hold": "capture",
    "void_hold": "void",
    "transfer_money": "transfer",
    "reverse_transaction": "reverse",
}


class Told(NamedTuple):
    """A clear answer about one wish. `at` is when it was there, on the test's own clock."""

    status: int
    body: bytes
    version: int | None
    is_replayed: bool
    at: float

    @property
    def shown(self) -> dict[str, Any]:
        """The thing that an accepted wish has made or changed, as it was shown."""
        read = msgspec.json.decode(self.body)
        members = ("transaction", "hold", "transfer", "topup", "wallet")
        return next((read[name] for name in members if read.get(name)), read)

    @property
    def is_accepted(self) -> bool:
        """Whether it was done."""
        return self.status < 400


class Wish:
    """One command, and what was told of it. Without a key its reference alone names it."""

    def __init__(self, command: Command, key: str | None) -> None:
        self.command = command
        self.key = key
        self.began = float("inf")
        self.doubts = 0
        """How many tries may have had an effect that nobody told of."""
        self.answers: list[Told] = []
        """The clear ones; the first is what its client goes by."""

    def __repr__(self) -> str:
        told = [f"{each.status} {each.body.decode()[:200]}" for each in self.answers[:2]]
        doubts = f", {self.doubts} doubts" if self.doubts else ""
        return f"<{self.key or self.reference}{doubts} {self.command} {told}>"

    @property
    def told(self) -> Told | None:
        """The first clear answer."""
        return self.answers[0] if self.answers else None

    @property
    def reference(self) -> str | None:
        """The client's name for the movement."""
        return cast("str | None", getattr(self.command, "reference", None))


class Call(NamedTuple):
    """Wishes that are asked for in one call. `user` is whose wallet it is, as API B has it."""

    door: Door
    wishes: Sequence[Wish]
    key: str | None
    atomic: bool | None = None
    """Of a batch; None where the call is the wish's own."""
    user: str = ""
    is_stream: bool = False
    """Whether the batch, none of all or none, goes as lines, each answered by itself."""

    @property
    def is_clear(self) -> bool:
        """Whether each wish has its answer."""
        return all(wish.answers for wish in self.wishes)


class Spelled(NamedTuple):
    """A call as HTTP has it; `path` includes the API's."""

    path: str
    body: bytes
    content_type: str = "application/json"


class Unclear(NamedTuple):
    """A 503: its code, and whether it says when to come again."""

    code: str
    has_retry_after: bool


def spelled(call: Call) -> Spelled:
    """The call's path and body."""
    if call.atomic is not None:
        members = [_member(wish.command) for wish in call.wishes]
        if call.is_stream:
            lines = msgspec.json.Encoder().encode_lines(members)
            return Spelled("/v1/batch", lines, "application/x-ndjson")
        return _spelled("/v1/batch", {"atomic": call.atomic, "commands": members})
    (wish,) = call.wishes
    if call.door == "b":
        return _spelled_in_b(wish.command, call.user)
    path, body = _spelled_in_a(wish.command)
    return _spelled("/v1" + path, body)


def _spelled(path: str, body: object) -> Spelled:
    return Spelled(path, msgspec.json.encode(body))


def _member(command: Command) -> dict[str, object]:
    """As a member of a batch: the body of its own call, with the ids of its path."""
    _, body = _spelled_in_a(command)
    members = _members(command)
    ids = {name: members[name] for name in ("wallet_id", "hold_id", "transaction_id")}
    named = {name: value for name, value in ids.items() if value is not None}
    return {"type": _TYPES[str(command.__struct_config__.tag)], **named, **body}


def _members(command: Command) -> dict[str, object]:
    none = dict.fromkeys(("wallet_id", "hold_id", "transaction_id"))
    return none | msgspec.structs.asdict(command)


def _spelled_in_a(command: Command) -> tuple[str, dict[str, object]]:
    asked = {
        name: value
        for name, value in msgspec.structs.asdict(command).items()
        if name not in ("wallet_id", "hold_id", "transaction_id", "metadata") and value is not None
    }
    match command:
        case CreateWallet():
            return "/wallets", asked
        case CreditWallet() | DebitWallet() | FreezeWallet() | UnfreezeWallet() | CloseWallet():
            doing = _TYPES[str(command.__struct_config__.tag)]
            return f"/wallets/{command.wallet_id}/{doing}", asked
        case PlaceHold():
            return f"/wallets/{command.wallet_id}/holds", asked
        case CreateTopup():
            return f"/wallets/{command.wallet_id}/topups", asked
        case CaptureHold():
            return f"/holds/{command.hold_id}/capture", asked
        case VoidHold():
            return f"/holds/{command.hold_id}/void", asked
        case ReverseTransaction():
            return f"/transactions/{command.transaction_id}/reverse", asked
        case TransferMoney():
            ends = {"from": asked.pop("from_wallet_id"), "to": asked.pop("to_wallet_id")}
            return "/transfers", ends | asked
        case _:
            raise AssertionError(f"nobody asks for {command}")


def _spelled_in_b(command: Command, user: str) -> Spelled:
    match command:
        case CreditWallet() | DebitWallet():
            body: dict[str, object] = {"customer_id": user, "reference": command.reference}
            path = f"/baas/v1/wallets/{_TYPES[str(command.__struct_config__.tag)]}"
        case TransferMoney():
            body = {
                "from_wallet_id": uuid_of(command.from_wallet_id),
                "to_wallet_id": uuid_of(command.to_wallet_id),
                "reference": command.reference,
            }
            path = "/baas/v1/wallets/transfer/bank"
        case _:
            raise AssertionError(f"API B has no {command}")
    return _spelled(path, body | {"amount": msgspec.Raw(b"%d.%02d" % divmod(command.amount, 100))})


def wallet_named(command: Command) -> str | None:
    """The wallet whose stream an answer's version is of, where the command says it."""
    return cast("str | None", getattr(command, "wallet_id", None))


def wallet_into(command: Command) -> str | None:
    """The wallet that gets the rest of a closed one."""
    if isinstance(command, CloseWallet) and isinstance(command.remaining_balance, TransferTo):
        return command.remaining_balance.transfer_to
    return None


def read_answer(
    call: Call, status: int, headers: Any, body: bytes, at: float
) -> list[Told | Unclear]:
    """What an answer says of each wish, in order."""
    is_replayed = headers.get("Idempotent-Replayed") == "true"
    version = int(headers["ETag"].strip('"')) if "ETag" in headers else None
    if status == 503:
        unclear = Unclear(_code(body), "Retry-After" in headers)
        return [unclear] * len(call.wishes)
    if call.is_stream and status == 200:
        return _read_lines(call, body, at)
    shown = None if call.atomic is None else msgspec.json.decode(body, type=_BatchShown)
    if shown is None or len(shown.results) != len(call.wishes):
        return [Told(status, body, version, is_replayed, at)] * len(call.wishes)
    return [_read_member(each, at) for each in shown.results]


def _read_lines(call: Call, body: bytes, at: float) -> list[Told | Unclear]:
    """The results that have come; of a wish without one nobody knows, unless the last says so."""
    whole, _, _ = body.rpartition(b"\n")
    results = msgspec.json.Decoder(_MemberShown).decode_lines(whole)
    found = [_read_member(each, at) for each in results]
    rest = Unclear("outcome_unknown", has_retry_after=True)
    if found and isinstance(found[-1], Unclear) and found[-1].code == "stopping":
        rest = found[-1]
    # A gateway that stops may say so behind the last line.
    return [*found, *[rest] * len(call.wishes)][: len(call.wishes)]


def _read_member(shown: "_MemberShown", at: float) -> Told | Unclear:
    own = bytes(shown.body)
    if shown.status == 503:
        # A member has no headers of its own.
        return Unclear(_code(own), has_retry_after=True)
    return Told(shown.status, own, None, shown.replayed, at)


def code_of(told: Told) -> str | None:
    """Why it was refused, in the words of API A; None where it was done."""
    return None if told.is_accepted else _code(told.body)


def _code(body: bytes) -> str:
    """From a problem of API A, from a result of Kafka's, or from an envelope of API B."""
    shown = msgspec.json.decode(body)
    if "rejection" in shown:
        return str(shown["rejection"]["code"])
    if "code" in shown:
        return str(shown["code"])
    return str(CODES_OF_B.get(shown["message"], shown["message"]))


class _MemberShown(msgspec.Struct):
    status: int
    replayed: bool
    body: msgspec.Raw


class _BatchShown(msgspec.Struct):
    results: list[_MemberShown] = []
