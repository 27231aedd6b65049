"""A DSN of PostgreSQL as the environment names it: wrong ones are told at the start, without it.

The driver would find out, too, but at the first connection, again and again, and in words
that may quote what stands in the DSN.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

_SCHEMES: Final = ("postgresql", "postgres")
_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_PORT: Final = re.compile(r":[0-9]+\Z")
_UNCLEAR: Final = (
    "it cannot be read as postgresql://user:password@host:port/database?…; in user, password "
    "and parameters, write any of :/?#[]@%& as % and two hexadecimal digits"
)


def mistake_in(dsn: str) -> str | None:
    """Why the DSN cannot be used, in words that hold no password; None if it may be right.

    The files that it names must be readable now.
    """
    try:
        parts = urlsplit(dsn)
        asked = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError:
        return _UNCLEAR
    if parts.fragment or not all(map(_is_clear, parts.netloc.rpartition("@")[2].split(","))):
        return _UNCLEAR
    if parts.netloc.count("@") > 1:
        return _UNCLEAR
    if parts.scheme not in _SCHEMES:
        return "it does not begin with postgresql://"
    mode = asked.get("sslmode", ["prefer"])[-1]
    if mode not in _MODES:
        return f"its sslmode must be one of {', '.join(_MODES)}"
    for name in _FILES:
        for path in asked.get(name, []):
            if trouble := unreadable(Path(path)):
                return f"its {name} {path} cannot be read: {trouble}"
    return None


def server_of(dsn: str) -> str:
    """Host, port and database of a DSN in which `mistake_in` finds none: no login, no password."""
    parts = urlsplit(dsn)
    asked = parse_qs(parts.query)
    hosts = parts.netloc.rpartition("@")[2] or asked.get("host", ["localhost"])[-1]
    port = asked.get("port", ["5432"])[-1]
    named = (host if _PORT.search(host) else f"{host}:{port}" for host in hosts.split(","))
    return f"{','.join(named)}{parts.path}"


def unreadable(path: Path) -> str | None:
    """Why a file cannot be read; None if it can."""
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


def _is_clear(host: str) -> bool:
    """Whether a host's port, if there is one, is a number."""
    # The colons of an IPv6 address stand in brackets.
    _, colon, port = host.rpartition("]")[2].rpartition(":")
    return not colon or (port.isascii() and port.isdigit())
