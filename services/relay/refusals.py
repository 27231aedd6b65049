"""Why a relay stops for good: each needs an operator, and publishing on would do harm."""


class RelayRefusesError(Exception):
    """The relay stops. `code` names the reason in the log, `details` what was found."""

    code: str

    def __init__(self, **details: object) -> None:
        super().__init__(f"{self.code}: {details}")
        self.details = details


class TopicRefusedError(RelayRefusesError):
    """The topic is not the one that the recorded progress is about."""

    code = "topic_refused"


class LogGapError(RelayRefusesError):
    """A position is missing from the log: events were lost."""

    code = "log_gap"


class LogDivergedError(RelayRefusesError):
    """The log does not hold what was published: it was restored or replaced."""

    code = "log_diverged"
