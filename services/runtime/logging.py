"""Logs: one JSON object a line, ours and the libraries' alike.

A process logs on standard output. A command keeps that for what it was asked for, and logs on
standard error.

Whatever was bound with `structlog.contextvars` (request id, correlation id) is on every
line. Secrets and personal data are never logged, so nothing here tries to filter them.
"""

import logging
import sys
from collections import Counter
from typing import TextIO

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

_REPETITION_SECONDS = 10.0
_ENCODER = msgspec.json.Encoder(enc_hook=repr)


def configure_logging(process: str, level: str, stream: TextIO | None = None) -> None:
    """Set up logging for a process called `process`, from `level` (info, debug …) up.

    Lines go to `stream`, without one to standard output.
    """

    def name_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    numeric_level = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            name_process,
            structlog.processors.format_exc_info,
            _render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric_level),
        logger_factory=structlog.BytesLoggerFactory((stream or sys.stdout).buffer),
        cache_logger_on_first_use=True,
    )
    # Libraries speak through the standard library; below a warning they only chatter.
    logging.basicConfig(
        handlers=[_ToStructlog()], level=max(numeric_level, logging.WARNING), force=True
    )
    logging.captureWarnings(capture=True)


def _render(_: WrappedLogger, __: str, event: EventDict) -> bytes:
    ordered = {key: event.pop(key) for key in ("timestamp", "level", "process", "event")}
    return _ENCODER.encode({**ordered, **event})


class _ToStructlog(logging.Handler):
    """Hands records of the standard library on to structlog.

    What a library repeats, as Kafka's client does many times a second while the broker is
    away, is said once in a while, with how often it was left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[tuple[str, str], float] = {}
        self._left_out: Counter[tuple[str, str]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        kind = (record.name, str(record.msg))
        if record.created - self._said_at.get(kind, 0.0) < _REPETITION_SECONDS:
            self._left_out[kind] += 1
            return
        self._said_at[kind] = record.created
        structlog.get_logger().log(
            record.levelno,
            record.getMessage(),
            logger=record.name,
            left_out=self._left_out.pop(kind, 0),
            exc_info=record.exc_info,
        )
