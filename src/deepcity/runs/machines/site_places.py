"""Where parties are, as one site of a federation knows it, and its line to the others."""

from dataclasses import dataclass
from pathlib import Path

from deepcity.exchange.flare.link import Wire
from deepcity.exchange.flare.task import site_of


@dataclass(frozen=True)
class SitePlaces:
    """One site among those of its federation.

    Attributes:
        site: its name.
        connected: sites of the job.
        known: all sites that it knows, this one among them: nobody answers for one that is away.
        run: the folder of its runs.
        wire: to the sites of the job, and to itself.
    """

    site: str
    connected: tuple[str, ...]
    known: tuple[str, ...]
    run: Path
    wire: Wire

    def is_here(self, party: str) -> bool:
        """Whether this site answers for a party."""
        return site_of(party, self.known) == self.site
