"""The routes of the Credit Wallets API, with the scope that each of them needs."""

import asyncio
from collections.abc import Callable
from typing import get_args

from ledger.command_handling.processor import CommandProcessor
from ledger.tenants import Environment
from projections.balances.holds import HOLDS
from projections.balances.topups import TOPUPS
from schemas.results import HoldStatus, TopupStatus, TopupView
from services.gateway.calls import Call
from services.gateway.credit_wallets.batch_commands import BatchCommands
from services.gateway.credit_wallets.commands import WalletCommands
from services.gateway.credit_wallets.hold_commands import HoldCommands
from services.gateway.credit_wallets.movement_queries import MovementQueries
from services.gateway.credit_wallets.names import (
    named_hold,
    named_topup,
    unknown_hold,
    unknown_topup,
)
from services.gateway.credit_wallets.part_queries import PartQueries
from services.gateway.credit_wallets.queries import WalletQueries
from services.gateway.credit_wallets.rendering import render_hold, render_topup
from services.gateway.credit_wallets.review_commands import ReviewCommands
from services.gateway.credit_wallets.review_queries import ReviewQueries
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.credit_wallets.topup_commands import TopupCommands
from services.gateway.credit_wallets.transfer_commands import TransferCommands
from services.gateway.reads import Reads
from services.gateway.routing import RouteTable
from services.gateway.scopes import ADMIN, READ, TRANSFER, WRITE
from services.gateway.topup_door import TopupDoor


def add_credit_wallets(
    routes: RouteTable[Call],
    processor: CommandProcessor,
    reads: Reads,
    *,
    door: TopupDoor,
    reviews: ReviewQueries,
    stopping: asyncio.Event,
    bank_code_of: Callable[[Environment], str],
) -> None:
    """Add every route of the dialect. `stopping` is set when no more is to be taken in."""
    settlement = Settlement(processor)
    _add_wallets(routes, WalletCommands(settlement), WalletQueries(reads))
    _add_reviews(routes, ReviewCommands(settlement, bank_code_of), reviews)
    _add_holds(routes, HoldCommands(settlement), reads)
    _add_topups(routes, TopupCommands(settlement, door), reads, door)
    routes.add("POST", "/v1/batch", BatchCommands(settlement, stopping).batch, scope=WRITE)
    transfers, queries = TransferCommands(settlement), MovementQueries(reads)
    routes.add("POST", "/v1/transfers", transfers.transfer, scope=TRANSFER)
    routes.add("GET", "/v1/transfers/*", queries.transfer, scope=READ)
    routes.add("GET", "/v1/transactions/*", queries.transaction, scope=READ)
    routes.add("POST", "/v1/transactions/*/reverse", transfers.reverse, scope=WRITE)


def _add_wallets(
    routes: RouteTable[Call], commands: WalletCommands, queries: WalletQueries
) -> None:
    routes.add("POST", "/v1/wallets", commands.create, scope=WRITE)
    routes.add("GET", "/v1/wallets", queries.wallets, scope=READ)
    routes.add("GET", "/v1/wallets/*", queries.wallet, scope=READ)
    routes.add("GET", "/v1/wallets/*/transactions", queries.transactions, scope=READ)
    routes.add("POST", "/v1/wallets/*/debit", commands.debit, scope=WRITE)
    routes.add("POST", "/v1/wallets/*/credit", commands.credit, scope=WRITE)
    routes.add("POST", "/v1/wallets/*/freeze", commands.freeze, scope=WRITE)
    routes.add("POST", "/v1/wallets/*/unfreeze", commands.unfreeze, scope=WRITE)
    routes.add("POST", "/v1/wallets/*/close", commands.close, scope=WRITE)


def _add_reviews(
    routes: RouteTable[Call], commands: ReviewCommands, queries: ReviewQueries
) -> None:
    routes.add("POST", "/v1/wallets/*/review", commands.review, scope=ADMIN)
    routes.add("GET", "/v1/reviews/*", queries.review, scope=ADMIN)
    routes.add("GET", "/v1/reviews/*/utility-bill", queries.utility_bill, scope=ADMIN)


def _add_holds(routes: RouteTable[Call], commands: HoldCommands, reads: Reads) -> None:
    queries = PartQueries(
        reads,
        HOLDS,
        render_hold,
        statuses=get_args(HoldStatus),
        named=named_hold,
        unknown=unknown_hold,
    )
    routes.add("POST", "/v1/wallets/*/holds", commands.place, scope=WRITE)
    routes.add("GET", "/v1/wallets/*/holds", queries.of_wallet, scope=READ)
    routes.add("GET", "/v1/holds/*", queries.one, scope=READ)
    routes.add("POST", "/v1/holds/*/capture", commands.capture, scope=WRITE)
    routes.add("POST", "/v1/holds/*/void", commands.void, scope=WRITE)


def _add_topups(
    routes: RouteTable[Call], commands: TopupCommands, reads: Reads, door: TopupDoor
) -> None:
    def render(view: TopupView) -> bytes:
        return render_topup(view, door.checkout_url(view.id))

    queries = PartQueries(
        reads,
        TOPUPS,
        render,
        statuses=get_args(TopupStatus),
        named=named_topup,
        unknown=unknown_topup,
    )
    routes.add("POST", "/v1/wallets/*/topups", commands.create, scope=WRITE)
    routes.add("GET", "/v1/wallets/*/topups", queries.of_wallet, scope=READ)
    routes.add("GET", "/v1/topups/*", queries.one, scope=READ)
    routes.add("POST", "/v1/topups/*/cancel", commands.cancel, scope=WRITE)
