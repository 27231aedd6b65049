"""Who looked at whom: a line of the log for each look, at whatever level the log is.

It is written before anything is shown. It has ids, and nothing of a person.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from services.vault.customer import Customer

Shown = Literal["person", "utility_bill"]

# A level that leaves looks out would make a log that nobody can rely on.
_EVERYTHING: Final = structlog.make_filtering_bound_logger(logging.NOTSET)
_FILE: Final = "looks.jsonl"

Log = Any
"""A logger of structlog's."""


def process_log() -> Log:
    """The log of this process."""
    return structlog.wrap_logger(None, wrapper_class=_EVERYTHING)


@contextmanager
def kept_log(home: Path) -> Iterator[Log]:
    """A log for a command that talks to a person: `logs/looks.jsonl` in the home, mode 600.

    Raises `OSError` where it cannot be written.
    """
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    with os.fdopen(os.open(folder / _FILE, flags, 0o600), "ab") as file:
        yield structlog.wrap_logger(structlog.BytesLogger(file), wrapper_class=_EVERYTHING)


def tell_look(
    log: Log, shown: Shown, *, who: str, customer: Customer, wallet_id: str, **more: str
) -> None:
    """Say that somebody is shown this of a customer."""
    log.info(
        "customer_shown",
        shown=shown,
        who=who,
        tenant_id=customer.tenant_id,
        user_id=customer.user_id,
        wallet_id=wallet_id,
        **more,
    )
