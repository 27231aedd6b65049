"""The tests of this folder run on the stack that `ledger up` starts."""

import pytest

from tests.specs import running_stack


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixture `stack`, once, whichever folder is collected first."""
    if not config.pluginmanager.is_registered(running_stack):
        config.pluginmanager.register(running_stack)
