"""What production installs: the versions that were tested, what it needs, and all of the code."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PRODUCTION = ROOT / "requirements-production.lock"
EVERYTHING = ROOT / "requirements.lock"

Pin = tuple[str, frozenset[str]]
"""A version, with the condition that it is for, and the hashes that it may have."""

_PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^\\\n]+)(?P<hashes>(?:\\\n +--hash=\S+ ?)*)", re.MULTILINE
)


def pins_of(text: str) -> dict[str, Pin]:
    """The pins of a lock by the packages' names."""
    return {
        match["name"]: (
            match["version"].strip(),
            frozenset(re.findall(r"--hash=(\S+)", match["hashes"])),
        )
        for match in _PIN.finditer(text)
    }


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def named(requirements: list[str]) -> set[str]:
    """The names in a list of requirements, spelled as a lock spells them."""
    names = (re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements)
    return {re.sub(r"[._-]+", "-", name).lower() for name in names}


@pytest.mark.parametrize("lock", [PRODUCTION, EVERYTHING], ids=lambda path: path.stem)
def test_every_line_of_a_lock_is_a_pin_with_a_hash(lock: Path) -> None:
    text = lock.read_text()
    pins = pins_of(text)
    lines = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(pins) == len(lines) > 0
    assert [name for name, (_, hashes) in pins.items() if not hashes] == []


def test_production_has_the_versions_and_hashes_that_are_tested() -> None:
    everything = pins_of(EVERYTHING.read_text())
    others = {
        name: (pin, everything.get(name))
        for name, pin in pins_of(PRODUCTION.read_text()).items()
        if everything.get(name) != pin
    }
    assert others == {}


def test_production_has_what_processes_need_and_nothing_of_development() -> None:
    project = pyproject()
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    needed = named([*project["project"]["dependencies"], *extras["s3"], *groups["build"]])
    locked = pins_of(PRODUCTION.read_text()).keys()
    assert needed - locked == set()
    assert (named([*extras["up"], *groups["dev"]]) - needed) & locked == set()


def test_the_image_is_made_of_every_package_and_its_lock() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    copied = copied_by(text)
    project = pyproject()
    assert {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]} <= copied
    assert {"pyproject.toml", project["project"]["readme"], PRODUCTION.name} <= copied
    assert EVERYTHING.name not in text


def test_a_build_is_sent_what_it_copies_and_neither_keys_nor_data() -> None:
    copied = copied_by((ROOT / "deploy" / "Dockerfile").read_text())
    everything, *sent = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith(("*", "!")) and not line.startswith("**/")
    ]
    assert everything == "*"
    assert {line.removeprefix("!") for line in sent} == copied


def copied_by(dockerfile: str) -> set[str]:
    """What an image is made of, of the repository."""
    return {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }
