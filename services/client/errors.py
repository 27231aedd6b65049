"""What can go wrong between a command and its result. A decline is none of it: it is a result."""


class CommandRejectedError(Exception):
    """The command was refused unread: it is malformed. Repeating it does not help."""

    def __init__(self, command_id: str, reason: str, detail: str) -> None:
        super().__init__(f"command {command_id} was rejected: {reason}: {detail}")
        self.command_id = command_id
        self.reason = reason
        """A stable code, such as `invalid_command`."""
        self.detail = detail
        """What is wrong, field by field; for people."""


class ResultTimeoutError(Exception):
    """No result came in time. The command may or may not have had its effect."""

    def __init__(self, command_id: str, timeout_s: float) -> None:
        super().__init__(
            f"no result of command {command_id} within {timeout_s:g} s; it is safe to repeat it "
            "with the same command id: it takes effect once, and its first result comes again"
        )
        self.command_id = command_id
        self.timeout_s = timeout_s


class ResultsUnreadableError(Exception):
    """The client reads no results any more; `__cause__` says why. Only a new client will."""

    def __init__(self, command_id: str) -> None:
        super().__init__(
            f"the result of command {command_id} will not be known: this client has stopped "
            "reading results; make a new one, and repeat the command with the same command id: "
            "it takes effect once, and its first result comes again"
        )
        self.command_id = command_id


class NotPublishedError(Exception):
    """Kafka did not acknowledge the command. It may have arrived all the same."""

    def __init__(self, command_id: str) -> None:
        super().__init__(
            f"Kafka did not acknowledge command {command_id}; it is safe to publish it again "
            "with the same command id"
        )
        self.command_id = command_id
