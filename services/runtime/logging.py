"""Logs: one JSON object a line on standard output, ours and the libraries' alike.

Whatever was bound with `structlog.contextvars` (request id, correlation id) is on every
line. Secrets and personal data are never logged, so nothing here tries to filter them.
"""

import logging
import sys

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

_ENCODER = msgspec.json.Encoder(enc_hook=repr)


def configure_logging(process: str, level: str) -> None:
    """Set up logging for a process called `process`, from `level` (info, debug …) up."""

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
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
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
    """Hands a record of the standard library on to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info
        )
