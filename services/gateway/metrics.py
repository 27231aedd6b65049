"""What the gateway counts: requests by route and status, and how long they took.

prometheus-client's own counters cost more than the rest of this file's work together on
a path that a request takes ten thousand times a second, so plain lists are counted up
here and turned into metrics only when someone asks for them.
"""

from bisect import bisect_left
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class _Durations:
    __slots__ = ("buckets", "sum_seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(_BUCKETS_SECONDS) + 1)
        self.sum_seconds = 0.0


class RequestMetrics(Collector):
    """Counts of answered requests, for one process."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str, int], int] = {}
        self._durations: dict[str, _Durations] = {}

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Note one answered request. `route` is a pattern of the route table, or empty."""
        key = (route, method, status)
        self._answers[key] = self._answers.get(key, 0) + 1
        durations = self._durations.get(route)
        if durations is None:
            durations = self._durations[route] = _Durations()
        durations.buckets[bisect_left(_BUCKETS_SECONDS, seconds)] += 1
        durations.sum_seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """The counts as Prometheus reads them."""
        answers = CounterMetricFamily(
            "ledger_gateway_requests",
            "Answered HTTP requests.",
            labels=["route", "method", "status"],
        )
        for (route, method, status), count in self._answers.items():
            answers.add_metric([route, method, str(status)], count)
        yield answers
        durations = HistogramMetricFamily(
            "ledger_gateway_request_seconds",
            "From a request's head to its answer.",
            labels=["route"],
        )
        for route, measured in self._durations.items():
            total = 0
            buckets: list[tuple[str, float]] = []
            bounds = [*(str(bound) for bound in _BUCKETS_SECONDS), "+Inf"]
            for bound, count in zip(bounds, measured.buckets, strict=True):
                total += count
                buckets.append((bound, total))
            durations.add_metric([route], buckets, measured.sum_seconds)
        yield durations
