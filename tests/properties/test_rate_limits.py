"""The law of rate limits: never more than burst + rate * t, in any t, whatever is sent when."""

from typing import Literal, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ledger.tenants.limits import RateLimit
from services.gateway.rate_limits.buckets import Bucket
from tests.specs.gateways_in_memory import KEY_ID, GatewaysInMemory, principal

S = 1_000_000_000


@st.composite
def limits(draw: st.DrawFn) -> RateLimit:
    per_s = draw(st.integers(1, 50))
    return RateLimit(per_s=per_s, burst=draw(st.integers(per_s, 100)))


class Ask(NamedTuple):
    """Something is asked for after a while: a call, a batch of so many, lines of a stream."""

    after_ns: int
    what: Literal["call", "batch", "lines"]
    size: int


asks = st.lists(
    st.builds(
        Ask,
        after_ns=st.one_of(st.just(0), st.integers(0, S // 10), st.integers(0, 3 * S)),
        what=st.sampled_from(["call", "call", "call", "batch", "lines"]),
        size=st.integers(1, 200),
    ),
    min_size=1,
    max_size=80,
)


def granted(bucket: Bucket, ask: Ask, now_ns: int) -> int:
    """How many units an ask was given."""
    match ask.what:
        case "call":
            return int(bucket.take(now_ns))
        case "lines":
            return bucket.take_up_to(ask.size, now_ns)
        case "batch":
            if not bucket.take(now_ns):
                return 0
            return 1 + (ask.size if bucket.take_more(ask.size, now_ns) else 0)


@given(limits(), asks)
def test_no_window_has_more_than_burst_and_rate_allow(limit: RateLimit, story: list[Ask]) -> None:
    """A batch that is larger than the burst may be over it, alone, and is owed."""
    bucket = Bucket(limit, 0)
    now_ns = 0
    given_at: list[tuple[int, int]] = []
    for ask in story:
        now_ns += ask.after_ns
        units = granted(bucket, ask, now_ns)
        given_at.append((now_ns, units))
        for start in range(len(given_at)):
            began_ns = given_at[start][0]
            window = [units for _, units in given_at[start:]]
            most = max(limit.burst, *window)
            assert sum(window) * S <= most * S + limit.per_s * (now_ns - began_ns)


@given(limits(), st.lists(st.integers(0, S // 5), min_size=50, max_size=100))
def test_what_is_allowed_is_given(limit: RateLimit, pauses_ns: list[int]) -> None:
    """Who never lacks patience gets all but a unit of what the rate allows, and the burst."""
    bucket = Bucket(limit, 0)
    now_ns = total = 0
    while bucket.take(0):
        total += 1
    for pause_ns in pauses_ns:
        now_ns += min(pause_ns, S * limit.burst // limit.per_s // 2)
        while bucket.take(now_ns):
            total += 1
    assert (total + 1) * S > limit.burst * S + limit.per_s * now_ns


class Step(NamedTuple):
    """What happens at one of three gateways after a while."""

    after_ms: int
    gateway: int
    what: Literal["call", "batch", "exchange"]
    size: int


steps = st.lists(
    st.builds(
        Step,
        after_ms=st.integers(0, 400),
        gateway=st.integers(0, 2),
        what=st.sampled_from(["call", "call", "batch", "exchange", "exchange"]),
        size=st.integers(1, 30),
    ),
    max_size=100,
)


@given(limits(), steps)
def test_gateways_together_keep_to_the_limit_by_what_they_have_heard(
    limit: RateLimit, story: list[Step]
) -> None:
    gateways = GatewaysInMemory(3, limit)
    for gateway in range(3):
        # Each read the credential before it was used anywhere, and so counts all of its use.
        gateways.call(gateway, 1, principal(KEY_ID))
        gateways.exchange(gateway)
    for gateway in range(3):
        gateways.exchange(gateway)
    began = gateways.clock.now
    own, told, heard = [1, 1, 1], [1, 1, 1], [2, 2, 2]
    for step in story:
        gateways.clock.now += step.after_ms / 1_000
        here = step.gateway
        if step.what == "exchange":
            gateways.exchange(here)
            told[here] = own[here]
            heard[here] = sum(told) - told[here]
            continue
        if step.what == "call":
            units = gateways.call(here, step.size)
        else:
            units = gateways.batch(here, step.size)
        own[here] += units
        if units:
            most = max(limit.burst, units) + limit.per_s * (gateways.clock.now - began)
            assert own[here] + heard[here] <= most + 0.001
