"""A lease: some rounds of a training among the sites that are connected now.

The engine cannot let a site back into a running job, and ends the job when a site's worker dies.
So a job is a lease of a few rounds: sites that were away come in at the next one. Its name holds
what the coordinator has counted so far, so that a coordinator that lost the answer to its request
finds the job that it has already submitted.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deepcity.exchange.exchange import PausedError, TransportLostError
from deepcity.exchange.ledger import Row

_DIGITS = 12


class LeaseLostError(TransportLostError):
    """A lease ended before its time: a site's worker died, or the engine's server.

    The round is not kept; the next lease repeats it.

    Attributes:
        site: whose worker is gone, where that is known.
    """

    def __init__(self, reason: str, site: str | None = None) -> None:
        super().__init__(reason)
        self.site = site


class LeaseOverError(PausedError):
    """The rounds of a lease are used up; not an error of anybody."""


@dataclass(frozen=True)
class Lease:
    """A job of some rounds.

    Attributes:
        name: of the job, without the number of the attempt.
        rounds: at most so many; then sites that were away may come in.
        sites: that take part.
    """

    name: str
    rounds: int
    sites: tuple[str, ...]

    def counter(self) -> Callable[[int], None]:
        """A function to call after each round; at the last one of this lease it raises.

        Raises:
            LeaseOverError: by that function.
        """
        left = self.rounds

        def after_round(_done: int) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise LeaseOverError(f"lease {self.name} has had its {self.rounds} rounds")

        return after_round


def lease_name(training: str, counted: Sequence[Row], done: int) -> str:
    """The name of the lease that begins where this ledger ends.

    Args:
        training: what is trained.
        counted: snapshot of the ledger.
        done: rounds, or parts of a run, that are finished.

    >>> lease_name("water", [], 3) == lease_name("water", [], 3) != lease_name("water", [], 4)
    True
    """
    content = json.dumps([training, [list(row) for row in counted]], sort_keys=True)
    head = hashlib.sha256(content.encode()).hexdigest()[:_DIGITS]
    return f"deepcity-{head}-{done}"


def attempt_name(lease: str, attempt: int) -> str:
    """A job's name: earlier attempts of this lease have ended without its work being done."""
    return f"{lease}.{attempt}"
