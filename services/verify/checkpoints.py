"""How far a projection says that it has folded the log, for each wallet."""

from collections.abc import Mapping

from projections.checkpoint import LOG_PARTITION, read_checkpoints
from projections.interface import Connection
from schemas.identifiers import StreamKey
from services.runtime.kafka import partition_for


class Reached:
    """The positions of one projection's checkpoints."""

    def __init__(self, positions: Mapping[int, int]) -> None:
        self._of_log = positions.get(LOG_PARTITION, 0)
        self._positions = {
            partition: position
            for partition, position in positions.items()
            if partition != LOG_PARTITION
        }

    def position_of(self, wallet: StreamKey) -> int:
        """Up to which position of the log all events of a wallet are folded; 0 if none are."""
        if not self._positions:
            return self._of_log
        partition = partition_for(wallet.stream_id.encode(), len(self._positions))
        # The log itself is read first, then the topic goes on where that ended.
        return max(self._of_log, self._positions.get(partition, 0))


async def read_folded(connection: Connection, projection: str) -> Reached:
    """As its checkpoints stand now; the rows that are read after it hold that much, or more."""
    checkpoints = await read_checkpoints(connection, projection)
    return Reached({partition: each.position for partition, each in checkpoints.items()})
