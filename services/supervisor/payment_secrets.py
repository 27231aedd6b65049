"""What the gateway and the sandbox provider share: made once, readable by their owner only."""

import os
import secrets
import shlex
from pathlib import Path

_NAMES = ("LEDGER_PAYMENT_API_KEY", "LEDGER_PAYMENT_CALLBACK_SECRET")


def payment_secrets(home: Path) -> dict[str, str]:
    """The variables that both get, out of `sandbox-provider/secrets.env`, which is made if missing.

    Kept over restarts: callbacks that wait are to be known by their signature then, too.
    """
    path = home / "sandbox-provider" / "secrets.env"
    if not path.exists():
        _write(path, {name: secrets.token_urlsafe(32) for name in _NAMES})
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words)


def _write(path: Path, variables: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={shlex.quote(text)}\n" for name, text in variables.items())
    unfinished.replace(path)
