"""Bodies of the calls that move money: read into what is wished, or refused with a 400. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Raw, Struct

from ledger.command_handling.gate import MemberNames, metadata_problem, text_problem
from schemas.commands import NO_METADATA
from services.gateway.baas.amounts import CURRENCY, AmountProblem, minor_of
from services.gateway.baas.field_reader import FieldReader, ValueRefusedError, sure
from services.gateway.baas.identifiers import canonical_uuid
from services.gateway.fields import ABSENT, MAX_DESCRIPTION_CHARACTERS, MAX_NAME_CHARACTERS
from services.gateway.json_objects import characters_of, members_of

_MOVEMENT: Final = MemberNames(("customer_id", "amount", "reference", "metadata"))
_TRANSFER: Final = MemberNames(
    ("from_wallet_id", "to_wallet_id", "amount", "narration", "reference", "metadata")
)


class MovementWish(Struct, frozen=True, kw_only=True):
    """A credit or a debit of a customer's wallet; `amount` in minor units."""

    customer_id: str
    amount: int
    reference: str | None
    metadata: Raw


class TransferWish(Struct, frozen=True, kw_only=True):
    """Money from one wallet to another; the wallets as UUIDs in lower case."""

    from_wallet_id: str
    to_wallet_id: str
    amount: int
    narration: str
    reference: str | None
    metadata: Raw


def read_movement(body: bytes) -> MovementWish:
    """The body of `POST /wallets/credit` and `/wallets/debit`."""
    reader, characters = _opened(body, _MOVEMENT)
    amount = reader.read("amount", _amount(characters))
    customer_id = reader.read("customer_id", _uuid)
    reference = _reference(reader)
    metadata = _metadata(reader, characters)
    reader.finish()
    return MovementWish(
        customer_id=sure(customer_id),
        amount=sure(amount),
        reference=reference,
        metadata=sure(metadata),
    )


def read_transfer(body: bytes) -> TransferWish:
    """The body of `POST /wallets/transfer/bank`."""
    reader, characters = _opened(body, _TRANSFER)
    amount = reader.read("amount", _amount(characters))
    sender = reader.read("from_wallet_id", _uuid)
    receiver = reader.read("to_wallet_id", _uuid)
    narration = reader.read("narration", _text(0, MAX_DESCRIPTION_CHARACTERS), default="")
    reference = _reference(reader)
    metadata = _metadata(reader, characters)
    reader.finish()
    return TransferWish(
        from_wallet_id=sure(sender),
        to_wallet_id=sure(receiver),
        amount=sure(amount),
        narration=sure(narration),
        reference=reference,
        metadata=sure(metadata),
    )


def _opened(body: bytes, names: MemberNames) -> tuple[FieldReader, Mapping[str, Raw]]:
    return FieldReader(members_of(body, names)), characters_of(body)


def _amount(characters: Mapping[str, Raw]) -> Callable[[object], int]:
    def read(value: object) -> int:
        number = None if value is ABSENT else bytes(characters["amount"])
        found = minor_of(number, CURRENCY)
        if isinstance(found, AmountProblem):
            raise ValueRefusedError(found.code, found.detail)
        return found

    return read


def _uuid(value: object) -> str:
    if value is ABSENT or value is None:
        raise ValueRefusedError("missing", "is required")
    if not isinstance(value, str):
        raise ValueRefusedError("wrong_type", "must be a string")
    uuid = canonical_uuid(value)
    if uuid is None:
        raise ValueRefusedError("invalid_id", "must be a UUID")
    return uuid


def _text(least: int, most: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise ValueRefusedError("wrong_type", "must be a string")
        if len(value) < least:
            raise ValueRefusedError("too_short", "must not be empty")
        if len(value) > most:
            raise ValueRefusedError("too_long", f"must not be longer than {most} characters")
        if (what := text_problem(value)) is not None:
            raise ValueRefusedError("invalid_text", what)
        return value

    return read


def _reference(reader: FieldReader) -> str | None:
    if not reader.has("reference"):
        return None
    return reader.read("reference", _text(1, MAX_NAME_CHARACTERS))


def _metadata(reader: FieldReader, characters: Mapping[str, Raw]) -> Raw | None:
    def read(value: object) -> Raw:
        if not isinstance(value, dict):
            raise ValueRefusedError("wrong_type", "must be an object")
        metadata = characters["metadata"]
        if (what := metadata_problem(bytes(metadata))) is not None:
            raise ValueRefusedError("invalid_metadata", what)
        # A copy: what was read is a part of the body.
        return metadata.copy()

    return reader.read("metadata", read, default=NO_METADATA)
