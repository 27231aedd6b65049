"""The command that lets lapse what is due in a wallet, as a Kafka message. Pure.

Its id follows from the wallet and the moment. So however many schedulers ask, and however
often, the command has one effect.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from projections.balances.read_model import DueWallet
from schemas.commands import ExpireDue

SOURCE = "/ledger/scheduler"
"""Who sends these commands; as with every command over Kafka, the message's own claim."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PATIENCE = timedelta(minutes=1)

_TYPE = f"ledger.command.{ExpireDue.__struct_config__.tag}.v1".encode()
_encode = msgspec.json.Encoder().encode


class DueCommand(NamedTuple):
    """A command, ready to be sent."""

    command_id: str
    due_at: datetime
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


def command_of(due: DueWallet, now: datetime) -> DueCommand:
    """The command for a wallet in which something is due at `now`."""
    wallet = due.wallet
    command_id = _command_id(due, now)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", command_id.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", _TYPE),
        ("ce_tenantid", wallet.tenant_id.encode()),
        ("content-type", b"application/json"),
    ]
    key = wallet.stream_id.encode()
    value = _encode(ExpireDue(wallet_id=wallet.stream_id))
    return DueCommand(command_id, due.due_at, key, value, headers)


def _command_id(due: DueWallet, now: datetime) -> str:
    """The same for whoever asks within the first minute; then for twice as long, and so on.

    A command id freezes what was decided. Were there only one, a command that came before
    its moment, by a clock that was set back, would be the last about it.
    """
    moment = (due.due_at - _EPOCH) // _MICROSECOND
    command_id = f"expire-due/{due.wallet.stream_id}/{moment}"
    repetition = max((now - due.due_at) // _PATIENCE, 0).bit_length()
    return f"{command_id}/{repetition}" if repetition else command_id
