"""What every part of the bench has in common: a voice, and a word for what went wrong."""

from collections.abc import Callable

Say = Callable[[str], None]
"""Tells the person who waits how far it got."""


class MeasurementError(Exception):
    """Something could not be measured. The message says what, and why."""
