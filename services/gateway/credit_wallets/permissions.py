"""Permissions: commands that need a scope of their own, beside the scope of the call. Pure."""

from schemas.commands import Command, ReverseTransaction, TransferMoney
from services.gateway.problems import RefusedError
from services.gateway.scopes import ADMIN, TRANSFER


def check_permitted(command: Command, scopes: frozenset[str]) -> None:
    """Raise 403 `forbidden` where the scopes do not allow the command.

    It is asked when all fields have been read, and before anything is looked for: 422, 403, 404.
    """
    match command:
        case TransferMoney() if TRANSFER not in scopes:
            raise RefusedError("forbidden", f"the credentials lack the scope {TRANSFER}")
        case ReverseTransaction(allow_negative=True) if ADMIN not in scopes:
            raise RefusedError("forbidden", f"needs the scope {ADMIN}", param="allow_negative")
        case _:
            return
