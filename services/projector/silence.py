"""Which partitions Kafka tells nothing of, although it is asked for news of them all the time.

An answer without messages is news, too: then the partition has none. Where no answer comes,
what was known of the partition's end says nothing about where it is now.
"""

from collections.abc import Container, Mapping
from typing import NamedTuple

SILENCE_S = 5.0
"""Answers come many times a second; a broker that takes over is there within a few."""


class _Word(NamedTuple):
    """When the last answer came by its own stamp, and when that was noticed."""

    stamp: int | None
    noticed_at: float


class Silence:
    """Remembers of each partition when its last answer was noticed. The clock is the caller's."""

    def __init__(self) -> None:
        self._words: dict[int, _Word] = {}
        self.partitions: frozenset[int] = frozenset()
        """Those that were silent for too long when it was looked last."""

    def look(self, stamps: Mapping[int, int | None], heard: Container[int], now_s: float) -> None:
        """Compare each partition's stamp of its last answer with the one that was there before.

        `heard` are those that gave messages meanwhile: while there are some at hand, a
        partition is not asked for more.
        """
        words = {}
        for partition, stamp in stamps.items():
            word = self._words.get(partition)
            if word is None or word.stamp != stamp or partition in heard:
                word = _Word(stamp, now_s)
            words[partition] = word
        self._words = words
        self.partitions = frozenset(
            partition for partition, word in words.items() if now_s - word.noticed_at > SILENCE_S
        )
