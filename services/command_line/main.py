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

_COMMANDS: dict[str, list[click.Command]] = {
    "Processes, which run until they are stopped": [
        *(up, gateway, intake, relay, projector, scheduler, sandbox_provider),
    ],
    "Tables and topics": [migrate, rebuild, repartition],
    "Show and check, and change nothing": [tail, verify, trial_balance, audit],
    "Groups, with commands of their own": [merchants, keys, customers, reviews, vault],
}

_WIDTH = 60
"""Of what is said of a command, beside its name, on a terminal of 80 columns."""


class _Ledger(click.Group):
    """Shows its commands under the headings of `_COMMANDS`."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(len(name) for name in self.commands)
        for heading, commands in _COMMANDS.items():
            with formatter.section(heading):
                rows = ((str(each.name), each.get_short_help_str(_WIDTH)) for each in commands)
                formatter.write_dl([(name.ljust(widest), text) for name, text in rows])


@click.group(
    cls=_Ledger,
    commands=[each for commands in _COMMANDS.values() for each in commands],
    context_settings={"help_option_names": ["-h", "--help"]},
)
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
