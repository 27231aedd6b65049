"""Figures and their targets: what was measured, and what it is held against."""

from typing import Literal

from msgspec import Struct


class Target(Struct, frozen=True, kw_only=True):
    """At least or at most `factor` times a reference, which may be a figure of the same run."""

    kind: Literal["at_least", "at_most"]
    factor: float
    reference: float
    reference_name: str | None = None
    """None: the reference is the limit itself."""

    @property
    def limit(self) -> float:
        """The value to reach, or not to exceed."""
        return self.factor * self.reference


class Figure(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    key: str
    """Names it in JSON; does not change."""
    name: str
    value: float
    unit: str
    target: Target | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the reference."""
        return self.value / self.target.reference if self.target else None

    @property
    def met(self) -> bool | None:
        """Whether the target was reached; None where there is none."""
        match self.target:
            case None:
                return None
            case Target(kind="at_least"):
                return self.value >= self.target.limit
            case _:
                return self.value <= self.target.limit


def at_least(limit: float) -> Target:
    """A limit of its own."""
    return Target(kind="at_least", factor=1, reference=limit)


def at_most(limit: float) -> Target:
    """A limit of its own."""
    return Target(kind="at_most", factor=1, reference=limit)


def times(factor: float, of: Figure, name: str) -> Target:
    """At least so many times another figure of this run."""
    return Target(kind="at_least", factor=factor, reference=of.value, reference_name=name)
