"""The door for top-ups: where customers pay, and for which environment somebody takes payments."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from ledger.tenants import Environment
from services.runtime.addresses import host_in_url
from services.runtime.settings import Settings


class TopupDoor(Struct, frozen=True, kw_only=True):
    """What the calls about top-ups need to know of the payment side."""

    public_url: str
    """Where customers reach this gateway, without a slash at the end."""
    is_available: Callable[[Environment], bool]
    """Whether a payment provider is set up for it."""
    try_to_stop_taking: Callable[[Environment, str], Awaitable[None]]
    """Let a top-up not be paid any more at the provider, if that can be reached."""

    def checkout_url(self, topup_id: str) -> str:
        """The page on which the customer pays. Who knows it may pay: the id cannot be guessed."""
        return f"{self.public_url}/checkout/{topup_id}"


def public_url_of(settings: Settings) -> str:
    """Where customers reach the gateway: as set, or else where it listens."""
    if settings.public_url is not None:
        return settings.public_url
    return f"http://{host_in_url(settings.http_host)}:{settings.http_port}"
