"""The state of the source that the figures are of."""

import subprocess
from pathlib import Path

from msgspec import Struct

_RESULTS = "benchmarks/results"


class Revision(Struct, frozen=True, kw_only=True):
    """A commit, and whether the files were still those of it."""

    commit: str
    """Its short hash."""
    is_changed: bool

    def __str__(self) -> str:
        """As the report shows it."""
        return f"{self.commit}, with changes" if self.is_changed else self.commit


def revision_of(root: Path) -> Revision | None:
    """The revision of a checkout; none where it is not one, or there is no git."""
    try:
        commit = _git(root, "rev-parse", "--short", "HEAD")
        # An earlier run's report does not change what is measured.
        changed = _git(root, "status", "--porcelain", "--", ".", f":(exclude){_RESULTS}")
    except (OSError, subprocess.CalledProcessError):
        return None
    return Revision(commit=commit, is_changed=bool(changed))


def _git(root: Path, *words: str) -> str:
    ended = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, check=True, text=True
    )
    return ended.stdout.strip()
