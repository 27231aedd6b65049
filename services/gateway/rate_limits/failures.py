"""Failed authentications, by the address of the client: more than some are answered 429.

Only what has failed is counted, after it has: the right key is let in from any address, whatever
else comes from there.
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from ledger.tenants.limits import RateLimit
from services.gateway.problems import RefusedError
from services.gateway.rate_limits.buckets import Bucket
from services.gateway.rate_limits.metrics import RateLimitMetrics

FAILURES: Final = RateLimit(per_s=1, burst=60)
"""Of one address, at one gateway."""
_MOST_ADDRESSES: Final = 10_000
_NETWORK_BITS: Final = 64
"""Of an IPv6 address: who has one has all that begin with the same."""
_NS_PER_S: Final = 1_000_000_000


class FailedAuthentications:
    """How often clients have failed lately."""

    def __init__(self, monotonic: Callable[[], float], metrics: RateLimitMetrics) -> None:
        self._monotonic = monotonic
        self._metrics = metrics
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def count(self, address: str | None) -> None:
        """Count one. Refuses with 429 `rate_limited` what is too much."""
        client = client_of(address)
        now_ns = int(self._monotonic() * _NS_PER_S)
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = Bucket(FAILURES, now_ns)
        self._buckets.move_to_end(client)
        if len(self._buckets) > _MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        if bucket.take(now_ns):
            return
        self._metrics.count_limited("failed_authentications")
        raise RefusedError(
            "rate_limited",
            "too many calls from this address had no credentials, or wrong ones",
            retry_after_s=bucket.wait_s(),
        )


def client_of(address: str | None) -> str:
    """What counts as one client: an IPv4 address, the network of an IPv6 one."""
    if address is None or ":" not in address:
        return address or ""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> _NETWORK_BITS << _NETWORK_BITS))
