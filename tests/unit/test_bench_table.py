"""The bench's table: what was missed does not look as if it had been reached."""

import pytest

from benchmarks.figures import Figure, Target, at_least, at_most
from benchmarks.table import Row, row_of


def row(value: float, target: Target | None) -> Row:
    return row_of(Figure(key="burst", name="burst", value=value, unit="/s", target=target))


@pytest.mark.parametrize(
    ("value", "target", "shown"),
    [
        (
            6929.0,
            Target(kind="at_least", factor=2, reference=3471.5),
            ("6,929 /s", "1.996"),
        ),
        (
            6942.8,
            Target(kind="at_least", factor=2, reference=3471.5),
            ("6,942.8 /s", "1.9999"),
        ),
        (100.2, at_most(100), ("100.2 /s", "1.002")),
        (99.96, at_least(100), ("99.96 /s", "0.9996")),
        (50.0, at_least(100), ("50.0 /s", "0.50")),
    ],
)
def test_a_missed_target_is_not_rounded_up_to_it(
    value: float, target: Target, shown: tuple[str, str]
) -> None:
    line = row(value, target)
    assert (line.value, line.ratio.split()[0], line.met) == (*shown, "NO")
    assert line.value not in line.target


def test_the_limit_is_shown_as_exactly_as_the_value_that_missed_it() -> None:
    twice = Target(kind="at_least", factor=2, reference=3471.5, reference_name="TPC-B")
    assert row(6942.8, twice).target.endswith("TPC-B (6,943.0 /s)")


def test_what_was_reached_has_the_usual_digits() -> None:
    line = row(100.004, at_least(100))
    assert (line.value, line.ratio.split()[0], line.met) == ("100 /s", "1.00", "yes")


def test_without_a_target_there_is_a_value_only() -> None:
    assert row(74.54, None) == Row("burst", "74.5 /s", "", "", "", "")
