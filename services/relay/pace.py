"""How long the relay rests between two pages.

A page costs the database, Kafka and every subscriber much the same whatever it holds, so
events that come quickly wait a little for each other, and the more come, the longer: at
500 a second about 8 ms, at 6 000 some 20 ms, from 9 000 on 100 ms. What that saves of the
processors is the commands'. A relay that is behind does not rest; its pages are full.
"""

_LEAST_S = 0.008
_PER_EVENT_S = 0.0001
_MOST_S = 0.100


def rest_s(events: int) -> float:
    """Seconds to rest after a page of so many events."""
    return min(_LEAST_S + _PER_EVENT_S * events, _MOST_S)
