"""The alerting rules name metrics that there are, and pages that are there; the table names them.

They are read by their layout, one key a line: that they are rules is checked with promtool.
"""

import re
from typing import NamedTuple

from tests.unit.test_docs import REFERENCE, ROOT, anchors, codes, rows, sections

_RULES = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
_OF_OTHERS = {"up", "process_start_time_seconds"}
"""What Prometheus and the client library tell of any process."""
_PAGE = re.compile(r"(docs/[a-z0-9/_-]+\.md)(#[a-z0-9-]+)?")
_METRIC = re.compile(r"\b(?:ledger|process)_[a-z_]+\b|\bup\b")


class Alert(NamedTuple):
    """One rule: its name, and the text under it."""

    name: str
    text: str

    def value(self, key: str) -> str:
        """What stands behind a key; a folded value as one line, an absent one as nothing."""
        found = re.search(
            rf"^ +{key}: (?:>-\n((?:(?: {{10,}}|\n)\S.*\n)+)|(.+)\n)", self.text, re.MULTILINE
        )
        return " ".join((found[1] or found[2]).split()) if found else ""


def alerts() -> list[Alert]:
    """Every rule of the file."""
    _, *parts = re.split(r"^      - alert: ", _RULES, flags=re.MULTILINE)
    return [Alert(name, text) for name, _, text in (part.partition("\n") for part in parts)]


def metrics_of(alert: Alert) -> set[str]:
    """The metrics that its expression asks for."""
    without_texts = re.sub(r'"[^"]*"', "", alert.value("expr"))
    return set(_METRIC.findall(re.sub(r"\b(?:on|by) \([^)]*\)", "", without_texts)))


def documented_metrics() -> set[str]:
    """Every metric of the reference."""
    page = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    return {codes(row[0])[0] for row in rows(page) if len(row) == 4}


def test_every_alert_asks_for_metrics_that_there_are() -> None:
    asked = {alert.name: metrics_of(alert) for alert in alerts()}

    assert all(asked.values())
    assert set().union(*asked.values()) - documented_metrics() <= _OF_OTHERS
    assert len(re.findall(r"ledger_[a-z_]+_total", _RULES)) > 5


def test_every_metric_that_is_for_alarms_has_one() -> None:
    asked = set().union(*map(metrics_of, alerts()))
    page = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    for_alarms = {codes(row[0])[0] for row in rows(page) if len(row) == 4 and "alarm" in row[3]}

    assert len(for_alarms) > 4
    assert for_alarms <= asked


def test_every_alert_says_how_bad_it_is_what_it_is_and_what_to_do() -> None:
    for alert in alerts():
        assert alert.value("severity") in {"critical", "warning"}, alert.name
        assert alert.value("summary"), alert.name
        pages = _PAGE.findall(alert.value("description"))
        assert pages, f"{alert.name} names a page"
        for path, anchor in pages:
            assert (ROOT / path).is_file(), f"{alert.name}: {path}"
            assert not anchor or anchor[1:] in anchors(ROOT / path), f"{alert.name}: {anchor}"


def test_the_reference_names_every_alert_with_its_severity_and_its_metrics() -> None:
    table = rows(sections(REFERENCE / "metrics.md")["What to alarm on"])
    shown = {codes(row[2])[0]: row for row in table}

    assert len(shown) == len(table)
    assert list(shown) == [alert.name for alert in alerts()]
    for alert in alerts():
        when, _, named = shown[alert.name]
        assert named == f"`{alert.name}`, {alert.value('severity')}"
        metrics = {code for code in codes(when) if code.startswith("ledger_")}
        assert metrics <= metrics_of(alert), alert.name
