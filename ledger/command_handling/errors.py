"""Infrastructure failures of command handling. None of them is a refusal of the wallet's.

All but `PoisonCommandError` are temporary: the client can safely repeat the command with
the same reference or command id.
"""


class CommandHandlingError(Exception):
    """The command was not settled, for a reason that is ours."""


class OverloadedError(CommandHandlingError):
    """Too many commands wait already; this one was not taken in."""


class LedgerUnavailableError(CommandHandlingError):
    """The log could not be reached; the command was not applied."""


class OutcomeUnknownError(CommandHandlingError):
    """The command was with the log, which stays away or silent: it may have been applied."""


class ClockSteppedError(CommandHandlingError):
    """The database's clock jumped against this process's; nothing is decided on its word."""


class PoisonCommandError(CommandHandlingError):
    """This command cannot be settled: a fault of ours, and repeating does not help."""
