"""The list of destroyed keys survives what files go through, and shows what was done to it."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.vault.customer import Customer
from services.vault.destroyed import DestroyedList
from services.vault.errors import DestroyedListError
from services.vault.key_store import Destruction
from tests.specs.vault_line import NOW, somebody


def gone(customer: Customer) -> Destruction:
    return Destruction(customer=customer, destroyed_at=NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault" / "destroyed.jsonl"


@pytest.fixture
def people(path: Path) -> list[Customer]:
    """Five who are on the list."""
    people = [somebody() for _ in range(5)]
    DestroyedList(path).add(map(gone, people))
    return people


def test_who_was_added_is_on_it_for_every_reader(path: Path) -> None:
    ada, eve = somebody(), somebody()
    one, other = DestroyedList(path), DestroyedList(path)
    assert one.open() == other.open() == 0

    assert one.add([gone(ada)]) == 1
    assert other.covers(ada)
    assert not other.covers(eve)
    assert other.add([gone(eve), gone(eve), gone(ada)]) == 1
    assert one.covers(eve)
    assert one.destructions() == DestroyedList(path).destructions() == [gone(ada), gone(eve)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_at_once_all_get_on_it(path: Path) -> None:
    people = [somebody() for _ in range(40)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda who: DestroyedList(path).add([gone(who)]), people))

    assert DestroyedList(path).open() == 40
    assert {each.customer for each in DestroyedList(path).destructions()} == set(people)


@settings(max_examples=25, deadline=None)
@given(part=st.floats(min_value=0, max_value=1, exclude_max=True), zeros=st.integers(0, 5000))
def test_a_line_that_was_torn_is_left_out_and_written_again(
    tmp_path_factory: pytest.TempPathFactory, part: float, zeros: int
) -> None:
    path = tmp_path_factory.mktemp("list") / "destroyed.jsonl"
    first, second, third = somebody(), somebody(), somebody()
    torn = DestroyedList(path)
    torn.add([gone(first)])
    begin = path.stat().st_size
    torn.add([gone(second)])
    content = path.read_bytes()
    length = len(content) - begin
    path.write_bytes(content[: begin + int(part * length)] + b"\0" * zeros)

    found = DestroyedList(path)
    found.open()
    has_second = found.covers(second)
    found.add([gone(second), gone(third)])

    # Only what lacks nothing but its line's end says enough to be kept.
    assert has_second == (int(part * length) == length - 1)
    assert [each.customer for each in DestroyedList(path).destructions()] == [first, second, third]


@pytest.mark.usefixtures("people")
def test_a_long_torn_end_is_mended_too(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"number":6,' + b"x" * 200_000)

    assert DestroyedList(path).open() == 5
    assert DestroyedList(path).add([gone(somebody())]) == 1


def _changed(content: bytes) -> bytes:
    return content.replace(b'"number":3', b'"number":4')


def _other_customer(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    user = lines[1].split(b'"user_id":"')[1][:36]
    return content.replace(user, str(somebody().user_id).encode())


def _without_the_second(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:1] + lines[2:])


def _in_another_order(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join([lines[1], lines[0], *lines[2:]])


def _with_an_empty_line(content: bytes) -> bytes:
    return content + b"\n"


def _with_something_else(content: bytes) -> bytes:
    return content + b"not a line of it\n"


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    "change",
    [
        *(_changed, _other_customer, _without_the_second),
        *(_in_another_order, _with_an_empty_line, _with_something_else),
    ],
)
def test_a_list_that_was_changed_is_refused(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(DestroyedListError, match="does not follow from the one before"):
        DestroyedList(path).open()


def test_a_list_that_became_shorter_is_noticed_by_who_knew_it(
    path: Path, people: list[Customer]
) -> None:
    running = DestroyedList(path)
    running.open()
    content = path.read_bytes()
    path.write_bytes(b"".join(content.splitlines(keepends=True)[:3]))

    for _ in range(2):
        with pytest.raises(DestroyedListError, match="lacks entries that it had"):
            running.covers(people[0])
    with pytest.raises(DestroyedListError, match="lacks entries"):
        running.add([gone(somebody())])
    path.write_bytes(content)
    assert running.covers(people[4])


def test_a_list_that_is_gone_is_noticed_by_who_knew_it(path: Path, people: list[Customer]) -> None:
    running = DestroyedList(path)
    running.open()
    content = path.read_bytes()
    path.unlink()

    with pytest.raises(DestroyedListError, match="is gone"):
        running.covers(people[0])
    with pytest.raises(DestroyedListError, match="is gone"):
        running.add([gone(somebody())])
    path.write_bytes(content)
    assert running.covers(people[0])


def test_a_copy_that_took_its_place_and_went_on_is_read(path: Path, people: list[Customer]) -> None:
    running = DestroyedList(path)
    running.open()
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)
    later = somebody()
    DestroyedList(path).add([gone(later)])

    assert running.covers(later)
    assert running.covers(people[0])
