"""What a client can name, against the log: `wallets`, `wallet_closures`, `customers`.

They decide whether a customer gets a wallet, and which one is meant; both ways are looked at.
"""

from uuid import UUID

import asyncpg

from projections.interface import Connection
from schemas.identifiers import StreamKey, hex_of, wallet_id
from services.runtime.sql import load_statement
from services.verify.report import Report
from services.verify.wallet_states import WalletState, WalletStates

_READ_WALLETS = load_statement(__file__, "read_wallets")
_PAGE_WALLETS = load_statement(__file__, "page_wallets")
_PAGE_CLOSURES = load_statement(__file__, "page_closures")
_WALLETS_PAGE = 1000
_ROWS_PAGE = 5000
_BEFORE_ALL = UUID(int=0)


class Wallets:
    """Checks `wallets`, `wallet_closures`, and of `customers` who they are named."""

    def __init__(self, connection: Connection, states: WalletStates, report: Report) -> None:
        self._connection = connection
        self._states = states
        self._opened = report.invariant("wallets by name are those that the log opened")
        self._closed = report.invariant("wallets closed are those that the log closed")
        self._only = report.invariant("a customer has one open wallet in a currency")

    async def check(self, position: int) -> None:
        """Compare every row, when the log has been read up to a position."""
        for page in self._states.pages(_WALLETS_PAGE):
            rows = await self._connection.fetch(
                _READ_WALLETS,
                [wallet.tenant_id for wallet, _ in page],
                [hex_of(wallet.stream_id) for wallet, _ in page],
            )
            for row in rows:
                wallet, state = page[row["place"] - 1]
                if state.view is not None:
                    self._check(wallet, state, row, position)
        for invariant, statement in (
            (self._opened, _PAGE_WALLETS),
            (self._closed, _PAGE_CLOSURES),
        ):
            after = (_BEFORE_ALL, _BEFORE_ALL)
            while rows := await self._connection.fetch(statement, *after, _ROWS_PAGE):
                for row in rows:
                    if not row["in_log"]:
                        invariant.fail(_stranger(row))
                after = (rows[-1]["tenant_id"], rows[-1]["wallet_id"])

    def _check(
        self, wallet: StreamKey, state: WalletState, row: asyncpg.Record, position: int
    ) -> None:
        view = state.view
        assert view is not None, "the caller has looked"
        user_id = None if row["user_id"] is None else str(row["user_id"])
        found = (row["customer_id"], user_id, row["currency"], row["position"])
        told = (view.customer_id, view.user_id, view.currency, state.opened_position)
        named = f"{wallet.stream_id} of {wallet.tenant_id}"
        self._opened.check(found == told, f"{named}: {found}, the log says {told}")
        closed_at = row["closed_position"]
        # What was closed behind the log as it was read is left to the next run.
        is_closed = closed_at is not None and closed_at <= position
        self._closed.check(
            is_closed == (view.status == "closed") and row["is_told"] is not False,
            f"{named}: closed at position {closed_at} by its row, the log says that it is "
            f"{view.status}",
        )
        if closed_at is None:
            self._only.check(
                row["others_open"] == 0,
                f"{named}: {row['customer_id']!r} has {row['others_open']} more in "
                f"{row['currency']}",
            )


def _stranger(row: asyncpg.Record) -> str:
    identifier = wallet_id(row["wallet_id"].hex)
    return f"{identifier} of {row['tenant_id']}: no event of it stands at {row['position']}"
