"""What each process costs: CPU time and resident memory, as /proc tells."""

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")

_PARENT = 1
_TIMES = slice(11, 15)
"""Places in /proc/<pid>/stat, counted from the state: user and system time, and the same of
children that have ended."""

_SHARED = ("RssFile", "RssShmem")


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds that each of these has used so far, with the processes that it started."""
    return {name: sum(map(_own_cpu_seconds, family)) for name, family in _families(pids).items()}


def resident_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Resident memory, with the processes that each started; what they share counts once."""
    return {name: _family_bytes(family) / 1_000_000 for name, family in _families(pids).items()}


def _families(pids: Mapping[str, int]) -> dict[str, list[int]]:
    """Each process with all its descendants."""
    children = defaultdict(list)
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and (stat := _stat(int(folder.name))):
            children[int(stat[_PARENT])].append(int(folder.name))
    families = {}
    for name, pid in pids.items():
        family = [pid]
        for member in family:
            family += children[member]
        families[name] = family
    return families


def _own_cpu_seconds(pid: int) -> float:
    stat = _stat(pid)
    return sum(map(int, stat[_TIMES])) / _TICKS_PER_SECOND if stat else 0.0


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name stands in parentheses and may hold anything.
    return text[text.rindex(")") + 2 :].split()


def _family_bytes(family: list[int]) -> int:
    members = [_memory(pid) for pid in family]
    return sum(each.get("RssAnon", 0) for each in members) + sum(
        max(each.get(kind, 0) for each in members) for kind in _SHARED
    )


def _memory(pid: int) -> dict[str, int]:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines if line.startswith("Rss"))
    return {name.removesuffix(":"): int(kilobytes) * 1024 for name, kilobytes, _ in fields}
