"""Customers who are known: one customer for each person, gapless serials, limits, erasure."""

import asyncio
from collections.abc import Sequence

from ledger.command_handling.snapshots import SNAPSHOT_EVERY_EVENTS
from ledger.command_handling.submission import Settled
from ledger.domain.nuban import is_account_number
from schemas.commands import CloseWallet, CreditWallet, DebitWallet, TransferMoney
from schemas.events import WalletOpened, WalletReviewed, decode_event
from schemas.identifiers import StreamKey
from schemas.rejections import (
    IdentityTaken,
    ReviewNotPending,
    TierLimitExceeded,
    WalletExists,
    WalletInactive,
)
from schemas.results import WalletView
from tests.conformance.backends import Backend
from tests.specs.invariants import all_events, check
from tests.specs.known_customers import (
    BANK,
    FixedRules,
    customer,
    enroll,
    erase,
    raise_tier,
    review,
)
from tests.specs.world import OTHER_TENANT, TENANT, Writer, snapshots_are_saved, submission


async def writers(backend: Backend, count: int) -> list[Writer]:
    rules = FixedRules()
    return [await Writer(await backend.log(), seed, rules).start() for seed in range(count)]


async def end(several: Sequence[Writer]) -> None:
    for writer in several:
        await writer.stop()


def wallet_of(settled: Settled) -> WalletView:
    assert settled.result.wallet is not None, settled.result
    return settled.result.wallet


def _rejections(settled: Sequence[Settled]) -> list[object]:
    return [each.result.rejection for each in settled if each.result.status == "declined"]


async def numbers(writer: Writer, tenant_id: str = TENANT) -> list[str]:
    """The account numbers that the log has allotted, in its order."""
    found = []
    for recorded in await all_events(writer.log):
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
        if recorded.tenant_id != tenant_id or not isinstance(event, WalletOpened | WalletReviewed):
            continue
        if event.account_number is not None:
            found.append(event.account_number)
    return found


def are_gapless(found: Sequence[str]) -> bool:
    serials = [int(number[:9]) for number in found]
    return serials == list(range(len(found))) and all(
        is_account_number(number, BANK) for number in found
    )


async def test_of_two_enrolments_of_one_person_in_one_batch_one_wins(backend: Backend) -> None:
    (writer,) = await writers(backend, 1)
    await writer.open_wallet()
    head = await writer.log.head()
    settled = await asyncio.gather(*(writer.send(enroll(number)) for number in (1, 2, 1)))
    assert (await writer.log.head()).number == head.number + 1, "it was one batch"
    first = wallet_of(settled[0])
    assert _rejections(settled) == [
        IdentityTaken(customer_id=customer(1)),
        WalletExists(wallet_id=first.id),
    ]
    assert (first.tier, first.account_number) == ("TIER_ONE", "0000000006")
    assert await numbers(writer) == ["0000000006"]
    await end([writer])


async def test_of_enrolments_of_one_person_by_several_writers_one_wins(backend: Backend) -> None:
    several = await writers(backend, 3)
    settled = await asyncio.gather(
        *(writer.send(enroll(number)) for number, writer in enumerate(several * 2))
    )
    (won,) = [each.result.wallet for each in settled if each.result.wallet is not None]
    assert _rejections(settled) == [IdentityTaken(customer_id=won.customer_id)] * 5
    assert len(await numbers(several[0])) == 1
    await end(several)


async def test_a_person_is_one_customer_of_each_tenant(backend: Backend) -> None:
    one, other = await writers(backend, 2)
    wallet_of(await one.send(enroll(1)))
    assert _rejections([await other.send(enroll(2))]) == [IdentityTaken(customer_id=customer(1))]
    elsewhere = wallet_of(await other.send(enroll(2), tenant_id=OTHER_TENANT))
    assert elsewhere.account_number == "0000000006", "serials are each tenant's own"
    await end([one, other])


async def test_serials_are_gapless_when_writers_race(backend: Backend) -> None:
    several = await writers(backend, 3)
    settled = await asyncio.gather(
        *(
            writer.send(enroll(10 * number + nth, f"person {number} {nth % 5}"))
            for number in range(1, 8)
            for nth, writer in enumerate(several * 2)
        )
    )
    assert sum(each.result.status == "accepted" for each in settled) == 35
    found = await numbers(several[0])
    assert len(found) == 35
    assert are_gapless(found)
    await end(several)


async def test_an_enrolment_told_again_is_the_first_one_whatever_it_is_sealed_as(
    backend: Backend,
) -> None:
    one, other = await writers(backend, 2)
    first = await one.send(enroll(1), command_id="key")
    again = await other.send(enroll(1, sealed="YWdhaW4="), command_id="key")
    assert again.replayed
    assert again.result == first.result
    reused = await other.send(enroll(1, asked="another address"), command_id="key")
    assert [type(each).__name__ for each in _rejections([reused])] == ["ReferenceReused"]
    await end([one, other])


async def test_an_enrolment_in_a_group_that_is_declined_leaves_nothing(backend: Backend) -> None:
    (writer,) = await writers(backend, 1)
    wallet = await writer.open_wallet()
    together = [
        submission(enroll(1)),
        submission(enroll(2, "kofi")),
        submission(DebitWallet(wallet_id=wallet, amount=1, reference="d")),
    ]
    settled = await asyncio.gather(*writer.processor.enqueue_together(together))
    assert {each.result.status for each in settled} == {"declined"}
    assert wallet_of(await writer.send(enroll(3))).account_number == "0000000006"
    assert are_gapless(await numbers(writer))
    await end([writer])


async def test_a_review_is_settled_once_by_several_writers(backend: Backend) -> None:
    several = await writers(backend, 3)
    wallet = wallet_of(await several[0].send(enroll(1, tier="TIER_THREE")))
    assert (wallet.status, wallet.frozen, wallet.review) == ("frozen", "all", "pending")
    assert wallet.account_number is None
    refused = await several[1].credit(wallet.id, 5, "too soon")
    assert _rejections([refused]) == [WalletInactive()]
    settled = await asyncio.gather(
        *(writer.send(review(of=wallet.id)) for writer in several for _ in range(2))
    )
    (approved,) = [each.result.wallet for each in settled if each.result.wallet is not None]
    assert (approved.status, approved.review) == ("active", "approved")
    assert approved.account_number == "0000000006"
    assert _rejections(settled) == [ReviewNotPending()] * 5
    assert (await several[2].credit(wallet.id, 5, "now")).result.status == "accepted"
    assert await numbers(several[0]) == ["0000000006"]
    await end(several)


async def test_approvals_and_enrolments_of_one_batch_share_the_serials(backend: Backend) -> None:
    (writer,) = await writers(backend, 1)
    waiting = [
        wallet_of(await writer.send(enroll(number, str(number), "TIER_THREE")))
        for number in (1, 2, 3)
    ]
    settled = await asyncio.gather(
        writer.send(review(of=waiting[0].id)),
        writer.send(enroll(4, "4")),
        writer.send(review("rejected", of=waiting[1].id)),
        writer.send(review(of=waiting[2].id)),
        writer.send(enroll(5, "5", "TIER_TWO")),
    )
    shown = [wallet_of(each).account_number for each in settled]
    assert [number and number[:9] for number in shown] == [
        "000000000",
        "000000001",
        None,
        "000000002",
        "000000003",
    ]
    assert are_gapless(await numbers(writer))
    await end([writer])


async def test_a_days_debits_hold_when_writers_race(backend: Backend) -> None:
    several = await writers(backend, 3)
    wallet = wallet_of(await several[0].send(enroll(1))).id
    await several[0].credit(wallet, 100, "in")
    settled = await asyncio.gather(
        *(
            writer.debit(wallet, 7, f"out {number} {nth}")
            for nth, writer in enumerate(several)
            for number in range(5)
        )
    )
    assert sum(each.result.status == "accepted" for each in settled) == 7
    limit = TierLimitExceeded(limit_name="daily_debit", limit=50, amount=7, tier="TIER_ONE")
    assert _rejections(settled) == [limit] * 8
    folded = check(await all_events(several[0].log))[StreamKey(TENANT, wallet)].wallet
    assert folded is not None
    assert folded.profile is not None
    assert folded.profile.day is not None
    assert (folded.balance, folded.profile.day.amount) == (51, 49)
    await end(several)


async def test_the_receivers_limits_hold_for_a_transfer(backend: Backend) -> None:
    one, other = await writers(backend, 2)
    known = wallet_of(await one.send(enroll(1))).id
    plain = await one.open_wallet()
    await one.credit(plain, 1_000, "in")

    def moved(amount: int, reference: str) -> TransferMoney:
        return TransferMoney(
            from_wallet_id=plain, to_wallet_id=known, amount=amount, reference=reference
        )

    too_much = await other.send(moved(101, "a"), command_id="key")
    limit = TierLimitExceeded(
        limit_name="largest_credit", limit=100, amount=101, tier="TIER_ONE", wallet_id=known
    )
    assert _rejections([too_much]) == [limit]
    replayed = await one.send(moved(101, "a"), command_id="key")
    assert (replayed.replayed, replayed.result) == (True, too_much.result)
    settled = await asyncio.gather(
        *(
            writer.send(moved(100, f"t{n} {w}"))
            for n in range(2)
            for w, writer in enumerate([one, other])
        )
    )
    assert sum(each.result.status == "accepted" for each in settled) == 3
    (refused,) = _rejections(settled)
    assert isinstance(refused, TierLimitExceeded)
    assert (refused.limit_name, refused.limit, refused.wallet_id) == ("largest_balance", 300, known)
    await end([one, other])


async def test_a_raised_tier_has_its_own_limits_in_every_writer(backend: Backend) -> None:
    one, other = await writers(backend, 2)
    wallet = wallet_of(await one.send(enroll(1))).id
    assert (await other.credit(wallet, 101, "a")).result.status == "declined"
    raised = wallet_of(await one.send(raise_tier("TIER_TWO", wallet)))
    assert (raised.tier, raised.kyc_updated) == ("TIER_TWO", True)
    assert (await other.credit(wallet, 101, "b")).result.status == "accepted"
    assert (await other.send(raise_tier("TIER_TWO", wallet))).result.status == "declined"
    await end([one, other])


async def test_an_erased_person_may_enrol_anew_as_another_customer(backend: Backend) -> None:
    one, other = await writers(backend, 2)
    wallet = wallet_of(await one.send(enroll(1))).id
    await one.send(CloseWallet(wallet_id=wallet))
    assert _rejections([await other.send(enroll(2))]) == [IdentityTaken(customer_id=customer(1))]
    before = await all_events(one.log)
    for writer in (one, other, one):
        assert wallet_of(await writer.send(erase(wallet))).is_erased
    assert [each.type for each in (await all_events(one.log))[len(before) :]] == [
        "wallet.customer_erased"
    ]
    assert wallet_of(await other.send(enroll(2))).customer_id == customer(2)
    assert _rejections([await one.send(enroll(3))]) == [IdentityTaken(customer_id=customer(2))]
    await end([one, other])


async def test_an_erasure_and_the_next_enrolment_may_be_in_one_batch(backend: Backend) -> None:
    (writer,) = await writers(backend, 1)
    wallet = wallet_of(await writer.send(enroll(9))).id
    head = await writer.log.head()
    settled = await asyncio.gather(
        writer.send(enroll(2)), writer.send(erase(wallet)), writer.send(enroll(1))
    )
    assert (await writer.log.head()).number == head.number + 1, "it was one batch"
    assert _rejections(settled) == [IdentityTaken(customer_id=customer(9))]
    assert wallet_of(settled[2]).customer_id == customer(1)
    assert _rejections([await writer.send(enroll(3))]) == [IdentityTaken(customer_id=customer(1))]
    await end([writer])


async def test_a_customer_who_was_there_before_may_be_enrolled(backend: Backend) -> None:
    """Of the same customer there is a wallet in another currency, made without an identity."""
    one, other = await writers(backend, 2)
    await one.open_wallet(customer(1), "NGN")
    assert wallet_of(await other.send(enroll(1))).tier == "TIER_ONE"
    assert wallet_of(await one.send(enroll(1, currency="KES"))).account_number is not None
    assert _rejections([await one.send(enroll(2))]) == [IdentityTaken(customer_id=customer(1))]
    await end([one, other])


async def test_a_snapshot_keeps_the_profile_and_the_days_debits(backend: Backend) -> None:
    (writer,) = await writers(backend, 1)
    wallet = wallet_of(await writer.send(enroll(1))).id
    await writer.credit(wallet, 100, "in")
    for number in range(SNAPSHOT_EVERY_EVENTS + 5):
        await writer.debit(wallet, 1, f"out {number}")
    await snapshots_are_saved()
    (cold,) = await writers(backend, 1)
    left = 50 - SNAPSHOT_EVERY_EVENTS - 5
    refused = await cold.debit(wallet, left + 1, "too much")
    assert [type(each) for each in _rejections([refused])] == [TierLimitExceeded]
    assert (await cold.debit(wallet, left, "the rest")).result.status == "accepted"
    await end([writer, cold])


async def test_money_of_a_wallet_without_a_tier_knows_no_limit(backend: Backend) -> None:
    (writer,) = await writers(backend, 1)
    wallet = await writer.open_wallet()
    credit = CreditWallet(wallet_id=wallet, amount=10_000, reference="c")
    assert (await writer.send(credit)).result.status == "accepted"
    assert (await writer.debit(wallet, 9_000, "d")).result.status == "accepted"
    await end([writer])
