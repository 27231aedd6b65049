"""What addresses this machine has."""

import socket

import pytest


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


# Where the kernel has no `::1`, as in many containers, nothing can listen there: what these tests
# are about cannot happen, and nothing of ours could make it. Everywhere else they run.
NEEDS_IPV6 = pytest.mark.skipif(
    not _has_ipv6(), reason="nothing can listen on ::1 here, so no process of ours ever will"
)
