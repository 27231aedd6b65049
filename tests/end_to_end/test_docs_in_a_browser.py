"""Both pages of documentation in a real browser, and their examples as a shell takes them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.gateway.docs import BAAS_OPENAPI_FILE, OPENAPI_FILE
from tests.specs.browser import Browser, running_browser
from tests.specs.pictures import PDF
from tests.specs.running_stack import RunningStack

PAGES = {"docs": OPENAPI_FILE, "baas/docs": BAAS_OPENAPI_FILE}
PHONE, DESK = 320, 1200
READABLE = 4.5
"""The least contrast of text and its ground that WCAG 2 calls AA."""

_CONTRASTS = """
const light = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255)
  .map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
  .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
const ground = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return colour === "rgba(0, 0, 0, 0)" && element.parentElement
    ? ground(element.parentElement) : colour;
};
const texts = [...document.querySelectorAll("body *")].filter((each) =>
  [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
return texts.map((each) => {
  const pair = [light(getComputedStyle(each).color), light(ground(each))].sort((a, b) => b - a);
  return [(pair[0] + .05) / (pair[1] + .05), `${each.tagName} ${each.className}`];
}).sort((a, b) => a[0] - b[0])[0];
"""
_OUTSIDE = """
return [...document.querySelectorAll("body *:not(.skip)")]
  .filter((each) => !each.closest("pre") && each.getBoundingClientRect().right > innerWidth)
  .map((each) => each.outerHTML.slice(0, 100));
"""
_EXAMPLES = """
return [...document.querySelectorAll("section.operation")].map((section) =>
  [section.id, section.querySelector("figure code").textContent]);
"""
_PLACES = """
window.places = [];
addEventListener("scroll", () => places.push(scrollY));
"""


@pytest.fixture
async def browser(server_home: Path) -> AsyncIterator[Browser]:
    async with running_browser(server_home) as started:
        yield started


def operations(page: str) -> dict[str, Any]:
    """The calls of the page's document by their ids."""
    paths = json.loads(PAGES[page].read_bytes())["paths"]
    return {call["operationId"]: call for path in paths.values() for call in path.values()}


async def show(
    browser: Browser, stack: RunningStack, page: str, width: int = DESK, scheme: str = "light"
) -> None:
    """Open a page on a screen of this width, and wait until it has everything."""
    await browser.emulate(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=width == PHONE,
    )
    preferences = [
        {"name": "prefers-color-scheme", "value": scheme},
        # A click cannot meet what is still on its way.
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    await browser.emulate("Emulation.setEmulatedMedia", features=preferences)
    await browser.open(f"{stack.url}/{page}")
    await browser.says("Credentials")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_both_pages_can_be_read_on_every_screen(
    stack: RunningStack, browser: Browser, width: int, scheme: str
) -> None:
    for page in PAGES:
        await show(browser, stack, page, width, scheme)
        await browser.run("for (const each of document.querySelectorAll('details')) each.open = 1")
        assert await browser.run(_OUTSIDE) == []
        contrast, where = await browser.run(_CONTRASTS)
        assert contrast >= READABLE, f"{where} of {page}: {contrast}"
        ground = await browser.run("return getComputedStyle(document.body).backgroundColor")
        brightness = sum(int(part) for part in ground.strip("rgb()").split(",")) / 3
        assert (brightness < 64) if scheme == "dark" else (brightness > 192), ground


async def test_a_phone_shows_the_title_first_and_leads_to_every_call(
    stack: RunningStack, browser: Browser
) -> None:
    for page in PAGES:
        await show(browser, stack, page, PHONE)
        top = "return document.querySelector('{}').getBoundingClientRect().top"
        assert await browser.run(top.format("h1")) < 200
        *_, last = operations(page).values()
        await browser.click("Contents")
        await browser.click(last["summary"])
        assert (await browser.url()).endswith(f"#{last['operationId']}")
        await browser.until(
            f"const top = document.getElementById('{last['operationId']}')"
            ".getBoundingClientRect().top; return top >= 0 && top < 100"
        )


async def test_a_desk_has_the_contents_beside_the_text(
    stack: RunningStack, browser: Browser
) -> None:
    for page in PAGES:
        await show(browser, stack, page)
        links = await browser.run(
            "return [...document.querySelectorAll('nav a')].filter((each) => each.offsetHeight)"
            ".map((each) => each.getAttribute('href').slice(1))"
        )
        assert operations(page).keys() <= set(links)
        assert await browser.run("return document.querySelector('main').offsetLeft") > 200


async def test_an_address_that_names_a_problem_shows_it_at_once(
    stack: RunningStack, browser: Browser
) -> None:
    """What a problem's `type` is. Nothing is scrolled through on the way to it."""
    await browser.emulate("Page.addScriptToEvaluateOnNewDocument", source=_PLACES)

    await browser.open(f"{stack.url}/docs#problem-wallet_not_found")

    await browser.until("return document.querySelector('main').ariaBusy === 'false'")
    await browser.until(
        "const top = document.getElementById('problem-wallet_not_found')"
        ".getBoundingClientRect().top; return top >= 0 && top < 100"
    )
    assert len(await browser.run("return places")) == 1


async def test_every_example_is_a_call_that_the_gateway_takes(
    stack: RunningStack, browser: Browser, tmp_path: Path
) -> None:
    """What it names is mostly not there, and the gateway says no more than that."""
    (tmp_path / "bill.pdf").write_bytes(PDF)
    for page in PAGES:
        await show(browser, stack, page)
        examples = dict(await browser.run(_EXAMPLES))
        assert examples.keys() == operations(page).keys()
        for name, example in examples.items():
            status, body = await run_in_a_shell(stack, example, tmp_path)
            if status == 403:
                assert "scope `admin`" in operations(page)[name]["description"], body
                continue
            assert status in (200, 201, 404, 409, 422), f"{name}: {status} {body}"
            answer = json.loads(body)
            if status == 404:
                assert answer.get("code") != "not_found", f"{name}: there is no such path"
                assert answer.get("message") != "Not found", f"{name}: there is no such path"
            if status == 422:
                assert page == "baas/docs", f"{name}: {body}"
                assert answer["message"] == "BVN is known with other details"


async def run_in_a_shell(stack: RunningStack, example: str, folder: Path) -> tuple[int, str]:
    """Run an example as it is copied; the status and the body of the answer."""
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        example + " --silent --show-error --write-out '\\n%{http_code}'",
        env=stack.settings | stack.sandbox,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await shell.communicate()
    assert shell.returncode == 0, example
    body, _, status = output.decode().rpartition("\n")
    return int(status), body
