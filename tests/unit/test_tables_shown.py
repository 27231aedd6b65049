"""Tables of the command line: no value is cut off, in a pipe or on a narrow terminal."""

import io

import pytest
from rich.console import Console

from projections.trial_balance.read_model import AccountView
from schemas.money import formatted
from services.runtime.terminal import output
from services.trial_balance.main import show

LARGE = 9_007_199_254_740_993
ACCOUNTS = [
    AccountView(
        tenant_id="0b6f4f0e-4d0e-4a57-9d5c-2a54f5f2a111",
        account=account,
        currency="GHS",
        debits=debits,
        credits=LARGE - debits,
        entry_count=1_000_000,
    )
    for account, debits in (("customer_wallet", 0), ("payment_provider_clearing", LARGE))
]


def test_in_a_pipe_every_row_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")

    assert show(output(), "complete", ACCOUNTS) == 0

    lines = capsys.readouterr().out.splitlines()
    for account in ACCOUNTS:
        (line,) = [line for line in lines if account.account in line]
        assert formatted(account.balance, "GHS") in line


def test_on_a_narrow_terminal_a_value_goes_on_in_the_next_line() -> None:
    console = Console(file=io.StringIO(), width=60, force_terminal=True, color_system=None)

    show(console, "complete", ACCOUNTS)

    assert isinstance(console.file, io.StringIO)
    assert "\N{HORIZONTAL ELLIPSIS}" not in console.file.getvalue()
