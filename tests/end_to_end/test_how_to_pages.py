"""How-to pages whose commands are run as they stand there, as the tour of README.md is."""

import asyncio
from pathlib import Path

import pytest

from tests.end_to_end.test_readme_tour import ROOT, Normaliser, run_in_one_shell, steps
from tests.specs.running_stack import RunningStack

HOW_TO = ROOT / "docs" / "how-to"
PAGES = [
    "expire-promotional-credit",
    "hold-and-capture",
    "limit-and-watch-keys",
    "publish-commands-over-kafka",
    "reconcile-top-ups",
    "rotate-keys",
    "sell-prepaid-credit",
    "send-many-commands-at-once",
    "take-top-ups",
    "write-a-client",
]


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
async def test_the_page_shows_what_happens(
    page: str, stack: RunningStack, subtests: pytest.Subtests
) -> None:
    shown = steps(text_of(HOW_TO / f"{page}.md"))
    came = await asyncio.to_thread(run_in_one_shell, [step.command for step in shown], stack.home)
    as_shown, as_came = Normaliser(), Normaliser()
    for step, outcome in zip(shown, came, strict=True):
        with subtests.test(step.command.splitlines()[0]):
            assert as_came(outcome.output) == as_shown(step.output)
            assert outcome.status == 0


def test_every_page_that_says_that_it_is_run_is_run() -> None:
    saying = [
        page for page in HOW_TO.glob("*.md") if "A test runs" in " ".join(text_of(page).split())
    ]
    assert sorted(page.stem for page in saying) == PAGES
