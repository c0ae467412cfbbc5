"""The ledger counts every byte that passes between parties, by layer, as it is serialised.

One count belongs to (round, verb, sender, receiver, layer). A request and its answer are
counted under the request's verb and round.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from deepcity.city.errors import CheckpointError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import NO_ROUND


class TransferRecord(NamedTuple):
    """The key of a count."""

    round: int
    verb: str
    sender: str
    receiver: str
    layer: str


Row = list[Any]
"""round, verb, sender, receiver, layer, bytes; a list, as in JSON"""


class Ledger:
    """Bytes by round, verb, sender, receiver and layer.

    >>> ledger = Ledger()
    >>> ledger.record("train", "north", COORDINATOR, {"h1": 400, "header": 96}, round=1)
    >>> ledger.sent_by_layer()
    {'h1': 400, 'header': 96}
    """

    def __init__(self) -> None:
        self.messages = 0  # payloads recorded since the ledger was made, requests and answers
        self._bytes: defaultdict[TransferRecord, int] = defaultdict(int)

    def record(
        self,
        verb: str,
        sender: str,
        receiver: str,
        bytes_by_layer: Mapping[str, int],
        *,
        round: int = NO_ROUND,  # noqa: A002
    ) -> None:
        """Count one payload."""
        self.messages += 1
        for layer, size in bytes_by_layer.items():
            self._bytes[TransferRecord(round, verb, sender, receiver, layer)] += size

    @property
    def total(self) -> int:
        """All bytes of all payloads, in both directions."""
        return sum(self._bytes.values())

    def sent_by_layer(self) -> dict[str, int]:
        """Bytes that parties sent, to the coordinator or to each other, by layer."""
        return self._sums("layer", self._sent())

    def sent_by_party(self) -> dict[str, int]:
        """Bytes that parties sent, by sender."""
        return self._sums("sender", self._sent())

    def received_by_layer(self) -> dict[str, int]:
        """Bytes that parties received, by layer."""
        return self._sums("layer", self._received())

    def received_by_party(self) -> dict[str, int]:
        """Bytes that parties received, by receiver."""
        return self._sums("receiver", self._received())

    def snapshot(self) -> list[Row]:
        """All counts as plain rows, sorted; what a checkpoint keeps."""
        return sorted([*transfer, size] for transfer, size in self._bytes.items())

    def take(self) -> list[Row]:
        """All counts, and begin anew; what a site reports with an answer."""
        rows = self.snapshot()
        self._bytes.clear()
        return rows

    def restore(self, rows: Iterable[Sequence[Any]]) -> None:
        """Replace the counts by those of a snapshot.

        Raises:
            CheckpointError: if the rows are no snapshot; the counts do not change then.
        """
        try:
            counts = {_transfer_record(row): int(row[5]) for row in rows}
        except (TypeError, ValueError, LookupError) as error:
            raise CheckpointError(
                f"the ledger's counts cannot be restored: {error}. Start the run anew"
            ) from error
        self._bytes = defaultdict(int, counts)

    def _sent(self) -> list[TransferRecord]:
        return [transfer for transfer in self._bytes if transfer.sender != COORDINATOR]

    def _received(self) -> list[TransferRecord]:
        return [transfer for transfer in self._bytes if transfer.receiver != COORDINATOR]

    def _sums(
        self, by: Literal["layer", "sender", "receiver"], which: list[TransferRecord]
    ) -> dict[str, int]:
        sums: defaultdict[str, int] = defaultdict(int)
        for transfer in which:
            sums[getattr(transfer, by)] += self._bytes[transfer]
        return dict(sorted(sums.items()))


def _transfer_record(row: Sequence[Any]) -> TransferRecord:
    number, verb, sender, receiver, layer, _ = row
    return TransferRecord(int(number), str(verb), str(sender), str(receiver), str(layer))
