"""A row of the tables of refused calls of the BaaS API."""

from typing import NamedTuple

from tests.specs.running_gateway import Who


class Row(NamedTuple):
    """A call that is refused. `{user}` is a customer whose wallet `{wallet}` holds 10 naira."""

    name: str
    method: str
    path: str
    status: int
    message: str
    fields: tuple[str, ...] = ()
    """Which fields are named, in order."""
    body: object = None
    data: bytes | None = None
    headers: dict[str, str] | None = None
    who: Who | None = "merchant"
