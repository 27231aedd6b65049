"""The routes of the BaaS API, with the scope that each of them needs."""

from collections.abc import Callable

from msgspec import Struct

from services.customers.banks import Banks
from services.gateway.baas.account_commands import AccountCommands
from services.gateway.baas.customer_commands import CustomerCommands, Today
from services.gateway.baas.customers import Customers
from services.gateway.baas.dialect import BASE
from services.gateway.baas.enrolment import Enrolment, Verifiers
from services.gateway.baas.history_reads import HistoryReads
from services.gateway.baas.merchant_queries import MerchantQueries
from services.gateway.baas.money_commands import MoneyCommands
from services.gateway.baas.recorded import Log
from services.gateway.baas.sealed_people import SealedPeople
from services.gateway.baas.tier_three import TierThree
from services.gateway.baas.transaction_queries import CUSTOMER_SEGMENT, TransactionQueries
from services.gateway.baas.utility_bills import UtilityBills
from services.gateway.baas.wallet_queries import WalletQueries
from services.gateway.books.reads import BookReads
from services.gateway.calls import Call
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.database import Database
from services.gateway.patience import Clock
from services.gateway.reads import Reads
from services.gateway.routing import RouteTable
from services.gateway.scopes import READ, TRANSFER, WRITE


class BaasParts(Struct, frozen=True, kw_only=True):
    """What the calls of this dialect are answered with."""

    settlement: Settlement
    reads: Reads
    books: BookReads
    database: Database
    people: SealedPeople
    bills: UtilityBills
    verifiers: Verifiers
    banks: Banks
    today: Today
    clock: Clock
    random_bytes: Callable[[int], bytes]


def add_baas(routes: RouteTable[Call], parts: BaasParts) -> None:
    """Add every route of the dialect."""
    customers, log = Customers(parts.database), Log(parts.database)
    histories = HistoryReads(parts.database, parts.clock)
    wallets = WalletQueries(parts.reads, histories, customers, parts.people, parts.banks)
    routes.add("GET", f"{BASE}/wallets", wallets.wallets, scope=READ)
    routes.add("GET", f"{BASE}/wallets/*", wallets.wallet, scope=READ)
    merchants = MerchantQueries(parts.books, parts.database, parts.banks)
    routes.add("GET", f"{BASE}/wallets/merchants", merchants.wallet, scope=READ)
    enrolment = Enrolment(
        settlement=parts.settlement,
        customers=customers,
        histories=histories,
        people=parts.people,
        verifiers=parts.verifiers,
        banks=parts.banks,
        random_bytes=parts.random_bytes,
    )
    commands = CustomerCommands(enrolment, parts.banks, parts.today)
    routes.add("POST", f"{BASE}/wallets", commands.create, scope=WRITE)
    routes.add("POST", f"{BASE}/wallets/tier-2", commands.create_at_tier_two, scope=WRITE)
    accounts = AccountCommands(
        settlement=parts.settlement,
        customers=customers,
        histories=histories,
        people=parts.people,
        enrolment=enrolment,
        wallets=wallets,
    )
    routes.add("POST", f"{BASE}/wallets/upgrade-tier-2", accounts.upgrade, scope=WRITE)
    routes.add("POST", f"{BASE}/wallets/freeze", accounts.freeze, scope=WRITE)
    routes.add("POST", f"{BASE}/wallets/unfreeze", accounts.unfreeze, scope=WRITE)
    tier_three = TierThree(
        enrolment=enrolment,
        bills=parts.bills,
        reads=parts.reads,
        people=parts.people,
        banks=parts.banks,
        today=parts.today,
    )
    routes.add("POST", f"{BASE}/wallets/tier-3", tier_three.create, scope=WRITE)
    routes.add("GET", f"{BASE}/wallets/tier-3", tier_three.review, scope=READ)
    money = MoneyCommands(parts.settlement, customers, log, parts.random_bytes)
    routes.add("POST", f"{BASE}/wallets/credit", money.credit, scope=WRITE)
    routes.add("POST", f"{BASE}/wallets/debit", money.debit, scope=WRITE)
    routes.add("POST", f"{BASE}/wallets/transfer/bank", money.transfer, scope=TRANSFER)
    transactions = TransactionQueries(log, parts.reads, histories, customers)
    of_customer = f"{BASE}/transactions/{CUSTOMER_SEGMENT}"
    routes.add("GET", f"{BASE}/transactions/*", transactions.by_reference, scope=READ)
    routes.add("GET", of_customer, transactions.by_reference, scope=READ)
    routes.add("GET", f"{of_customer}/*", transactions.of_customer, scope=READ)
    routes.add("GET", f"{of_customer}/*/*", transactions.of_customer_by_reference, scope=READ)
