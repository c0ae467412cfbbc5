"""What a site has answered when it was asked to choose, kept on its own disk.

Each answer holds errors on the site's test days. A coordinator that offered ever new layers would
see as many errors of them as it likes; so a site answers few offers in a run, also after its worker
died, and one that it has answered gets the same answer again, whatever was trained since.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.exchange.message import Message, from_bytes, to_bytes
from deepcity.store.atomic import write_atomic

MOST_ANSWERS = 3
"""Offers that a site answers in a run. One is needed; a coordinator that went back to an older
checkpoint, or whose rounds others missed, may come with another."""
_DIGITS = 32


@dataclass
class KeptAnswers:
    """The answers of one service.

    Attributes:
        folder: of the site; None keeps them in memory.
        service: its name.
    """

    folder: Path | None
    service: str
    _known: dict[str, bytes] = field(default_factory=dict, repr=False)

    def of(self, offer: Message) -> Message | None:
        """The answer that an offer got; None if it is new.

        Raises:
            ExchangeError: if it is new, and so many were answered already.
            CheckpointError: if the answers cannot be read.
        """
        known = self._read()
        found = known.get(_digest(offer))
        if found is None and len(known) >= MOST_ANSWERS:
            raise ExchangeError(
                f"{len(known)} offers were answered in this run, and no other one is: each answer "
                f"tells errors on test days. Begin anew with an empty run folder at every site"
            )
        return None if found is None else from_bytes(found)

    def keep(self, offer: Message, answer: Message) -> None:
        """Note an answer before it leaves.

        Raises:
            CheckpointError: if it cannot be written; it must not leave then.
        """
        name, data = _digest(offer), to_bytes(answer)
        self._known[name] = data
        if self.folder is not None:
            path = self._folder / f"{name}.answer"
            try:
                write_atomic(path, data)
            except OSError as error:
                raise CheckpointError(f"{path} cannot be written: {error}") from error

    def _read(self) -> dict[str, bytes]:
        if self.folder is None:
            return self._known
        try:
            return {one.stem: one.read_bytes() for one in self._folder.glob("*.answer")}
        except OSError as error:
            raise CheckpointError(f"{self._folder} cannot be read: {error}") from error

    @property
    def _folder(self) -> Path:
        assert self.folder is not None
        return self.folder / "answers" / self.service


def _digest(offer: Message) -> str:
    return hashlib.sha256(to_bytes(offer)).hexdigest()[:_DIGITS]
