"""The intake as a process of its own, on real PostgreSQL and Kafka."""

import asyncio
import hashlib
import os
import shutil
import signal
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from schemas.commands import CancelTopup, CompleteTopup, CreateTopup, CreateWallet
from schemas.results import CommandResult, RejectedMessage
from services.client import CommandRejectedError, ResultTimeoutError
from services.runtime.administration import administering
from tests.specs.command_line import (
    PARTITIONS,
    PATIENCE_S,
    CommandLine,
    Reply,
    credit_of,
    debit_of,
)
from tests.specs.databases import Databases


@pytest.fixture
async def line(database: str, kafka_server: str) -> CommandLine:
    """A tenant and topics that nobody else knows."""
    async with administering(database, "operator:test") as administrator:
        merchant = await administrator.create_merchant("Acme")
    line = CommandLine(database, kafka_server, merchant.sandbox_tenant_id)
    await line.make_topics()
    return line


async def test_commands_over_kafka_are_answered(line: CommandLine) -> None:
    async with line.intake(), line.client() as client:
        wallet = await line.open_wallet(client, credit=500)
        debited = await client.execute(debit_of(wallet, 200))
        declined = await client.execute(debit_of(wallet, 301))
        unknown = await client.execute(debit_of("wal_" + "0" * 32, 1))
        with pytest.raises(CommandRejectedError) as rejected:
            await client.execute(CreateWallet(customer_id="cus_1", currency="ZZZ"))
    assert debited.transaction is not None
    assert (debited.status, debited.transaction.balance_after) == ("accepted", 300)
    assert declined.transaction is not None
    assert (declined.status, declined.transaction.code) == ("declined", "insufficient_funds")
    assert (unknown.status, type(unknown.rejection).__name__) == ("declined", "WalletUnknown")
    assert rejected.value.reason == "invalid_command"
    assert rejected.value.detail.startswith("currency: ")


async def test_topups_over_kafka_are_made_paid_and_cancelled(line: CommandLine) -> None:
    shop = "https://shop.example/thanks"
    async with line.intake(), line.client() as client:
        wallet = await line.open_wallet(client, credit=500)
        wish = CreateTopup(wallet_id=wallet, amount=200, redirect_url=shop)
        created = await client.execute(wish)
        assert created.topup is not None
        payment = CompleteTopup(
            topup_id=created.topup.id, payment_id="pay_1", amount=200, currency="GHS"
        )
        paid = await client.execute(payment)
        told_again = await client.execute(payment)
        over = await client.execute(CancelTopup(topup_id=created.topup.id))
        second = await client.execute(wish)
        assert second.topup is not None
        cancelled = await client.execute(CancelTopup(topup_id=second.topup.id))
        with pytest.raises(CommandRejectedError) as rejected:
            await client.execute(
                CreateTopup(
                    wallet_id=wallet,
                    amount=200,
                    redirect_url="https://user@shop.example/",
                    cancel_url="https://shop.example\\@evil.example/",
                )
            )
    assert paid.transaction is not None
    assert (paid.transaction.type, paid.transaction.balance_after) == ("topup", 700)
    assert told_again.status == "accepted"
    assert (over.status, type(over.rejection).__name__) == ("declined", "TopupNotPending")
    assert cancelled.topup is not None
    assert cancelled.topup.status == "cancelled"
    assert rejected.value.reason == "invalid_command"
    assert rejected.value.detail.startswith("redirect_url: must be ")
    assert "; cancel_url: must be " in rejected.value.detail


async def test_a_redelivered_command_has_one_effect_and_gets_its_first_result_again(
    line: CommandLine,
) -> None:
    async with line.intake(), line.client() as client:
        wallet = await line.open_wallet(client, credit=100)
        accepted, declined = f"accepted-{uuid4()}", f"declined-{uuid4()}"
        credit, debit = credit_of(wallet, 50), debit_of(wallet, 1000)
        await client.execute(credit, command_id=accepted)
        first = await client.execute(debit, command_id=declined)
        assert first.status == "declined"
        # Now the debit could succeed. Its command id stays declined all the same.
        await client.execute(credit_of(wallet, 5000))
        again = await client.execute(debit, command_id=declined)
        assert msgspec.json.encode(again) == msgspec.json.encode(first)
        await client.execute(credit, command_id=accepted)
        retried = await client.execute(debit, command_id=f"another-{uuid4()}")
    assert retried.status == "accepted", "a decline does not consume the reference"
    assert retried.transaction is not None
    assert retried.transaction.balance_after == 100 + 50 + 5000 - 1000
    by_id: dict[str, list[Reply]] = {}
    for reply in await line.replies(6):
        by_id.setdefault(reply.command_id, []).append(reply)
    for command_id in (accepted, declined):
        first_reply, second_reply = by_id[command_id]
        assert (first_reply.replayed, second_reply.replayed) == (False, True)
        assert first_reply.value == second_reply.value


async def test_a_message_that_cannot_be_read_does_not_block_those_behind_it(
    line: CommandLine,
) -> None:
    sound = line.message(credit_of("wal_" + "0" * 32, 1), "sound")
    secret = b'{"wallet_id": "hunter2"}'
    hostile = [
        ("no-json", sound["headers"], b"hunter2", "unreadable"),
        ("no-value", sound["headers"], None, "unreadable"),
        ("bad-fields", sound["headers"], secret, "invalid_command"),
        ("type", [("ce_type", b"mint"), ("ce_tenantid", line.tenant_id.encode())], secret,
         "unknown_type"),
        ("tenant", [*sound["headers"][:-1], ("ce_tenantid", str(uuid4()).encode())],
         sound["value"], "unknown_tenant"),
    ]  # fmt: skip
    messages = []
    for command_id, headers, value, _ in hostile:
        named = [*(each for each in headers if each[0] != "ce_id"), ("ce_id", command_id.encode())]
        messages.append({"headers": named, "value": value, "key": b"any"})
    messages.append(sound)
    await line.publish(messages, partition=1)
    if shutil.which("kcat"):
        await _publish_header_that_is_not_utf8(line, partition=1)
    await line.publish([line.message(credit_of("wal_" + "0" * 32, 1), "behind")], partition=1)
    async with line.intake():
        replies = await line.replies(len(hostile) + 2 + (shutil.which("kcat") is not None))
    answered = {reply.command_id: reply for reply in replies}
    for command_id in ("sound", "behind"):
        assert answered[command_id].topic == line.results
    for offset, (command_id, _, value, reason) in enumerate(hostile):
        reply = answered[command_id]
        assert reply.topic == line.rejected
        rejected = msgspec.json.decode(reply.value, type=RejectedMessage)
        place = (rejected.topic, rejected.partition, rejected.offset)
        assert place == (line.commands, 1, offset)
        assert rejected.reason == reason
        assert rejected.sha256 == ("" if value is None else hashlib.sha256(value).hexdigest())
        assert b"hunter2" not in reply.value
    if shutil.which("kcat"):
        # It has no id that could be read: its place is its key.
        reply = answered[f"{line.commands}/1/{len(hostile) + 1}"]
        assert msgspec.json.decode(reply.value, type=RejectedMessage).reason == "unreadable"


async def _publish_header_that_is_not_utf8(line: CommandLine, partition: int) -> None:
    # No Python client can be made to send one.
    process = await asyncio.create_subprocess_exec(
        "kcat", "-P", "-b", line.bootstrap, "-t", line.commands, "-p", str(partition),
        "-H", b"\xff\xfe=x", stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await process.communicate(b"anything")
    assert process.returncode == 0


async def test_a_command_that_the_log_refuses_is_rejected_and_the_others_go_on(
    line: CommandLine,
) -> None:
    async with line.intake(), line.client() as client:
        wallet = await line.open_wallet(client)
        # No command that passes the gate is known to be refused, so the log is made stricter.
        await line.fetchval("ALTER TABLE consumed_references ADD CHECK (reference <> 'poison')")
        messages = [line.message(credit_of(wallet, 1), f"cmd-{number}") for number in range(20)]
        poison = credit_of(wallet, 1, reference="poison")
        messages.insert(7, line.message(poison, "poisonous"))
        await line.publish(messages)
        replies = await line.replies(22)
    (rejected,) = (reply for reply in replies if reply.topic == line.rejected)
    assert rejected.command_id == "poisonous"
    assert msgspec.json.decode(rejected.value, type=RejectedMessage).reason == "poison_command"
    assert await line.count_events("wallet.credited") == 20


async def test_commands_of_one_partition_are_decided_in_their_order(line: CommandLine) -> None:
    async with line.intake(), line.client() as client:
        wallet = await line.open_wallet(client)
        messages = []
        for number in range(1500):
            messages.append(line.message(credit_of(wallet, 7), f"in-{number}"))
            messages.append(line.message(debit_of(wallet, 7), f"out-{number}"))
        await line.publish(messages)
        replies = await line.replies(3001)
    results = [msgspec.json.decode(reply.value, type=CommandResult) for reply in replies]
    assert {result.status for result in results} == {"accepted"}


async def test_killed_between_append_and_commit_every_command_has_one_effect_and_its_result(
    line: CommandLine,
) -> None:
    async with line.intake(), line.client() as client:
        wallet = await line.open_wallet(client)
    done_before = await line.committed()
    await line.let_kafka_take_results(yes=False)
    await line.publish([line.message(credit_of(wallet, 1), f"cmd-{n}") for n in range(300)])
    async with line.intake() as victim:
        await line.wait_for_events("wallet.credited", 300)
        os.kill(victim.pid, signal.SIGKILL)
        await victim.wait()
    assert await line.committed() == done_before, "unanswered commands are not done with"
    await line.let_kafka_take_results(yes=True)
    async with line.intake():
        replies = [each for each in await line.replies(301) if each.command_id.startswith("cmd-")]
    assert {reply.command_id for reply in replies} == {f"cmd-{n}" for n in range(300)}
    assert all(reply.replayed for reply in replies)
    assert await line.count_events("wallet.credited") == 300
    assert await line.committed() == done_before + 300


async def test_killed_and_rebalanced_in_the_middle_of_load(line: CommandLine) -> None:
    async with line.intake(), line.client() as client:
        wallets = [await line.open_wallet(client) for _ in range(PARTITIONS)]
    for partition, wallet in enumerate(wallets):
        messages = [line.message(credit_of(wallet, 1), f"{wallet} {n}") for n in range(4000)]
        await line.publish(messages, partition)
    async with line.intake() as victim:
        await line.wait_for_events("wallet.credited", 2000)
        os.kill(victim.pid, signal.SIGKILL)
        await victim.wait()
    credited = 3 * 4000
    async with line.intake():
        await line.wait_for_events("wallet.credited", 4000)
        # Another joins, so the partitions are divided anew while they are worked on.
        async with line.intake():
            while await line.members() < 2:
                for partition, wallet in enumerate(wallets):
                    ids = range(credited, credited + 500)
                    more = [line.message(credit_of(wallet, 1), f"{wallet} {n}") for n in ids]
                    await line.publish(more, partition)
                credited += 500 * PARTITIONS
            replies = await line.replies(credited + PARTITIONS)
    assert await line.count_events("wallet.credited") == credited
    different = {(reply.command_id, reply.value) for reply in replies}
    assert len(different) == credited + PARTITIONS, "one result each, however often it came"


async def test_while_the_database_is_away_commands_wait(line: CommandLine) -> None:
    name = await line.fetchval("SELECT current_database()")
    async with line.intake(), line.client() as client:
        wallet = await line.open_wallet(client)
        elsewhere = await asyncpg.connect(line.dsn, database="postgres")
        await elsewhere.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await elsewhere.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        messages = []
        for number in range(100):
            messages.append(line.message(credit_of(wallet, 7), f"in-{number}"))
            messages.append(line.message(debit_of(wallet, 7), f"out-{number}"))
        await line.publish(messages)
        # Longer than the ledger tries by itself before it gives a batch back.
        await asyncio.sleep(7)
        await elsewhere.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await elsewhere.close()
        replies = await line.replies(201)
    results = [msgspec.json.decode(reply.value, type=CommandResult) for reply in replies]
    assert {result.status for result in results} == {"accepted"}


async def test_a_result_that_does_not_come_in_time_can_be_asked_for_again(
    line: CommandLine,
) -> None:
    async with line.client() as client:
        create = CreateWallet(customer_id="cus_1", currency="GHS")
        with pytest.raises(ResultTimeoutError, match="safe to repeat") as late:
            await client.execute(create, command_id="create-1", timeout_s=0.5)
        async with line.intake():
            again = await client.execute(
                create, command_id=late.value.command_id, timeout_s=PATIENCE_S
            )
    assert again.status == "accepted"
    assert await line.count_events("wallet.opened") == 1


async def test_kcat_publishes_a_command_and_reads_its_result(line: CommandLine) -> None:
    headers = {
        "ce_id": "create-1",
        "ce_source": "/kcat",
        "ce_type": "ledger.command.create_wallet.v1",
        "ce_tenantid": line.tenant_id,
    }
    async with line.intake():
        await _kcat(
            *("-P", "-b", line.bootstrap, "-t", line.commands, "-k", "cus_1"),
            *(word for name, text in headers.items() for word in ("-H", f"{name}={text}")),
            stdin=b'{"customer_id": "cus_1", "currency": "GHS"}',
        )
        async with asyncio.timeout(PATIENCE_S):
            output = b""
            while not output:
                output = await _kcat(
                    *("-C", "-b", line.bootstrap, "-t", line.results),
                    *("-o", "beginning", "-e", "-q", "-f", "%k %s\n"),
                )
    command_id, value = output.decode().split(" ", 1)
    result = msgspec.json.decode(value, type=CommandResult)
    assert (command_id, result.status) == ("create-1", "accepted")
    assert result.wallet is not None
    assert (result.wallet.customer_id, result.wallet.currency) == ("cus_1", "GHS")


async def _kcat(*arguments: str, stdin: bytes | None = None) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "kcat", *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(stdin)
    assert process.returncode == 0
    return output


async def test_an_intake_refuses_the_commands_of_another_ledger(
    line: CommandLine, databases: Databases, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also before the first command: what it took would be lost to the other."""
    async with line.intake():
        await line.wait_until_marked()
        with databases.clone() as dsn:
            async with administering(dsn, "operator:test") as administrator:
                await administrator.create_merchant("Umbrella")
            stranger = line.of_another(dsn)
            async with stranger.intake() as refused, asyncio.timeout(PATIENCE_S):
                assert await refused.wait() == 1
        assert '"event":"commands_topic_refused"' in capfd.readouterr().out
        async with line.client() as client:
            await line.open_wallet(client)


async def test_offsets_without_a_mark_are_taken_over(line: CommandLine) -> None:
    """Those of a release that knew no marks, and those that somebody set by hand."""
    await line.set_offsets(metadata="")
    async with line.intake(), line.client() as client:
        await line.open_wallet(client)
        await line.wait_until_marked()
    async with line.intake(), line.client() as client:
        await line.open_wallet(client)
