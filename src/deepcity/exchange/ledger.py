"""The ledger counts every byte that passes between parties, by layer, as it is serialised.

One count belongs to (round, verb, sender, receiver, layer). Requests and answers of one
call stand under the request's verb and round.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from deepcity.city.errors import CheckpointError
from deepcity.exchange.exchange import COORDINATOR

NO_ROUND = -1


class Passage(NamedTuple):
    """What a count belongs to."""

    round: int
    verb: str
    sender: str
    receiver: str
    layer: str


Row = list[Any]
"""round, verb, sender, receiver, layer, bytes; a list, as JSON has it"""


class Ledger:
    """Bytes by round, verb, sender, receiver and layer.

    >>> ledger = Ledger()
    >>> ledger.record("train", "north", COORDINATOR, {"h1": 400, "header": 96}, round=1)
    >>> ledger.left_by_layer()
    {'h1': 400, 'header': 96}
    """

    def __init__(self, coordinator: str = COORDINATOR) -> None:
        self.coordinator = coordinator
        self.messages = 0  # payloads counted by this ledger itself, requests and answers
        self._bytes: defaultdict[Passage, int] = defaultdict(int)

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
            self._bytes[Passage(round, verb, sender, receiver, layer)] += size

    @property
    def total(self) -> int:
        """All bytes of all payloads, in both directions."""
        return sum(self._bytes.values())

    def left_by_layer(self) -> dict[str, int]:
        """Bytes that parties sent, to the coordinator or to each other, by layer."""
        return self._sums("layer", self._left())

    def left_by_party(self) -> dict[str, int]:
        """Bytes that parties sent, by the party they left."""
        return self._sums("sender", self._left())

    def left_by_round(self) -> dict[int, int]:
        """Bytes that parties sent, by round; `NO_ROUND` where the message named none."""
        rounds: defaultdict[int, int] = defaultdict(int)
        for passage in self._left():
            rounds[passage.round] += self._bytes[passage]
        return dict(sorted(rounds.items()))

    def received_by_layer(self) -> dict[str, int]:
        """Bytes that parties received, by layer."""
        return self._sums("layer", self._received())

    def received_by_party(self) -> dict[str, int]:
        """Bytes that parties received, by the party they reached."""
        return self._sums("receiver", self._received())

    def snapshot(self) -> list[Row]:
        """All counts as plain rows, sorted; what a checkpoint keeps."""
        return sorted([*passage, size] for passage, size in self._bytes.items())

    def restore(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take over the counts of a snapshot in place of those held now.

        Raises:
            CheckpointError: if the rows are no snapshot; the counts held now stay.
        """
        try:
            counts = {_passage(row): int(row[5]) for row in rows}
        except (TypeError, ValueError, LookupError) as error:
            msg = f"the ledger's counts cannot be restored: {error}. Start the run anew"
            raise CheckpointError(msg) from error
        self._bytes = defaultdict(int, counts)

    def _left(self) -> list[Passage]:
        return [passage for passage in self._bytes if passage.sender != self.coordinator]

    def _received(self) -> list[Passage]:
        return [passage for passage in self._bytes if passage.receiver != self.coordinator]

    def _sums(
        self, by: Literal["layer", "sender", "receiver"], which: list[Passage]
    ) -> dict[str, int]:
        sums: defaultdict[str, int] = defaultdict(int)
        for passage in which:
            sums[getattr(passage, by)] += self._bytes[passage]
        return dict(sorted(sums.items()))


def _passage(row: Sequence[Any]) -> Passage:
    number, verb, sender, receiver, layer, _ = row
    return Passage(int(number), str(verb), str(sender), str(receiver), str(layer))
