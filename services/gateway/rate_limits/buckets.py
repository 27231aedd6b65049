"""Buckets: what is left of one allowance. No I/O and no clock: the moment is an argument.

A bucket fills by what is let through and leaks by what its limit allows, so from an empty one a
burst may be taken at once, and afterwards as much as has leaked: never more than burst + rate * t
in any t. Levels are in billionths of a unit and moments in nanoseconds, all integers, so nothing
is rounded however long it goes on.
"""

from typing import Final

from ledger.tenants.limits import RateLimit

_ONE: Final = 1_000_000_000
"""A unit as levels count it; as a limit leaks this many in a second, one a nanosecond."""


class Bucket:
    """One allowance. A moment before the last one counts as the last one."""

    __slots__ = ("_at_ns", "_full", "_head", "_level", "_per_s")

    def __init__(self, limit: RateLimit, now_ns: int) -> None:
        self._at_ns = now_ns
        self._level = 0
        self._set(limit)

    def adopt(self, limit: RateLimit, now_ns: int) -> None:
        """Go by another limit from now on. Over it, at worst, the bucket is just full."""
        self._leak(now_ns)
        self._set(limit)
        self._level = min(self._level, self._full)

    def take(self, now_ns: int) -> bool:
        """Take a unit, if there is one."""
        # The same as `_leak`, without the call: every request comes by.
        passed_ns = now_ns - self._at_ns
        level = self._level
        if passed_ns > 0:
            self._at_ns = now_ns
            leaked = self._per_s * passed_ns
            level = level - leaked if level > leaked else 0
        if level + _ONE > self._full:
            self._level = level
            return False
        self._level = level + _ONE
        return True

    def take_more(self, units: int, now_ns: int) -> bool:
        """Take the further units of who has taken one, if there are so many.

        More than the bucket ever has are to be had when all but the one are there; what is missing
        then is owed, and nothing is to be had until it has leaked.
        """
        self._leak(now_ns)
        if self._level + min(units * _ONE, self._full - _ONE) > self._full:
            return False
        self._level += units * _ONE
        return True

    def take_up_to(self, units: int, now_ns: int) -> int:
        """Take as many as there are without going into the second half of the bucket.

        That half is left to others who take one by one. Says how many were taken.
        """
        self._leak(now_ns)
        taken = min(units, (self._full - self._full // _ONE // 2 * _ONE - self._level) // _ONE)
        if taken <= 0:
            return 0
        self._level += taken * _ONE
        return taken

    def charge(self, units: int, now_ns: int) -> None:
        """Count what was let through elsewhere, though it be more than the bucket has."""
        self._leak(now_ns)
        self._level += units * _ONE

    def is_empty(self, now_ns: int) -> bool:
        """Whether all has leaked, so that a new bucket would be the same."""
        self._leak(now_ns)
        return self._level == 0

    def wait_s(self, units: int = 1) -> int:
        """In how many whole seconds from the last moment `units` can be taken, 1 at least."""
        over = self._level + min(units * _ONE, self._full) - self._full
        return max(1, -(-over // (self._per_s * _ONE)))

    def header_lines(self) -> bytes:
        """What there is, as of the last moment, as the headers that say it.

        After draft-ietf-httpapi-ratelimit-headers: `q` units in each `w` seconds, of which `r` are
        left; in `t` seconds there are more.
        """
        left = self._full - self._level
        if left >= 0:
            return self._head + b"%d;t=1\r\n" % (left // _ONE)
        return self._head + b"0;t=%d\r\n" % self.wait_s()

    def _set(self, limit: RateLimit) -> None:
        self._per_s = limit.per_s
        self._full = limit.burst * _ONE
        window_s = -(-limit.burst // limit.per_s)
        self._head = b'RateLimit-Policy: "default";q=%d;w=%d\r\nRateLimit: "default";r=' % (
            limit.burst,
            window_s,
        )

    def _leak(self, now_ns: int) -> None:
        passed_ns = now_ns - self._at_ns
        if passed_ns > 0:
            self._at_ns = now_ns
            self._level = max(0, self._level - self._per_s * passed_ns)
