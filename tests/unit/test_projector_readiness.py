"""What a projector says of itself while Kafka does not answer; what a rebuild remembers."""

import pytest

from services.projector.metrics import Readiness
from services.projector.progress import Differences
from services.projector.silence import SILENCE_S, Silence


@pytest.fixture
def silence() -> Silence:
    """Two partitions that were heard of at second 100."""
    silence = Silence()
    silence.look({0: 1, 1: 1}, (), 100.0)
    return silence


def test_answers_without_messages_are_no_silence(silence: Silence) -> None:
    for second in range(1, 60):
        silence.look({0: 1 + second, 1: 1 + second}, (), 100.0 + second)
        assert not silence.partitions


def test_a_partition_without_an_answer_is_silent_after_a_while_and_until_one_comes(
    silence: Silence,
) -> None:
    silence.look({0: 1, 1: 2}, (), 100.0 + SILENCE_S)
    assert not silence.partitions, "it may be on its way"
    silence.look({0: 1, 1: 3}, (), 100.1 + SILENCE_S)
    assert silence.partitions == {0}
    silence.look({0: 2, 1: 3}, (), 100.2 + SILENCE_S)
    assert not silence.partitions


def test_a_partition_is_not_silent_while_what_it_gave_is_worked_on(silence: Silence) -> None:
    silence.look({0: 1, 1: 2}, {0}, 200.0)
    assert not silence.partitions
    silence.look({0: 1, 1: 3}, (), 200.1 + SILENCE_S)
    assert silence.partitions == {0}


def test_a_partition_that_went_away_and_came_back_begins_anew(silence: Silence) -> None:
    silence.look({1: 2}, (), 200.0)
    silence.look({0: None, 1: 3}, (), 300.0)
    assert not silence.partitions
    silence.look({0: None, 1: 4}, (), 300.1 + SILENCE_S)
    assert silence.partitions == {0}, "it was never heard of"


def test_a_projector_that_has_caught_up_is_not_ready_while_kafka_is_silent() -> None:
    readiness = Readiness()
    assert readiness.reasons() == ["starting"]
    readiness.connected = readiness.caught_up = True
    assert readiness.reasons() == []
    readiness.silence = "Kafka tells nothing of the partitions [0]"
    assert readiness.reasons() == ["Kafka tells nothing of the partitions [0]"]


def test_of_many_differences_the_first_ten_are_kept_and_all_are_counted() -> None:
    differences = Differences()
    for page in range(1000):
        differences.add([f"{page}.{row}" for row in range(7)])
    assert differences.count == 7000
    assert differences.first == [f"0.{row}" for row in range(7)] + ["1.0", "1.1", "1.2"]
