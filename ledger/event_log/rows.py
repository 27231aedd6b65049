"""Rows of the log, to and from the published language. No I/O."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from ledger.domain.wallet import Payment
from ledger.event_log.interface import (
    GENESIS_HASH,
    Append,
    CommandKey,
    CustomerKey,
    EventKey,
    Findings,
    Head,
    IdentityKey,
    News,
    Record,
    Snapshot,
    StoredWallet,
)
from ledger.event_log.tenancy import (
    StoredCredential,
    StoredTenant,
    StreamHead,
    TenancyFindings,
    TenancyRows,
)
from schemas.events import RecordedEvent
from schemas.identifiers import StreamKey, hex_of, stream_name, wallet_id

_encode = msgspec.json.Encoder().encode


_BETWEEN_JSON = "\x1e"
"""Stands in no JSON: control characters are escaped there."""


def recorded_event(row: asyncpg.Record) -> RecordedEvent:
    """One row with the columns of `events`."""
    return RecordedEvent(
        position=row["position"],
        tenant_id=str(row["tenant_id"]),
        stream_id=stream_name(row["tenant_id"], row["stream_id"]),
        version=row["version"],
        event_id=row["event_id"].hex,
        type=row["type"],
        schema_version=row["schema_version"],
        data=row["data"],
        metadata=row["metadata"],
        recorded_at=row["recorded_at"],
        hash=row["hash"],
    )


def append_arguments(lock_key: int, append: Append) -> tuple[object, ...]:
    """The parameters of sql/append.sql."""
    head, events = append.head, append.events
    outcomes, references, asked = append.outcomes, append.references, append.unless_known
    # What is written of a batch was asked by it, so as many are the same ones.
    same_ids = len(outcomes) == len(asked.command_ids)
    same_references = len(references) == len(asked.references)
    return (
        lock_key,
        head.number,
        append.append_id,
        head.last_position,
        head.hash,
        head.recorded_at,
        head.last_position - len(events) + 1,
        _array(event.tenant_id for event in events),
        _array(hex_of(event.stream_id) for event in events),
        _array(str(event.version) for event in events),
        _array(event.event_id for event in events),
        _array(event.type for event in events),
        _array(str(event.schema_version) for event in events),
        _BETWEEN_JSON.join([event.data for event in events]),
        _BETWEEN_JSON.join([event.metadata for event in events]),
        _bytes_array(event.hash for event in events),
        _array(row.tenant_id for row in outcomes),
        [row.command_id for row in outcomes],
        _bytes_array(row.fingerprint for row in outcomes),
        _array("NULL" if row.position is None else str(row.position) for row in outcomes),
        _BETWEEN_JSON.join(
            ["" if row.outcome is None else row.outcome.decode() for row in outcomes]
        ),
        _array(row.tenant_id for row in references),
        [row.reference for row in references],
        _bytes_array(row.fingerprint for row in references),
        _array(str(row.position) for row in references),
        None if same_ids else _array(key.tenant_id for key in asked.command_ids),
        None if same_ids else [key.key for key in asked.command_ids],
        None if same_references else _array(key.tenant_id for key in asked.references),
        None if same_references else [key.key for key in asked.references],
        append.previous_hash,
        _rare(append),
    )


def _array(values: Iterable[str]) -> str:
    """An array of what needs no quoting, as PostgreSQL spells it."""
    return "{" + ",".join(values) + "}"


def _bytes_array(values: Iterable[bytes]) -> str:
    return _array([f'"\\\\x{value.hex()}"' for value in values])


def _rare(append: Append) -> str | None:
    """What most appends have nothing of, in one parameter: each array costs every append."""
    if not (append.wallets or append.closures or append.identities or append.account_numbers):
        return None
    told = {(row.tenant_id, row.customer_id) for row in append.identities}
    rows = {
        "wallets": [
            {
                "tenant_id": row.tenant_id,
                "wallet_id": hex_of(row.wallet_id),
                "customer_id": row.customer_id,
                "currency": row.currency,
                "position": row.position,
            }
            for row in append.wallets
        ],
        "customers": [
            {"tenant_id": row.tenant_id, "customer_id": row.customer_id, "user_id": row.user_id}
            for row in append.wallets
            if (row.tenant_id, row.customer_id) not in told
        ],
        "identities": [
            {
                "tenant_id": row.tenant_id,
                "customer_id": row.customer_id,
                "user_id": row.user_id,
                "identity_index": None
                if row.identity_index is None
                else rf"\x{row.identity_index}",
            }
            for row in append.identities
        ],
        "account_numbers": [
            row._asdict() | {"wallet_id": hex_of(row.wallet_id)} for row in append.account_numbers
        ],
        "closures": [
            row._asdict() | {"wallet_id": hex_of(row.wallet_id)} for row in append.closures
        ],
    }
    return _encode(rows).decode()


def tenancy_arguments(rows: TenancyRows, recorded_at: datetime) -> tuple[object, ...]:
    """The parameters of sql/append_tenancy.sql."""
    parts = {
        "merchants": [row._asdict() for row in rows.merchants],
        "credentials": [
            row._asdict() | {"secret_hash": rf"\x{row.secret_hash.hex()}"}
            for row in rows.credentials
        ],
        "credential_ends": [row._asdict() for row in rows.credential_ends],
        "credential_limits": [row._asdict() for row in rows.credential_limits],
        "redirects": [row._asdict() for row in rows.redirects],
        "removed_redirects": [row._asdict() for row in rows.removed_redirects],
    }
    return (_encode(parts).decode(), recorded_at)


def findings(
    recorded: Sequence[asyncpg.Record],
    *,
    wallets: dict[StreamKey, StoredWallet],
    customers: Sequence[asyncpg.Record],
    reversals: Sequence[asyncpg.Record],
    payments: Sequence[asyncpg.Record],
    identities: Sequence[asyncpg.Record],
    serials: Sequence[asyncpg.Record],
    tenancy: TenancyFindings,
) -> Findings:
    """Put together the answers of the statements that a look-up reads."""
    head = recorded[0]
    assert head["kind"] == "head", "the head comes first"
    command_outcomes: dict[CommandKey, Record] = {}
    references: dict[CommandKey, Record] = {}
    for row in recorded[1:]:
        known = command_outcomes if row["kind"] == "command_id" else references
        known[CommandKey(str(row["tenant_id"]), row["key"])] = _record(row)
    return Findings(
        head_number=head["position"],
        head_hash=head["hash"] or GENESIS_HASH,
        now=head["now"],
        command_outcomes=command_outcomes,
        references=references,
        wallets=wallets,
        open_wallets={
            CustomerKey(str(row["tenant_id"]), row["customer_id"], row["currency"]): wallet_id(
                row["wallet_id"].hex
            )
            for row in customers
            if row["wallet_id"] is not None
        },
        user_id_owners={
            (str(row["tenant_id"]), str(row["user_id"])): row["user_id_owner"]
            for row in customers
            if row["user_id_owner"] is not None
        },
        reversed_amounts={
            EventKey(str(row["tenant_id"]), row["event_id"].hex): row["reversed_after"]
            for row in reversals
        },
        payments=_payments(payments),
        identity_owners={
            IdentityKey(str(row["tenant_id"]), row["identity_index"].hex()): row["customer_id"]
            for row in identities
        },
        next_serials={str(row["tenant_id"]): row["next_serial"] for row in serials},
        tenancy=tenancy,
    )


def stored_credentials(rows: Sequence[asyncpg.Record]) -> dict[str, StoredCredential]:
    """The rows of sql/credentials.sql by key id."""
    return {
        row["key_id"]: StoredCredential(
            key_id=row["key_id"],
            tenant_id=str(row["tenant_id"]),
            scopes=tuple(row["scopes"]),
            revoked_at=row["revoked_at"],
            expires_at=row["expires_at"],
            rate_limit_per_s=row["rate_limit_per_s"],
            rate_limit_burst=row["rate_limit_burst"],
        )
        for row in rows
    }


def stored_tenants(rows: Sequence[asyncpg.Record]) -> dict[str, StoredTenant]:
    """The rows of sql/tenants.sql by tenant."""
    found = [
        StoredTenant(
            tenant_id=str(row["tenant_id"]),
            merchant_id=str(row["merchant_id"]),
            environment=row["environment"],
            redirect_origins=frozenset(row["redirect_origins"]),
        )
        for row in rows
    ]
    return {tenant.tenant_id: tenant for tenant in found}


def stream_heads(rows: Sequence[asyncpg.Record]) -> dict[str, StreamHead]:
    """The rows of sql/stream_heads.sql by tenant."""
    return {str(row["tenant_id"]): StreamHead(row["version"], row["hash"]) for row in rows}


def _payments(rows: Sequence[asyncpg.Record]) -> dict[EventKey, tuple[Payment, ...]]:
    """Group the rows of sql/payments.sql, in which a payment may be found several times."""
    found: dict[EventKey, tuple[Payment, ...]] = {}
    for row in rows:
        key = EventKey(str(row["tenant_id"]), row["event_id"].hex)
        payment = Payment(payment_id=row["payment_id"], is_applied=row["is_applied"])
        kept = found.get(key, ())
        if payment not in kept:
            found[key] = (*kept, payment)
    return found


def news(found: Sequence[asyncpg.Record], seen: Head, limit: int) -> News:
    """The answer of sql/news.sql; no row means that the log is still empty."""
    if not found:
        return News(head=seen, events=())
    newest = found[0]
    head = Head(
        number=newest["head_number"],
        hash=newest["head_hash"],
        last_position=newest["last_position"],
        recorded_at=newest["head_recorded_at"],
    )
    if head.last_position - seen.last_position > limit:
        return News(head=head, events=None)
    events = [recorded_event(row) for row in found if row["position"] is not None]
    return News(head=head, events=events)


def _record(row: asyncpg.Record) -> Record:
    outcome = row["outcome"]
    return Record(
        fingerprint=row["fingerprint"],
        position=row["position"],
        outcome=None if outcome is None else outcome.encode(),
        event=None if row["event_id"] is None else recorded_event(row),
    )


def stored_wallets(rows: Sequence[asyncpg.Record]) -> dict[StreamKey, StoredWallet]:
    """Group the rows of sql/stored_wallets.sql; a wallet without any event is left out."""
    events: dict[StreamKey, list[RecordedEvent]] = {}
    snapshots: dict[StreamKey, asyncpg.Record] = {}
    names: dict[tuple[UUID, UUID], StreamKey] = {}
    for row in rows:
        uuids = (row["tenant_id"], row["stream_id"])
        key = names.get(uuids)
        if key is None:
            key = names[uuids] = StreamKey(str(uuids[0]), wallet_id(uuids[1].hex))
            events[key] = []
            if row["snapshot_version"] is not None:
                snapshots[key] = row
        if row["position"] is not None:
            events[key].append(recorded_event(row))
    return {
        key: _stored(snapshots.get(key), stream)
        for key, stream in events.items()
        if stream or key in snapshots
    }


def _stored(row: asyncpg.Record | None, events: list[RecordedEvent]) -> StoredWallet:
    if row is None:
        return StoredWallet(snapshot=None, snapshot_event_hash=None, events=events)
    snapshot = Snapshot(
        version=row["snapshot_version"],
        event_hash=row["event_hash"],
        state_version=row["state_version"],
        state=row["state"].encode(),
    )
    return StoredWallet(
        snapshot=snapshot, snapshot_event_hash=row["snapshot_event_hash"], events=events
    )
