"""Rate limits: how they are written, what a bucket gives, and what gateways tell each other."""

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from ledger.tenants.limits import RateLimit, parse_rate_limit
from ledger.tenants.usage import UsedCredential
from services.gateway.problems import RefusedError
from services.gateway.rate_limits.allowances import Allowance, RateLimits
from services.gateway.rate_limits.buckets import Bucket
from services.gateway.rate_limits.failures import FAILURES, FailedAuthentications, client_of
from services.gateway.rate_limits.metrics import Limited, RateLimitMetrics
from tests.specs.gateways_in_memory import GatewaysInMemory, HandClock, principal

S = 1_000_000_000
TEN = RateLimit(per_s=10, burst=10)
TEN_AND_MORE = RateLimit(per_s=10, burst=25)


# How a limit is written.


@pytest.mark.parametrize(
    ("text", "per_s", "burst", "shown"),
    [
        ("100/s", 100, 100, "100/s"),
        ("1/s", 1, 1, "1/s"),
        ("100/s:500", 100, 500, "100/s:500"),
        ("100/s:100", 100, 100, "100/s"),
        ("1000000/s:10000000", 1_000_000, 10_000_000, "1000000/s:10000000"),
    ],
)
def test_a_limit_is_read_and_shown(text: str, per_s: int, burst: int, shown: str) -> None:
    limit = parse_rate_limit(text)
    assert limit == RateLimit(per_s=per_s, burst=burst)
    assert str(limit) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("", "100", "0/s", "-1/s", "1.5/s", "01/s", "100/m", "100/s:", "100/s:0", " 100/s"),
        *("100/s\n", "\u0661\u0660/s", "100/s:500:1", "100 /s", "default"),
    ],
)
def test_what_is_no_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="a rate limit is like 100/s"):
        parse_rate_limit(text)


def test_a_limit_is_in_bounds() -> None:
    with pytest.raises(ValueError, match="at most 1000000/s"):
        parse_rate_limit("1000001/s")
    with pytest.raises(ValueError, match="a burst of at most 10000000"):
        parse_rate_limit("1/s:10000001")
    with pytest.raises(ValueError, match="must be at least what a second allows, 100"):
        parse_rate_limit("100/s:99")


# Buckets.


def test_a_burst_is_let_through_and_then_what_leaks() -> None:
    bucket = Bucket(TEN_AND_MORE, 0)
    assert [bucket.take(0) for _ in range(26)] == [True] * 25 + [False]
    assert not bucket.take(S // 10 - 1)
    assert bucket.take(S // 10)
    assert not bucket.take(S // 10)
    assert [bucket.take(2 * S) for _ in range(20)] == [True] * 19 + [False]


def test_what_is_refused_costs_nothing() -> None:
    bucket = Bucket(TEN, 0)
    for _ in range(1_000):
        bucket.take(0)
    assert bucket.take(S // 10)


def test_a_clock_that_stands_still_or_goes_back_gives_nothing() -> None:
    bucket = Bucket(TEN, 5 * S)
    for _ in range(10):
        assert bucket.take(5 * S)
    assert not bucket.take(4 * S)
    assert not bucket.take(5 * S)
    assert bucket.take(5 * S + S // 10)


def test_a_third_of_a_second_is_not_rounded_however_often() -> None:
    bucket = Bucket(RateLimit(per_s=3, burst=3), 0)
    assert [bucket.take(0) for _ in range(3)] == [True] * 3
    # Three thousand units leak in a thousand seconds, looked at in steps that divide nothing.
    let_through = sum(bucket.take(moment) for moment in range(0, 1_000 * S + 1, 7_777_777))
    assert let_through in {2_999, 3_000}


def test_further_units_are_had_all_or_none() -> None:
    bucket = Bucket(TEN, 0)
    assert bucket.take(0)
    assert bucket.take_more(5, 0)
    assert not bucket.take_more(5, 0)
    assert bucket.wait_s(5) == 1
    assert bucket.take_more(4, 0)
    assert not bucket.take(0)


def test_more_than_there_ever_is_is_had_from_a_whole_bucket_and_owed() -> None:
    bucket = Bucket(TEN, 0)
    assert bucket.take(0)
    assert bucket.take_more(99, 0), "100 units of a bucket of 10"
    assert bucket.wait_s() == 10
    assert bucket.header_lines().endswith(b'RateLimit: "default";r=0;t=10\r\n')
    assert not bucket.take(9 * S), "90 have leaked, and ten are let through still"
    assert bucket.take(10 * S - S // 2)
    assert not bucket.take_more(99, 10 * S - S // 2), "it is not whole yet"


def test_streams_leave_half_of_it_to_others() -> None:
    bucket = Bucket(TEN, 0)
    assert bucket.take_up_to(100, 0) == 5
    assert bucket.take_up_to(100, 0) == 0
    assert [bucket.take(0) for _ in range(6)] == [True] * 5 + [False]
    assert bucket.take_up_to(100, S // 2) == 0, "what was lent is back first"
    assert bucket.take_up_to(100, S) == 5
    assert bucket.take_up_to(2, 2 * S) == 2


def test_the_smallest_bucket_lets_streams_through_too() -> None:
    bucket = Bucket(RateLimit(per_s=1, burst=1), 0)
    assert bucket.take_up_to(5, 0) == 1
    assert bucket.take_up_to(5, S - 1) == 0
    assert bucket.take_up_to(5, S) == 1


def test_a_lower_limit_counts_at_once_and_forgives_what_is_over_it() -> None:
    bucket = Bucket(RateLimit(per_s=1_000, burst=1_000), 0)
    assert all(bucket.take(0) for _ in range(900))
    bucket.adopt(TEN, 0)
    assert not bucket.take(0)
    assert bucket.take(S // 10), "not after the 90 seconds that 900 would take to leak"


def test_a_higher_limit_counts_at_once() -> None:
    bucket = Bucket(TEN, 0)
    assert all(bucket.take(0) for _ in range(10))
    bucket.adopt(RateLimit(per_s=100, burst=100), 0)
    assert [bucket.take(0) for _ in range(91)] == [True] * 90 + [False]


@pytest.mark.parametrize(
    ("limit", "taken", "lines"),
    [
        (TEN, 1, b'RateLimit-Policy: "default";q=10;w=1\r\nRateLimit: "default";r=9;t=1\r\n'),
        (TEN, 10, b'RateLimit-Policy: "default";q=10;w=1\r\nRateLimit: "default";r=0;t=1\r\n'),
        (
            TEN_AND_MORE,
            2,
            b'RateLimit-Policy: "default";q=25;w=3\r\nRateLimit: "default";r=23;t=1\r\n',
        ),
    ],
)
def test_the_headers_say_what_is_left(limit: RateLimit, taken: int, lines: bytes) -> None:
    bucket = Bucket(limit, 0)
    for _ in range(taken):
        bucket.take(0)
    assert bucket.header_lines() == lines


# Allowances.


def counted(registry: CollectorRegistry, reason: Limited) -> float | None:
    return registry.get_sample_value("ledger_gateway_rate_limited_total", {"reason": reason})


def test_what_is_over_the_limit_is_refused_and_counted() -> None:
    registry = CollectorRegistry()
    limits = RateLimits(TEN, HandClock().monotonic, RateLimitMetrics(registry))
    allowance = limits.of(principal("a"))
    for _ in range(10):
        allowance.take_call()
    refusals: list[tuple[Limited, Callable[[], None]]] = [
        ("calls", allowance.take_call),
        ("commands", lambda: allowance.take_commands(25)),
    ]
    for reason, take in refusals:
        with pytest.raises(RefusedError) as refused:
            take()
        assert refused.value.code == "rate_limited"
        assert "10/s" in refused.value.detail
        assert refused.value.retry_after_s == 1
        assert (
            registry.get_sample_value("ledger_gateway_rate_limited_total", {"reason": reason}) == 1
        )
    limits.of(principal("b")).take_call()


def test_a_credential_goes_by_its_own_limit_as_soon_as_it_is_read() -> None:
    limits = RateLimits(TEN, HandClock().monotonic, RateLimitMetrics(CollectorRegistry()))
    own = principal("a", RateLimit(per_s=2, burst=2))
    assert let_through(lambda: limits.of(own), 5) == 2
    assert let_through(lambda: limits.of(principal("a", RateLimit(per_s=4, burst=4))), 5) == 2
    assert let_through(lambda: limits.of(principal("a")), 10) == 6


def let_through(allowance: Callable[[], Allowance], times: int) -> int:
    """How many of some calls are."""
    count = 0
    for _ in range(times):
        try:
            allowance().take_call()
        except RefusedError:
            continue
        count += 1
    return count


# Several gateways.


def test_what_one_gateway_lets_through_counts_at_the_other() -> None:
    gateways = GatewaysInMemory(2, TEN)
    assert gateways.call(0, 8) == 8
    gateways.exchange(0)
    gateways.exchange(1)
    assert gateways.call(1, 10) == 10, "it did not know the key yet"
    gateways.exchange(1)
    gateways.exchange(0)
    gateways.clock.now += 0.8
    assert gateways.call(0, 10) == 0, "18 less 8 are over the limit still"
    gateways.clock.now += 0.11
    assert gateways.call(0, 10) == 1


def test_a_gateway_that_comes_to_know_a_key_counts_from_when_it_read_it() -> None:
    gateways = GatewaysInMemory(2, TEN)
    gateways.call(0, 5)
    gateways.exchange(0)
    read = gateways.principal()
    gateways.call(0, 4)
    gateways.exchange(0)
    assert gateways.call(1, 1, read) == 1
    gateways.exchange(1)
    assert gateways.call(1, 10, read) == 10 - 1 - 4, "but not the five of before"


def test_nothing_is_told_of_what_is_not_used() -> None:
    gateways = GatewaysInMemory(1, TEN)
    limits = gateways.limits[0]
    assert limits.report() == ([], [])
    gateways.call(0, 3)
    gateways.clock.now += 0.25
    report = limits.report()
    assert report.used == [UsedCredential(key_id="key", units=3, used_ms_ago=250)]
    limits.hear(report, {"key": 3})
    assert limits.report() == ([], ["key"])
    gateways.clock.now += 61
    assert limits.report() == ([], []), "it is as if it had never been used"


def test_a_refused_call_is_use_too() -> None:
    gateways = GatewaysInMemory(1, TEN)
    gateways.call(0, 10)
    gateways.exchange(0)
    assert gateways.call(0, 1) == 0
    (used,) = gateways.limits[0].report().used
    assert used.units == 0


def test_a_batch_whose_body_comes_late_is_told_whole() -> None:
    gateways = GatewaysInMemory(1, TEN)
    allowance = gateways.limits[0].of(gateways.principal())
    allowance.take_call()
    gateways.exchange(0)
    allowance.take_commands(4)
    gateways.exchange(0)
    assert gateways.table == {"key": 5}


def test_while_nothing_is_exchanged_each_gateway_goes_on_by_itself() -> None:
    gateways = GatewaysInMemory(2, TEN)
    gateways.call(0, 1)
    gateways.call(1, 1)
    for _ in range(30):
        gateways.clock.now += 1
        assert gateways.call(0, 100) == 10
        assert gateways.call(1, 100) == 10
        for limits in gateways.limits:
            limits.miss(limits.report())
    gateways.clock.now += 1
    # What is told for the first time after an outage was let through nobody knows when.
    gateways.exchange(0)
    gateways.exchange(1)
    gateways.exchange(0)
    assert gateways.call(0, 100) == 10


def test_what_could_not_be_told_is_told_as_used_all_the_same() -> None:
    gateways = GatewaysInMemory(1, TEN)
    limits = gateways.limits[0]
    gateways.call(0, 3)
    limits.miss(limits.report())
    gateways.clock.now += 5
    assert limits.report().used == [UsedCredential(key_id="key", units=0, used_ms_ago=5_000)]


def test_an_answer_that_lacks_a_key_takes_nothing() -> None:
    gateways = GatewaysInMemory(1, TEN)
    limits = gateways.limits[0]
    gateways.call(0, 3)
    limits.hear(limits.report(), {})
    assert gateways.call(0, 10) == 7


# Failed authentications.


def failed(failures: FailedAuthentications, address: str | None, times: int) -> int:
    """How many of some failures are not too many."""
    count = 0
    for _ in range(times):
        try:
            failures.count(address)
        except RefusedError:
            continue
        count += 1
    return count


def test_one_address_fails_a_number_of_times_and_then_once_a_second() -> None:
    clock, registry = HandClock(), CollectorRegistry()
    failures = FailedAuthentications(clock.monotonic, RateLimitMetrics(registry))
    assert failed(failures, "192.0.2.1", 100) == FAILURES.burst == 60
    assert counted(registry, "failed_authentications") == 40
    with pytest.raises(RefusedError) as refused:
        failures.count("192.0.2.1")
    assert (refused.value.code, refused.value.retry_after_s) == ("rate_limited", 1)
    assert failed(failures, "192.0.2.2", 1) == 1
    clock.now += 2
    assert failed(failures, "192.0.2.1", 100) == 2


def test_a_network_of_ipv6_is_one_client() -> None:
    assert client_of("2001:db8:1:2:3:4:5:6") == client_of("2001:db8:1:2::1") == "2001:db8:1:2::"
    assert client_of("2001:db8:1:3::1") != client_of("2001:db8:1:2::1")
    assert client_of("::ffff:192.0.2.1") == client_of("192.0.2.1") == "192.0.2.1"
    assert client_of("fe80::1%eth0") == client_of("fe80::2%eth0")
    assert client_of(None) == client_of("")
    assert client_of("unix:socket") == "unix:socket"


def test_addresses_are_forgotten_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.gateway.rate_limits.failures._MOST_ADDRESSES", 3)
    clock = HandClock()
    failures = FailedAuthentications(clock.monotonic, RateLimitMetrics(CollectorRegistry()))
    assert failed(failures, "192.0.2.1", 61) == 60
    for last in range(2, 5):
        failed(failures, f"192.0.2.{last}", 1)
    assert failed(failures, "192.0.2.1", 1) == 1
