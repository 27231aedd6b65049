"""Hosts as they stand in a URL."""


def host_in_url(host: str) -> str:
    """A name or an address; one of IPv6 in brackets, for its colons would begin the port."""
    return f"[{host}]" if ":" in host else host
