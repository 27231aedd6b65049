"""The report of one run: sections of figures, what was tried on the way, and whether all is well.

It fills while the bench goes on, so that what was measured before a failure can be shown.
"""

import msgspec
from msgspec import Struct, field

from benchmarks.figures import Figure
from benchmarks.machine import Machine, Usage
from benchmarks.money import Books, Verdict
from benchmarks.phases.debits import Probe
from benchmarks.plan import Plan
from benchmarks.revision import Revision


class Section(Struct, kw_only=True):
    """Figures that belong together."""

    name: str
    figures: list[Figure]


class Report(Struct, kw_only=True):
    """Everything that one run came to."""

    plan: Plan
    revision: Revision | None = None
    sections: list[Section] = field(default_factory=list)
    machine: Machine | None = None
    usage_in_burst: Usage | None = None
    probes: list[Probe] = field(default_factory=list)
    books: Books | None = None
    verdict: Verdict | None = None
    restarted: list[str] = field(default_factory=list)
    failure: str | None = None
    """Why the run ended early."""
    seconds: float = 0.0

    def add(self, name: str, *figures: Figure) -> None:
        """Add figures to a section, which is made if it is new."""
        for section in self.sections:
            if section.name == name:
                section.figures.extend(figures)
                return
        self.sections.append(Section(name=name, figures=list(figures)))

    def as_json(self) -> bytes:
        """All of it, with what follows from each figure beside it."""
        tree = msgspec.to_builtins(self)
        for section, shown in zip(self.sections, tree["sections"], strict=True):
            for figure, fields in zip(section.figures, shown["figures"], strict=True):
                limit = figure.target.limit if figure.target else None
                fields.update(limit=limit, ratio=figure.ratio, met=figure.met)
        tree["mistakes"] = self.mistakes()
        return msgspec.json.format(msgspec.json.encode(tree)) + b"\n"

    def mistakes(self) -> list[str]:
        """What makes the figures worthless; targets that were missed are none of it."""
        found = [f"{name} was restarted during the run" for name in self.restarted]
        if self.failure is not None:
            return [self.failure, *found]
        if self.books is not None:
            found += self.books.mistakes()
        if self.verdict is not None and self.verdict.status != 0:
            said = "; ".join(self.verdict.last_lines[-1:])
            found.append(f"`ledger verify` ended with status {self.verdict.status}: {said}")
        return found
