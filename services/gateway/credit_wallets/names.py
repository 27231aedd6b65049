"""Names: the ids that paths have. What is not spelled as an id cannot exist."""

from collections.abc import Callable

from schemas.identifiers import (
    is_hold_id,
    is_topup_id,
    is_transaction_id,
    is_transfer_id,
    is_wallet_id,
)
from services.gateway.calls import Call
from services.gateway.problems import RefusedError


def named_wallet(call: Call) -> str:
    """The wallet that the path names."""
    return _named(call, is_wallet_id, unknown_wallet)


def named_hold(call: Call) -> str:
    """The hold that the path names."""
    return _named(call, is_hold_id, unknown_hold)


def named_topup(call: Call) -> str:
    """The top-up that the path names."""
    return _named(call, is_topup_id, unknown_topup)


def named_transaction(call: Call) -> str:
    """The transaction that the path names."""
    return _named(call, is_transaction_id, unknown_transaction)


def named_transfer(call: Call) -> str:
    """The transfer that the path names."""
    return _named(call, is_transfer_id, unknown_transfer)


def _named(
    call: Call, is_spelled: Callable[[str], bool], unknown: Callable[[], RefusedError]
) -> str:
    identifier = call.parameters[0]
    if not is_spelled(identifier):
        raise unknown()
    return identifier


def unknown_wallet() -> RefusedError:
    """The 404 for a wallet that the tenant does not have."""
    return RefusedError("wallet_not_found", "there is no such wallet")


def unknown_hold() -> RefusedError:
    """The 404 for a hold that the tenant does not have."""
    return RefusedError("hold_not_found", "there is no such hold")


def unknown_topup() -> RefusedError:
    """The 404 for a top-up that the tenant does not have."""
    return RefusedError("topup_not_found", "there is no such top-up")


def unknown_transaction() -> RefusedError:
    """The 404 for a transaction that the tenant does not have."""
    return RefusedError("transaction_not_found", "there is no such transaction")


def unknown_transfer() -> RefusedError:
    """The 404 for a transfer that the tenant does not have."""
    return RefusedError("transfer_not_found", "there is no such transfer")
