"""Ports: free ones, remembered under LEDGER_HOME so that a restart finds them again."""

import json
import random
import socket
from pathlib import Path

# Below the range from which the kernel takes the ports of outgoing connections, which
# under load would sooner or later take one of ours while its process restarts.
_LOWEST = 20_000
_HIGHEST = 31_999
_TRIES = 200
_CHANCE = random.SystemRandom()


class PortTakenError(Exception):
    """A port that was asked for is in use, or no free one was found."""


class RememberedPorts:
    """The ports of one LEDGER_HOME, in `run/ports.json`: process name → port."""

    def __init__(self, home: Path) -> None:
        self._path = home / "run" / "ports.json"

    def all(self) -> dict[str, int]:
        """Every remembered port by name."""
        try:
            return dict(json.loads(self._path.read_text()))
        except (OSError, ValueError):
            return {}

    def take(self, name: str) -> int:
        """The port of this name: the remembered one if it is free now, else another."""
        taken = self.all()
        port = taken.get(name)
        if port is None or not is_free(port):
            port = _free_port(set(taken.values()))
        self.remember(name, port)
        return port

    def remember(self, name: str, port: int) -> None:
        """Keep a port that was chosen elsewhere."""
        ports = self.all() | {name: port}
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.write_text(json.dumps(ports, indent=2, sort_keys=True) + "\n")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nobody listens on the port."""
    is_ipv6 = ":" in host
    with socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET) as probe:
        # Connections that have ended are no obstacle, somebody who listens is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_ipv6:
            # As asyncio's servers do: who listens on the same port of IPv4 is no obstacle.
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _free_port(taken: set[int]) -> int:
    for _ in range(_TRIES):
        port = _CHANCE.randint(_LOWEST, _HIGHEST)
        if port not in taken and is_free(port):
            return port
    message = f"no free port found between {_LOWEST} and {_HIGHEST}"
    raise PortTakenError(message)
