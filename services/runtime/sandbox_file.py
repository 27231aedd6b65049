"""`sandbox.env`: what `ledger up` tells people and programs about the stack that it runs.

Lines of shell, `NAME=value`. The supervisor writes it; everyone else only reads.
"""

import shlex
from pathlib import Path


def sandbox_path(home: Path) -> Path:
    """Where it stands."""
    return home / "sandbox.env"


def read_sandbox(home: Path) -> dict[str, str]:
    """Its variables; none if there is no such file."""
    path = sandbox_path(home)
    if not path.exists():
        return {}
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)
