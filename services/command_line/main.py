"""The command line, `ledger`: which commands there are, and in which file each stands.

A new one gets its place in `_COMMANDS`, and a section in docs/reference/command-line.md. Each
imports what it runs inside its function, so that all of them start fast.

Exit status: 0 done, 1 it failed or found something wrong, 2 a mistake in how it was
called or configured.
"""

import sys

import click

from services.command_line.customers import customers, reviews
from services.command_line.inspection import audit, tail, trial_balance, verify
from services.command_line.keys import keys
from services.command_line.merchants import merchants
from services.command_line.processes import (
    gateway,
    intake,
    projector,
    relay,
    sandbox_provider,
    scheduler,
    up,
)
from services.command_line.upkeep import migrate, rebuild, repartition
from services.command_line.vault import vault

_COMMANDS = [
    # They run until they are stopped; `up` runs all the others.
    *(up, gateway, intake, relay, projector, scheduler, sandbox_provider),
    # They bring tables and topics to another state.
    *(migrate, rebuild, repartition),
    # They show and check, and change nothing.
    *(tail, verify, trial_balance, audit),
    # Groups, with commands of their own: who may call, and who the customers are.
    *(merchants, keys, customers, reviews, vault),
]


@click.group(commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wallet-ledger", prog_name="ledger")
def commands() -> None:
    """An event-sourced wallet ledger. Settings are environment variables LEDGER_…."""


def main() -> None:
    """Run the command line; a mistake in how Python or the settings are set up is status 2."""
    from services.runtime.settings import SettingsError

    if not __debug__:
        # Every event says the balance that it leads to, and assertions hold the folds to it.
        click.echo(
            "ledger: Python runs without assertions (-O, PYTHONOPTIMIZE); unset that", err=True
        )
        sys.exit(2)
    try:
        commands(prog_name="ledger")
    except SettingsError as error:
        click.echo(f"ledger: {error}", err=True)
        sys.exit(2)
