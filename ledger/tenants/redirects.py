"""Redirects: where a customer's browser may be sent after a top-up. Pure.

Browsers and parsers read an unusual URL differently, and then a check says little about where
the browser goes. So only the plain spelling passes, by an expression of our own.
"""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from ledger.tenants import Environment

MAX_REDIRECT_CHARACTERS: Final = 2048

_ORIGIN = (
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
)
_WHOLE_ORIGIN = re.compile(_ORIGIN, re.ASCII)
_URL = re.compile(_ORIGIN + r"(?:[/?#][!-~]*)?", re.ASCII)
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_LARGEST_PORT: Final = 65_535
_USUAL_PORTS: Final = {"http": 80, "https": 443}
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_EVERYWHERE: Final[AbstractSet[str]] = frozenset()


def problem_of_redirect(
    url: str, environment: Environment, allowed_origins: AbstractSet[str] = _EVERYWHERE
) -> str | None:
    """Why a browser may not be sent there, in words that do not repeat the URL; None if it may.

    `allowed_origins` are spelled as `origin_of` spells them; where there is none, all are allowed.
    """
    if len(url) > MAX_REDIRECT_CHARACTERS:
        return f"must not be longer than {MAX_REDIRECT_CHARACTERS} characters"
    if not _VISIBLE.fullmatch(url) or "\\" in url:
        return "must be of visible ASCII characters without backslash; percent-encode others"
    found = _URL.fullmatch(url)
    origin = None if found is None else _origin(found)
    if found is None or origin is None:
        return "must be an http or https URL with a host, and without user and password"
    is_local = found["host"].lower() in _THIS_MACHINE
    if found["scheme"] == "http" and environment != "sandbox" and not is_local:
        return "must be an https URL"
    if allowed_origins and origin not in allowed_origins:
        return "must be of an origin on the merchant's list"
    return None


def origin_of(text: str) -> str | None:
    """An origin, `scheme://host[:port]`, in the one spelling that is compared; None if it is none.

    The host is in lower case, and a scheme's usual port is left out.
    """
    found = _WHOLE_ORIGIN.fullmatch(text)
    return None if found is None else _origin(found)


def _origin(found: re.Match[str]) -> str | None:
    scheme, host = found["scheme"], found["host"].lower()
    port = int(found["port"] or _USUAL_PORTS[scheme])
    if not 1 <= port <= _LARGEST_PORT:
        return None
    return f"{scheme}://{host}" if port == _USUAL_PORTS[scheme] else f"{scheme}://{host}:{port}"
