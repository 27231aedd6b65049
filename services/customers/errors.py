"""What a command about customers cannot do."""


class CustomerCommandError(Exception):
    """The message says what is wrong, and what to do."""
