"""What addresses this machine has."""

import socket


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = _has_ipv6()
"""Many containers have no `::1`; then nothing of ours, nor of anyone's, can listen there."""
LOOPBACKS = ["127.0.0.1", "127.0.0.2", *(["::1"] if HAS_IPV6 else [])]
