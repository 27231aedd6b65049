"""Arrays as PostgreSQL spells them. Pure.

The driver encodes an array one element after another, at many times the cost; so what goes
with every batch is sent as one text.
"""

from collections.abc import Iterable, Sequence

from schemas.identifiers import StreamKey, hex_of


def spelled(values: Iterable[object]) -> str:
    """An array of what needs no quoting: numbers, UUIDs, moments by `str`, our own words."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def spelled_keys(wallets: Sequence[StreamKey]) -> tuple[str, str]:
    """The arrays of tenants and wallets, one element a wallet."""
    return (
        "{" + ",".join([wallet.tenant_id for wallet in wallets]) + "}",
        "{" + ",".join([hex_of(wallet.stream_id) for wallet in wallets]) + "}",
    )
