"""Allowances: what each credential may ask for in this process, and what it has asked for.

Every call comes by here, so nothing is waited for, and nothing is asked of the database.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ledger.tenants.limits import RateLimit
from ledger.tenants.usage import UsedCredential
from services.gateway.authentication import Principal
from services.gateway.problems import RefusedError
from services.gateway.rate_limits.buckets import Bucket
from services.gateway.rate_limits.failures import FailedAuthentications
from services.gateway.rate_limits.metrics import Limited, RateLimitMetrics

_NS_PER_S: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000
_IDLE_NS: Final = 60 * _NS_PER_S
"""What was not used for so long, and of which nothing is missing, is forgotten."""

Monotonic = Callable[[], float]
"""Seconds since some moment."""


class Allowance:
    """Of one credential. A call takes a unit, and each command of a batch one more."""

    __slots__ = (
        *("_bucket", "_is_untold", "_metrics", "_monotonic", "_telling_units", "_total"),
        *("_untold_units", "_used_ns", "limit"),
    )

    def __init__(
        self, limit: RateLimit, used_units: int, monotonic: Monotonic, metrics: RateLimitMetrics
    ) -> None:
        self.limit = limit
        self._monotonic = monotonic
        self._metrics = metrics
        self._bucket = Bucket(limit, self._now_ns())
        self._used_ns = 0
        self._is_untold = False
        self._untold_units = self._telling_units = 0
        self._total: int | None = used_units

    def adopt(self, limit: RateLimit) -> None:
        """Go by this limit from now on."""
        if limit != self.limit:
            self._bucket.adopt(limit, self._now_ns())
        self.limit = limit

    def take_call(self) -> None:
        """Take the unit of a call. Refuses with 429 `rate_limited`."""
        self._used_ns = now_ns = int(self._monotonic() * _NS_PER_S)
        self._is_untold = True
        if not self._bucket.take(now_ns):
            raise self._refused("calls", 1)
        self._untold_units += 1

    def take_commands(self, count: int) -> None:
        """Take the units of a batch that was let in, for its commands; all or none.

        Refuses with 429 `rate_limited`.
        """
        # Since the call was let in its body was read, and its unit may have been told.
        self._used_ns = now_ns = self._now_ns()
        self._is_untold = True
        if not self._bucket.take_more(count, now_ns):
            raise self._refused("commands", count)
        self._untold_units += count

    def take_lines(self, most: int) -> int:
        """Take the units of some lines of a stream, and say for how many: 0, where it is to wait.

        Half of what may come at once is left to calls.
        """
        self._used_ns = now_ns = self._now_ns()
        self._is_untold = True
        taken = self._bucket.take_up_to(most, now_ns)
        self._untold_units += taken
        return taken

    def header_lines(self) -> bytes:
        """What is left, as headers."""
        return self._bucket.header_lines()

    def is_whole(self) -> bool:
        """Whether it is as if it had never been used."""
        now_ns = self._now_ns()
        return now_ns - self._used_ns > _IDLE_NS and self._bucket.is_empty(now_ns)

    def tell(self, key_id: str) -> UsedCredential | None:
        """What is to be told of it; None if it was not used since that was done."""
        self._telling_units, self._untold_units = self._untold_units, 0
        if not self._is_untold:
            assert self._telling_units == 0, "what is let through is to be told"
            return None
        self._is_untold = False
        used_ms_ago = max(0, self._now_ns() - self._used_ns) // _NS_PER_MS
        return UsedCredential(key_id=key_id, units=self._telling_units, used_ms_ago=used_ms_ago)

    def hear(self, total: int) -> None:
        """Take account of what all have let through, ever, this one's part included."""
        if self._total is not None:
            others = total - self._total - self._telling_units
            if others > 0:
                self._bucket.charge(others, self._now_ns())
        self._total = total

    def miss(self, *, was_used: bool) -> None:
        """Nothing was heard. The units may have been told or not, so they are not told again.

        Nobody knows when that was used which the next total will have more, so it is not counted.
        """
        self._total = None
        self._is_untold |= was_used

    def _now_ns(self) -> int:
        return int(self._monotonic() * _NS_PER_S)

    def _refused(self, what: Limited, units: int) -> RefusedError:
        self._metrics.count_limited(what)
        wait_s = self._bucket.wait_s(units)
        return RefusedError(
            "rate_limited",
            f"these credentials may ask for {self.limit}; there is more in {wait_s} s",
            retry_after_s=wait_s,
        )


class Report(NamedTuple):
    """What is to be told of credentials, and of which others it is asked what is known."""

    used: list[UsedCredential]
    asked: list[str]


class RateLimits:
    """Every allowance of this process. `default` is of credentials without a limit of their own."""

    def __init__(self, default: RateLimit, monotonic: Monotonic, metrics: RateLimitMetrics) -> None:
        self.failed = FailedAuthentications(monotonic, metrics)
        self._default = default
        self._monotonic = monotonic
        self._metrics = metrics
        self._allowances: dict[str, Allowance] = {}

    def of(self, principal: Principal) -> Allowance:
        """The allowance of who calls, by the limit that it has now."""
        limit = principal.rate_limit or self._default
        allowance = self._allowances.get(principal.key_id)
        if allowance is None:
            allowance = self._allowances[principal.key_id] = Allowance(
                limit, principal.used_units, self._monotonic, self._metrics
            )
        elif allowance.limit is not limit:
            allowance.adopt(limit)
        return allowance

    def report(self) -> Report:
        """What is to be told now; what is as if never used is forgotten."""
        self._allowances = {
            key_id: allowance
            for key_id, allowance in self._allowances.items()
            if not allowance.is_whole()
        }
        report = Report([], [])
        for key_id, allowance in self._allowances.items():
            used = allowance.tell(key_id)
            if used is None:
                report.asked.append(key_id)
            else:
                report.used.append(used)
        return report

    def hear(self, report: Report, totals: Mapping[str, int]) -> None:
        """Take account of the answer to a report: the units of all gateways by key id."""
        for key_id in (*(used.key_id for used in report.used), *report.asked):
            self._allowances[key_id].hear(totals.get(key_id, 0))

    def miss(self, report: Report) -> None:
        """There was no answer to a report."""
        for used in report.used:
            self._allowances[used.key_id].miss(was_used=True)
        for key_id in report.asked:
            self._allowances[key_id].miss(was_used=False)
