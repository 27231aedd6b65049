"""Rate limits: how much a credential may ask for. Written `100/s`, or `100/s:500` with a burst."""

import re
from typing import Final

from msgspec import Struct

MAX_PER_S: Final = 1_000_000
MAX_BURST: Final = 10_000_000

_SPELLED: Final = re.compile(
    r"(?P<per_s>[1-9][0-9]{0,6})/s(:(?P<burst>[1-9][0-9]{0,7}))?", re.ASCII
)


class RateLimit(Struct, frozen=True, kw_only=True):
    """Units a second, and how many at once after a pause. A burst is a second's worth at least.

    Less could not be kept by several gateways, which learn of each other within a second, nor
    said in headers that count in whole seconds.
    """

    per_s: int
    burst: int

    def __str__(self) -> str:
        return f"{self.per_s}/s" if self.burst == self.per_s else f"{self.per_s}/s:{self.burst}"


def parse_rate_limit(text: str) -> RateLimit:
    """Read a limit. Raises `ValueError`, which says what a limit looks like."""
    spelled = _SPELLED.fullmatch(text)
    if spelled is None:
        raise ValueError("a rate limit is like 100/s, or 100/s:500 with a burst of 500")
    per_s = int(spelled["per_s"])
    burst = int(spelled["burst"] or per_s)
    if per_s > MAX_PER_S or burst > MAX_BURST:
        message = f"a rate limit is at most {MAX_PER_S}/s, with a burst of at most {MAX_BURST}"
        raise ValueError(message)
    if burst < per_s:
        message = f"the burst of {text} must be at least what a second allows, {per_s}"
        raise ValueError(message)
    return RateLimit(per_s=per_s, burst=burst)


def rate_limit_of(per_s: int | None, burst: int | None) -> RateLimit | None:
    """A limit as a credential's row has it: both numbers, or neither."""
    if per_s is None or burst is None:
        return None
    return RateLimit(per_s=per_s, burst=burst)
