"""What a writer reads before it decides: a statement for each kind of question that it has."""

from typing import Protocol

import asyncpg

from ledger.event_log import rows
from ledger.event_log.interface import COLD_WALLET_EVENTS, Findings, Question, StoredWallet
from ledger.event_log.tenancy import TenancyFindings, TenancyQuestion
from schemas.identifiers import StreamKey, hex_of, topup_id, transaction_id, user_id_of


class Read(Protocol):
    """Runs a statement of the sql folder that writes nothing."""

    async def __call__(self, name: str, *arguments: object) -> list[asyncpg.Record]:
        """The rows."""


async def look_up(read: Read, question: Question) -> Findings:
    """Answer a batch's questions. Raises what `read` raises."""
    # Several statements are as good as one: the append names a head seen before them
    # all, and whatever was committed in between makes it fail.
    recorded = await read(
        "recorded",
        [key.tenant_id for key in question.command_ids],
        [key.key for key in question.command_ids],
        [key.tenant_id for key in question.references],
        [key.key for key in question.references],
    )
    wallets: dict[StreamKey, StoredWallet] = {}
    if question.wallets:
        found = await read(
            "stored_wallets",
            [key.tenant_id for key in question.wallets],
            [hex_of(key.stream_id) for key in question.wallets],
            COLD_WALLET_EVENTS,
        )
        wallets = rows.stored_wallets(found)
    customers: list[asyncpg.Record] = []
    if question.customers:
        customers = await read(
            "customers",
            [key.tenant_id for key in question.customers],
            [key.customer_id for key in question.customers],
            [key.currency for key in question.customers],
            [user_id_of(key.tenant_id, key.customer_id) for key in question.customers],
        )
    reversals: list[asyncpg.Record] = []
    if question.transactions:
        reversals = await read(
            "reversed_amounts",
            [key.tenant_id for key in question.transactions],
            [key.event_id for key in question.transactions],
            [transaction_id(key.event_id) for key in question.transactions],
        )
    payments: list[asyncpg.Record] = []
    if question.payments:
        payments = await read(
            "payments",
            [key.tenant_id for key in question.payments],
            [key.event_id for key in question.payments],
            [topup_id(key.event_id) for key in question.payments],
            [key.payment_id for key in question.payments],
        )
    return rows.findings(
        recorded,
        wallets=wallets,
        customers=customers,
        reversals=reversals,
        payments=payments,
        identities=await _identities(read, question),
        serials=await _serials(read, question),
        tenancy=TenancyFindings()
        if question.tenancy is None
        else await _tenancy(read, question.tenancy),
    )


async def _identities(read: Read, question: Question) -> list[asyncpg.Record]:
    if not question.identities:
        return []
    return await read(
        "identities",
        [key.tenant_id for key in question.identities],
        [bytes.fromhex(key.identity_index) for key in question.identities],
    )


async def _serials(read: Read, question: Question) -> list[asyncpg.Record]:
    if not question.serials:
        return []
    return await read("next_serials", list(question.serials))


async def _tenancy(read: Read, asked: TenancyQuestion) -> TenancyFindings:
    found = await read("credentials", list(asked.key_ids)) if asked.key_ids else []
    credentials = rows.stored_credentials(found)
    tenant_ids = {*asked.tenant_ids, *(each.tenant_id for each in credentials.values())}
    tenants = rows.stored_tenants(await read("tenants", list(tenant_ids), list(asked.merchant_ids)))
    heads = await read("stream_heads", [*tenants, *asked.stream_tenant_ids])
    return TenancyFindings(credentials=credentials, tenants=tenants, heads=rows.stream_heads(heads))
