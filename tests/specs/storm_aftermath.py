"""After a storm: everything is asked for once more, and read models and topic are compared."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from aiokafka import ConsumerRecord

from schemas.commands import CreditWallet, DebitWallet
from tests.specs.running_stack import RunningStack
from tests.specs.storm_doors import Doors, session_of_a_client
from tests.specs.storm_journal import Journal
from tests.specs.storm_log import Index
from tests.specs.storm_purses import Row
from tests.specs.storm_wishes import Call, Wish, code_of
from tests.specs.topic_reading import all_records

_AT_ONCE = 16
_TRIES = 20
_ELSEWHERE = 200
_TABLES = ("balances", "holds", "topups", "transactions", "journal_entries", "account_subtotals")
_CONTENT = (
    "SELECT md5(coalesce(string_agg(r, '' ORDER BY r), '')) FROM (SELECT t::text AS r FROM {} t) q"
)
_CURRENT = """
SELECT topic, partition_count FROM relay_progress
WHERE NOT is_filling ORDER BY generation DESC LIMIT 1
"""
_LOG = "SELECT position, event_id, stream_id, version, data FROM events ORDER BY position"
_IN: dict[str, int] = {
    **dict.fromkeys(("wallet.credited", "wallet.debit_reversed", "wallet.transfer_received"), 1),
    **dict.fromkeys(("wallet.debited", "wallet.hold_captured", "wallet.credit_lapsed"), -1),
    **dict.fromkeys(("wallet.credit_reversed", "wallet.transfer_sent"), -1),
    "wallet.balance_forfeited": -1,
}


async def repeat_all(doors: Doors, journal: Journal, seed: str) -> None:
    """Ask for everything again, as it was, until each has one more clear answer."""
    chance = Random(f"{seed} again")  # noqa: S311 - a script, not a secret
    waiting = list(journal.calls)
    chance.shuffle(waiting)

    async def work() -> None:
        async with session_of_a_client() as session:
            while waiting:
                call = waiting.pop()
                again = call._replace()
                before = min(len(wish.answers) for wish in call.wishes)
                for _ in range(_TRIES):
                    await doors.send(session, again, chance)
                    if min(len(wish.answers) for wish in call.wishes) > before:
                        break
                    await asyncio.sleep(0.5)
                else:
                    journal.wrong.append(f"never answered: {call}")

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


async def repeat_over_kafka(doors: Doors, journal: Journal, seed: str) -> None:
    """Ask over Kafka for some of what HTTP has acknowledged: it is told of the same thing."""
    chance = Random(f"{seed} elsewhere")  # noqa: S311 - a script, not a secret
    known = [
        call.wishes[0]
        for call in journal.calls
        if call.door == "a" and call.atomic is None and call.key and call.wishes[0].told
    ]
    other = Journal()

    async def ask(wish: Wish) -> None:
        again = Wish(wish.command, wish.key)
        async with session_of_a_client() as session:
            for _ in range(_TRIES):
                await doors.with_journal(other).send(
                    session, Call("kafka", [again], wish.key), chance
                )
                if again.told is not None:
                    break
        assert wish.told is not None
        same = again.told is not None and (
            again.told.shown.get("id") == wish.told.shown.get("id")
            if wish.told.is_accepted
            else code_of(again.told) == code_of(wish.told)
        )
        if not same:
            journal.wrong.append(f"over Kafka {again} is another than {wish}")

    await asyncio.gather(*map(ask, chance.sample(known, min(len(known), _ELSEWHERE))))
    journal.wrong += other.wrong


def said(stack: RunningStack, others: Sequence[Path]) -> Iterator[str]:
    """No process has ended by an error that nobody foresaw, or raised the alarm."""
    for log in (*sorted((stack.home / "logs").glob("*.log")), *others):
        if log.stem in ("postgres", "kafka"):
            continue
        for line in log.read_text(errors="replace").splitlines():
            is_error = '"level":"error"' in line and "Traceback (most recent call last)" in line
            if is_error or '"level":"critical"' in line or line.startswith("Traceback"):
                yield f"{log.stem} says {line[:2000]}"


def sums(journal: Journal, index: Index, rows: Sequence[Row], balances: int) -> Iterator[str]:
    """All money together is what was acknowledged, and what time and closings took."""
    told = 0
    for wish in journal.wishes:
        match wish.command:
            case CreditWallet() if any(each.is_accepted for each in wish.answers):
                told += wish.command.amount
            case DebitWallet() if any(each.is_accepted for each in wish.answers):
                told -= wish.command.amount
            case _:
                told += sum(
                    _IN.get(row.type, 0) * row.data["amount"]
                    for row in index.of(wish).done
                    if row.type in _IN
                )
    told += sum(row.data["amount"] for row in rows if row.type == "wallet.topped_up")
    told -= sum(row.data["amount"] for row in rows if row.type == "wallet.credit_lapsed")
    if told != balances:
        yield f"the wallets hold {balances}, what was told comes to {told}"


async def rebuilt(stack: RunningStack) -> list[str]:
    """Each read model, made anew, has the rows that it had."""
    before = await _contents(stack)
    wrong = []
    for name in ("balances", "transactions", "trial_balance"):
        ended = await stack.run("rebuild", name)
        if ended.status != 0 or "was equal to it" not in ended.output:
            wrong.append(f"rebuild {name}: {ended.output}")
    after = await _contents(stack)
    return [*wrong, *(f"{name} is another" for name in _TABLES if before[name] != after[name])]


async def _contents(stack: RunningStack) -> dict[str, Any]:
    return {name: await stack.fetch(_CONTENT.format(name)) for name in _TABLES}


async def topic(stack: RunningStack, journal: Journal) -> list[str]:
    """The topic has each event of the log, once if copies are left out, each wallet's in order."""
    ((name, partitions),) = await stack.fetch(_CURRENT)
    records = await all_records(stack.sandbox["KAFKA_BOOTSTRAP"], name, partitions)
    wrong: list[str] = []
    seen: dict[tuple[str, str], ConsumerRecord] = {}
    versions: Counter[bytes] = Counter()
    places: defaultdict[bytes, set[int]] = defaultdict(set)
    copies = 0
    for record in records:
        headers = {key: value.decode() for key, value in record.headers}
        named = (headers["ce_source"], headers["ce_id"])
        places[record.key].add(record.partition)
        if named in seen:
            copies += 1
            if seen[named].value != record.value:
                wrong.append(f"{named} is there with another content")
            continue
        seen[named] = record
        if int(headers["ce_version"]) != versions[record.key] + 1:
            wrong.append(f"{record.key!r}: {headers['ce_version']} after {versions[record.key]}")
        versions[record.key] = int(headers["ce_version"])
    journal.say(f"{len(seen)} events in {name} of {partitions} partitions, {copies} copies")
    wrong += [
        f"{key!r} is in partitions {found}" for key, found in places.items() if len(found) > 1
    ]
    by_id = {named[1]: record for named, record in seen.items()}
    for row in await stack.fetch(_LOG):
        record = by_id.pop(str(UUID(bytes=row["event_id"].bytes)), None)
        if record is None or msgspec.json.decode(record.value) != msgspec.json.decode(row["data"]):
            wrong.append(f"position {row['position']} is not in the topic as it is in the log")
    return wrong + [f"{named} is in no log" for named in by_id]
