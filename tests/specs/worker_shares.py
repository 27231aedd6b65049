"""What each worker of a run in parallel gets, and in which order: the longest first.

The stack that `ledger up` starts costs ten seconds of the processor to start and a tenth of a
core to keep, so one worker runs all tests on it. Within a module, and on the stack, the order
stays random.
"""

from collections import Counter

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_ON_THE_STACK = ("tests/end_to_end/", "tests/faults/")
_ON_SERVERS_OF_ITS_OWN = "tests/faults/test_what_operators_see.py"
_KAFKA = "kafka_server"


class SharesByServer(LoadScopeScheduling):
    """A module is run by one worker, and so are all modules on the stack."""

    def _split_scope(self, nodeid: str) -> str:
        if _is_on_the_stack(nodeid):
            return "the stack"
        module: str = super()._split_scope(nodeid)
        return module


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first, after the order was made random."""
    if not hasattr(config, "workerinput"):
        return
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: _rank(item, sizes[item.path]))


def _rank(item: pytest.Item, size: int) -> tuple[int, int]:
    if _is_on_the_stack(item.nodeid):
        return 0, 0
    if item.get_closest_marker("long"):
        return 1, 0
    return (2 if _KAFKA in getattr(item, "fixturenames", ()) else 3), -size


def _is_on_the_stack(nodeid: str) -> bool:
    return nodeid.startswith(_ON_THE_STACK) and not nodeid.startswith(_ON_SERVERS_OF_ITS_OWN)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """With `--dist loadscope`."""
    if config.getoption("dist") != "loadscope":
        return None
    config.option.loadscopereorder = False
    return SharesByServer(config, log)
