"""`encoding`: another encoding, offered if it has decoded the whole file."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deepcity.city.problem import Trial
from deepcity.data.encodings.detect import FoundEncoding, Mixture, find_encoding
from deepcity.data.remedies import Remedy, next_step, trials


@dataclass(frozen=True)
class Undecodable:
    """A file that its stated encoding does not read."""

    path: Path

    @cached_property
    def found(self) -> FoundEncoding | Mixture | None:
        """The encoding that reads all of it."""
        return find_encoding(self.path)


def right_for(evidence: Undecodable) -> str:
    """The next step for a file in another encoding, in two, or in none that is known."""
    if isinstance(evidence.found, Mixture):
        return "save the whole file in one encoding, UTF-8 for example"
    if evidence.found is None:
        return "save the file as UTF-8, or state its encoding; none that is known reads all of it"
    return next_step(trials(evidence), "save the file as UTF-8")


def mixture_text(evidence: Undecodable) -> str:
    """That a file is in two encodings, for the reason of a problem; empty if it is not."""
    found = evidence.found
    if not isinstance(found, Mixture):
        return ""
    return (
        f"; it mixes two encodings: row {found.utf8_row:,} is UTF-8, row {found.other_row:,} is not"
    )


def _attempt(evidence: Undecodable) -> Trial | None:
    found = evidence.found
    if not isinstance(found, FoundEncoding):
        return None
    shown = f", for example {found.sample!r}" if found.sample else ""
    for other in found.others:
        shown += f"; or '{other.name}' if {other.sample!r} is right"
    return Trial(f"encoding = '{found.name}'", True, f"it reads the whole file{shown}")


REMEDIES = (Remedy("encoding", Undecodable, _attempt),)
