"""Options and arguments that several commands take."""

import click

PROJECTIONS = click.Choice(["balances", "transactions", "trial_balance"])

_LONGEST_NAME = 200


def _printable(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text is not None and not (0 < len(text) <= _LONGEST_NAME and text.isprintable()):
        message = f"a name is of 1 to {_LONGEST_NAME} printable characters"
        raise click.BadParameter(message, ctx=context, param=parameter)
    return text


by_option = click.option(
    "--by", callback=_printable, help="Who does it, for the audit log; else the machine's user."
)

reason_option = click.option("--reason", help="Why, for the audit log.")
