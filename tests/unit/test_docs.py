"""The documentation agrees with the code: links lead somewhere, references leave nothing out."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import click
import msgspec
import pytest
from prometheus_client import REGISTRY, CollectorRegistry

import services.intake.metrics
import services.projector.metrics
import services.relay.metrics
import services.sandbox_provider.metrics
import services.scheduler.metrics
from schemas import results
from schemas.commands import COMMAND_TYPES, Command
from schemas.events import EVENT_TYPES, WALLET_EVENT_TYPES
from schemas.http import credit_wallets as http
from schemas.http.batches import BatchCommand
from schemas.http.problems import PROBLEMS
from services.command_line.main import commands
from services.gateway import fields
from services.gateway.baas.failures import OWN_FAILURES
from services.gateway.baas.vault_metrics import VaultMetrics
from services.gateway.metrics import RequestMetrics
from services.gateway.payments.metrics import PaymentMetrics
from services.gateway.rate_limits.metrics import RateLimitMetrics
from services.intake.messages import RefusalReason
from services.publish_schemas.examples import EVENTS, plain
from services.publish_schemas.headers import HEADER_SETS
from services.runtime.health import ready_gauge
from services.runtime.processor_metrics import ProcessorMetrics
from services.runtime.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"

_LINK = re.compile(r"\[(?P<text>[^\]\[]*)\]\((?P<target>[^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_NAMED_TEST = re.compile(
    r"\[`(?P<name>test_\w+)`\]\((?P<target>[^)\s]+)\)(?P<mark>\s+\*\(slow\)\*)?"
)


class NamedTest(NamedTuple):
    """A test that a page names: its file, and whether the page says that it is slow."""

    file: Path
    name: str
    is_marked: bool


@cache
def pages() -> list[Path]:
    """Every Markdown file that is tracked, or would be if everything were added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(path for name in listed.stdout.split("\0") if (path := ROOT / name).is_file())


def prose(path: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCED.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """What a link can lead to in a page, spelled as GitHub spells it."""
    titles = (match["title"] for match in _HEADING.finditer(prose(path)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links() -> Iterator[tuple[Path, str, str]]:
    """Page, text and target of every link that stays in the repository."""
    for path in pages():
        for match in _LINK.finditer(prose(path)):
            if not match["target"].startswith(("http://", "https://")):
                yield path, match["text"], match["target"]


def named_tests() -> list[NamedTest]:
    """Every test that a page names, as often as pages do."""
    return [
        NamedTest((path.parent / match["target"]).resolve(), match["name"], bool(match["mark"]))
        for path in pages()
        for match in _NAMED_TEST.finditer(prose(path))
    ]


def run_without_all(files: Iterable[Path]) -> set[tuple[Path, str]]:
    """File and name of every test of which `./dev test` runs at least one case."""
    listed = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-m", "not slow"),
            *("-p", "no:cacheprovider", *map(str, sorted(files))),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    cases = re.findall(r"^(\S+)::(test_\w+)", listed.stdout, re.MULTILINE)
    return {((ROOT / file), name) for file, name in cases}


def sections(page: Path) -> dict[str, str]:
    """The text under each second-level heading."""
    _, *parts = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: text for title, _, text in (part.partition("\n") for part in parts)}


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, without their heads."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = {n for n, row in enumerate(cells) if all(set(cell) <= set("-:") for cell in row)}
    return [row for n, row in enumerate(cells) if n not in rules and n + 1 not in rules]


def codes(text: str) -> list[str]:
    """Everything in the text that is spelled as code."""
    return _CODE.findall(text)


def test_every_link_leads_somewhere() -> None:
    broken = []
    for path, _, target in links():
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_test_that_a_page_names_is_there() -> None:
    named = named_tests()
    assert len(named) > 30
    assert len(named) == sum(text.startswith("`test_") for _, text, _ in links())
    missing = [test.name for test in named if f"def {test.name}(" not in test.file.read_text()]
    assert missing == []


def test_a_test_that_runs_only_with_all_is_marked_where_a_page_names_it() -> None:
    """Readers are told by the mark which proof is not given at every change."""
    named = named_tests()
    running = run_without_all({test.file for test in named})
    wrong = {
        f"{test.name} is {'not ' * test.is_marked}slow"
        for test in named
        if test.is_marked == ((test.file, test.name) in running)
    }
    assert wrong == set()


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {
        (path.parent / target.partition("#")[0]).resolve()
        for path, _, target in links()
        if path == index
    }
    inside = {path for path in pages() if path.is_relative_to(index.parent)}
    assert inside - listed == {index}


def test_every_code_of_a_problem_is_explained() -> None:
    expected = [
        [f"`{kind.code}`", str(kind.status), kind.title, kind.meaning] for kind in PROBLEMS.values()
    ]
    assert rows(sections(REFERENCE / "errors.md")["Codes"]) == expected


def test_every_failure_of_the_second_api_is_explained() -> None:
    expected = [
        [f"`{code}`", str(failure.status), failure.message]
        for code, failure in OWN_FAILURES.items()
    ]
    table = rows(sections(REFERENCE / "errors.md")["The second API"])
    assert [row[:3] for row in table] == expected


def test_every_code_of_a_problem_has_its_place_in_the_order() -> None:
    placed = set(codes(sections(REFERENCE / "errors.md")["Order"])) & set(PROBLEMS)
    assert placed == set(PROBLEMS)


def test_every_code_of_a_field_is_explained() -> None:
    found = set(re.findall(r'_found\(\s*(?:param|"\w+"),\s*"(\w+)"', inspect.getsource(fields)))
    explained = [
        codes(row[0])[0] for row in rows(sections(REFERENCE / "errors.md")["Codes of fields"])
    ]
    assert len(explained) == len(set(explained))
    assert set(explained) == found


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_is_shown(name: str) -> None:
    """With what it means, and an example that the published schemas have, too."""
    text = sections(REFERENCE / "events.md")[name]
    meaning = " ".join((EVENT_TYPES[name].__doc__ or "").split())
    example = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert text.strip().startswith(f"{meaning}\n\n```json")
    assert example is not None
    assert msgspec.json.decode(example[1]) == plain(EVENTS[name])


def test_only_events_and_commands_that_there_are_are_shown() -> None:
    shown = sections(REFERENCE / "events.md")
    from_what = "Which come from what"
    assert shown.keys() - {from_what} == EVENT_TYPES.keys()
    table = rows(shown[from_what])
    commands = {str(kind.__struct_config__.tag) for kind in get_args(Command)}
    assert commands > COMMAND_TYPES.keys(), "some do not come over Kafka"
    assert sorted(codes(row[0])[0] for row in table) == sorted(commands)
    told = {code for row in table for cell in row[1:] for code in codes(cell)}
    assert told <= EVENT_TYPES.keys() | PROBLEMS.keys()
    assert told >= WALLET_EVENT_TYPES.keys()


@pytest.mark.parametrize("name", HEADER_SETS)
def test_every_header_is_explained(name: str) -> None:
    schema: dict[str, Any] = HEADER_SETS[name]
    expected = [
        [f"`{header}`", "yes" if header in schema["required"] else "no", of["description"]]
        for header, of in schema["properties"].items()
    ]
    section = schema["title"].removeprefix("Headers on ")
    assert rows(sections(REFERENCE / "kafka.md")[section]) == expected


def test_the_topics_are_those_of_the_settings() -> None:
    page = (REFERENCE / "kafka.md").read_text(encoding="utf-8")
    shown = [(codes(row[0])[0], row[3]) for row in rows(page) if len(row) == 5]
    settings = Settings()
    partitions = str(settings.topic_partitions)
    assert shown == [
        (settings.events_topic, partitions),
        (settings.commands_topic, partitions),
        (settings.results_topic, partitions),
        (settings.rejected_topic, "1"),
    ]


@pytest.mark.parametrize("kind", ["wallet", "transaction", "hold", "transfer", "topup"])
def test_what_has_another_name_over_kafka_than_over_http_is_explained(kind: str) -> None:
    name = kind.capitalize()
    over_http = set(getattr(http, name).__struct_encode_fields__)
    over_kafka = set(getattr(results, f"{name}View").__struct_encode_fields__)
    table = rows(sections(REFERENCE / "kafka.md")["Names over HTTP and over Kafka"])
    of_it = [row for row in table if codes(row[0]) == [kind]]
    shown_http, shown_kafka = (
        {member for row in of_it for member in codes(row[n])} for n in (1, 2)
    )
    assert (shown_http, shown_kafka) == (over_http - over_kafka, over_kafka - over_http)


def test_the_three_spellings_of_each_command_are_shown() -> None:
    page = ROOT / "docs" / "how-to" / "send-many-commands-at-once.md"
    text = page.read_text(encoding="utf-8").partition("\n## ")[0]
    table = [row for row in rows(text) if len(row) == 4]
    in_batches = {
        str(kind.__struct_config__.tag): codes(str(kind.__doc__))[0]
        for kind in get_args(BatchCommand)
    }
    assert {codes(row[1])[0]: codes(row[0])[0] for row in table} == in_batches
    over_kafka = {codes(row[3])[0] for row in table}
    beside = codes(text.partition("Top-ups are not in batches")[2].partition("\n\n")[0])
    assert sorted([*over_kafka, *beside]) == sorted(COMMAND_TYPES)


def test_every_reason_to_reject_a_message_is_explained() -> None:
    page = ROOT / "docs" / "how-to" / "publish-commands-over-kafka.md"
    explained = [codes(row[0])[0] for row in rows(sections(page)["What comes back"])]
    assert sorted(explained) == sorted(get_args(RefusalReason))


def test_every_setting_is_explained() -> None:
    page = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
    shown = {codes(row[0])[0]: row[1:] for row in rows(page)}
    settings = {PREFIX + field.name.upper(): field for field in msgspec.structs.fields(Settings)}
    assert shown.keys() == settings.keys()
    for variable, field in settings.items():
        default, meaning = shown[variable]
        assert default == ("" if field.default is None else f"`{field.default}`"), variable
        if get_origin(field.type) is Literal:
            assert set(get_args(field.type)) <= set(codes(meaning)), variable


def test_every_metric_is_explained() -> None:
    own = CollectorRegistry()
    ProcessorMetrics(own)
    PaymentMetrics(own)
    RateLimitMetrics(own)
    VaultMetrics(own)
    ready_gauge(list, own)
    requests = RequestMetrics()
    requests.count("/", "GET", 200, 0.0)
    expected = {}
    for collector in (requests, *own._collector_to_names, *_metrics_of_modules()):
        for family in collector.collect():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = getattr(collector, "_labelnames", None) or [
                label for label in family.samples[0].labels if collector is requests
            ]
            expected[name] = (family.type, sorted(set(labels) - {"le"}), family.documentation)
    page = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    shown = {
        codes(row[0])[0]: (row[1], sorted(codes(row[2])), row[3])
        for row in rows(page)
        if len(row) == 4
    }
    assert shown == expected


def _metrics_of_modules() -> list[Any]:
    modules = (
        *(services.intake.metrics, services.projector.metrics),
        *(services.relay.metrics, services.sandbox_provider.metrics, services.scheduler.metrics),
    )
    registered = set(REGISTRY._collector_to_names)
    return [
        each for module in modules for each in vars(module).values() if _is_in(each, registered)
    ]


def _is_in(value: object, registered: set[Any]) -> bool:
    return type(value).__module__.startswith("prometheus_client") and value in registered


def _leaves(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    for command_name, command in group.commands.items():
        full_name = f"{name} {command_name}"
        if isinstance(command, click.Group):
            yield from _leaves(command, full_name)
        else:
            yield full_name, command


def test_every_command_and_option_is_explained() -> None:
    shown = sections(REFERENCE / "command-line.md")
    there_are = dict(_leaves(commands, "ledger"))
    assert {title for title in shown if title.startswith("ledger ")} == there_are.keys()
    for name, command in there_are.items():
        options = {
            option
            for parameter in command.params
            if isinstance(parameter, click.Option)
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {option for row in rows(shown[name]) for option in codes(row[0])} == options, name


def test_every_command_of_dev_is_explained() -> None:
    usage = re.search(
        r"usage: \./dev COMMAND\n\n(.*?)\nTEXT", (ROOT / "dev").read_text(), re.DOTALL
    )
    assert usage is not None
    there_are = re.findall(r"^  (\w+)", usage[1], re.MULTILINE)
    shown = [codes(row[0])[0] for row in rows(sections(REFERENCE / "command-line.md")["./dev"])]
    assert sorted(shown) == sorted(f"./dev {command}" for command in there_are)


def test_the_map_of_the_folders_is_complete() -> None:
    shown = {row[0] for row in rows(sections(ROOT / "README.md")["The folders"])}
    folders = {path.relative_to(ROOT).parts[0] for path in _tracked() if path.parent != ROOT}
    assert shown == {f"[{folder}/]({folder}/)" for folder in folders - {".ci"}}


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]
