"""How long who follows the log rests between two batches.

A batch costs the database, Kafka and every subscriber much the same whatever it holds, so
events that come quickly wait a little for each other. What is left of the processors is the
commands': the busier the machine, the longer a batch takes, the longer the rest, and the
cheaper each event. A follower that is behind does not rest at all; its batches are full.
"""

_LEAST_S = 0.003
_PER_EVENT_S = 0.0004
_LIGHT_LOAD_S = 0.015
_OF_WORK = 3.0
_MOST_S = 0.200


def rest_s(work_s: float, events: int) -> float:
    """Seconds to rest after a batch of `events` that took `work_s`."""
    for_company_s = min(_LEAST_S + _PER_EVENT_S * events, _LIGHT_LOAD_S)
    return min(max(for_company_s, _OF_WORK * work_s), _MOST_S)
