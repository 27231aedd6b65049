"""Hosts as they stand in a URL, and places where nothing can listen."""

import os
import socket


class ListenError(Exception):
    """Nothing can listen where the settings say. The message names them, and the reason."""

    def __init__(self, settings: str, host: str, port: int, error: OSError) -> None:
        # An event loop says the place once more, and each in other words.
        why: object = error.strerror or error
        if error.errno and not isinstance(error, socket.gaierror):
            why = os.strerror(error.errno)
        super().__init__(
            f"{settings}: nothing can listen on http://{host_in_url(host)}:{port}: {why}"
        )


def host_in_url(host: str) -> str:
    """A name or an address; one of IPv6 in brackets, for its colons would begin the port."""
    return f"[{host}]" if ":" in host else host
