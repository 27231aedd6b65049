"""A real browser: headless Chromium, driven as WebDriver (W3C) says, over HTTP.

Clicks are what a person's are: on what can be seen, with the browser following where they lead.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp

from services.supervisor.ports import RememberedPorts

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_TIMEOUT = aiohttp.ClientTimeout(total=60)
PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05
MISSING = "the tests need Chromium and its driver: sudo apt-get install chromium chromium-driver"


class BrowserError(Exception):
    """The browser could not do what was asked: the element is not there, or cannot be clicked."""


class Browser:
    """One browser with a profile of its own, which is thrown away with it."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client = client
        self._url = url

    @classmethod
    async def start(
        cls, client: aiohttp.ClientSession, driver_url: str, chromium: str, profile: Path
    ) -> Self:
        """Start Chromium by a driver that listens."""
        arguments = [
            *("--headless=new", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
            *("--disable-background-networking", "--window-size=1000,900"),
            # What starts beside a page, and no page of ours needs.
            *("--disable-extensions", "--disable-component-update", "--disable-default-apps"),
            "--disable-features=Translate,OptimizationHints,MediaRouter",
            f"--user-data-dir={profile}",
        ]
        if os.geteuid() == 0:
            # As root Chromium has no sandbox of its own; the pages here are ours.
            arguments.append("--no-sandbox")
        wanted = {
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            # How long to look for an element: a click does not wait for what it leads to.
            "timeouts": {"implicit": round(PATIENCE_SECONDS * 1000)},
        }
        session = await _call(
            client, "POST", f"{driver_url}/session", {"capabilities": {"alwaysMatch": wanted}}
        )
        return cls(client, f"{driver_url}/session/{session['sessionId']}")

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self._post("url", {"url": url})

    async def back(self) -> None:
        """The back button."""
        await self._post("back", {})

    async def url(self) -> str:
        """Where the browser is."""
        return str(await self._get("url"))

    async def says(self, text: str) -> str:
        """All that the page says, once that has a text in it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                # While one page makes room for another there may be none.
                with suppress(BrowserError):
                    page = str(await self.run("return document.body.innerText"))
                    if text in page:
                        return page
                await asyncio.sleep(_PAUSE_SECONDS)

    async def leaves(self, url: str) -> None:
        """Come back when the browser is at no address that begins so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if not (await self.url()).startswith(url):
                    return
                await asyncio.sleep(_PAUSE_SECONDS)

    async def until(self, script: str) -> None:
        """Come back when a piece of JavaScript in the page says true."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self.run(script):  # noqa: ASYNC110 - the page is of another process
                await asyncio.sleep(_PAUSE_SECONDS)

    async def run(self, script: str) -> Any:
        """The value of a piece of JavaScript in the page."""
        return await self._post("execute/sync", {"script": script, "args": []})

    async def click(self, text: str) -> None:
        """Click the button, link or summary that says this."""
        await self._post(f"element/{await self._named(text)}/click", {})

    async def click_twice(self, text: str) -> None:
        """Double-click the button that says this."""
        element = {_ELEMENT: await self._named(text)}
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        move = {"type": "pointerMove", "duration": 0, "origin": element, "x": 0, "y": 0}
        mouse = {"type": "pointer", "id": "mouse", "actions": [move, *press, *press]}
        await self._post("actions", {"actions": [mouse]})

    async def type_into(self, label: str, text: str) -> None:
        """Write into the field of this label."""
        element = await self._find(f"//input[@id=//label[normalize-space()='{label}']/@for]")
        await self._post(f"element/{element}/value", {"text": text})

    async def press(self, *keys: str) -> None:
        """Press keys one after the other: `Tab`, `Enter`, or characters."""
        codes = [{"Tab": "\ue004", "Enter": "\ue007"}.get(key, key) for key in keys]
        pressed = [{"type": kind, "value": code} for code in codes for kind in ("keyDown", "keyUp")]
        await self._post(
            "actions", {"actions": [{"type": "key", "id": "keys", "actions": pressed}]}
        )

    async def open_tab(self) -> str:
        """A new tab; its handle. The old one stays the current one."""
        return str((await self._post("window/new", {"type": "tab"}))["handle"])

    async def tab(self) -> str:
        """The handle of the current tab."""
        return str(await self._get("window"))

    async def switch_to(self, handle: str) -> None:
        """Make another tab the current one."""
        await self._post("window", {"handle": handle})

    async def emulate(self, command: str, **parameters: object) -> None:
        """A command of the DevTools protocol, as `Emulation.setEmulatedMedia`."""
        await self._post("goog/cdp/execute", {"cmd": command, "params": parameters})

    async def stop(self) -> None:
        """Close the browser."""
        await _call(self._client, "DELETE", self._url)

    async def _named(self, text: str) -> str:
        return await self._find(
            f'//*[self::button or self::a or self::summary][normalize-space()="{text}"]'
        )

    async def _find(self, path: str) -> str:
        found = await self._post("element", {"using": "xpath", "value": path})
        return str(found[_ELEMENT])

    async def _get(self, path: str) -> Any:
        return await _call(self._client, "GET", f"{self._url}/{path}")

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        return await _call(self._client, "POST", f"{self._url}/{path}", body)


async def _call(
    client: aiohttp.ClientSession, method: str, url: str, body: dict[str, Any] | None = None
) -> Any:
    async with client.request(method, url, json=body) as answer:
        value = (await answer.json())["value"]
    if isinstance(value, dict) and "error" in value:
        raise BrowserError(f"{value['error']}: {value.get('message')}")
    return value


@asynccontextmanager
async def running_browser(folder: Path) -> AsyncIterator[Browser]:
    """A browser inside the block; `folder` is for its profile. It fails where there is none."""
    chromium, driver_program = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium is not None, MISSING
    assert driver_program is not None, MISSING
    port = RememberedPorts(folder).take("chromedriver")
    driver = await asyncio.create_subprocess_exec(
        driver_program,
        f"--port={port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as client:
            url = f"http://127.0.0.1:{port}"
            await _until_ready(client, url)
            browser = await Browser.start(client, url, chromium, folder / "profile")
            yield browser
            await browser.stop()
    finally:
        if driver.returncode is None:
            driver.terminate()
        await driver.wait()


async def _until_ready(client: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(aiohttp.ClientError):
                if (await _call(client, "GET", f"{url}/status"))["ready"]:
                    return
            await asyncio.sleep(_PAUSE_SECONDS)
