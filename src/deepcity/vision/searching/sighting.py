"""Where somebody may have been seen, and the contract of whatever finds it."""

from dataclasses import dataclass
from typing import Protocol

from deepcity.city.arrays import Doubles
from deepcity.vision.searching.person_query import PersonQuery, SearchSpan


@dataclass(frozen=True, order=True)
class Sighting:
    """A track that resembles a query: all that ever leaves of it.

    Attributes:
        score: cosine similarity to the query's nearest picture, -1 to 1; of words alone how well
            they fit, 0 to 1.
        time_s: UTC seconds, the middle of the track.
        camera: its id.
    """

    score: float
    time_s: float
    camera: str


class TrackSearch(Protocol):
    """Finds tracks that resemble a query, at their owner's."""

    @property
    def network(self) -> str:
        """Whose embeddings the tracks have; empty where they have none."""
        ...

    def nearest(self, query: PersonQuery, span: SearchSpan, count: int) -> list[Sighting]:
        """The tracks most like a query, best first, `count` at most.

        A height or clothes that contradict the query leave a track out; what is not known of it
        does not.

        Raises:
            ValueError: if the query's embeddings are of another network or width.
        """
        ...

    def embedding_of(self, camera: str, time_s: int) -> Doubles | None:
        """(E,) the embedding of the track of a sighting, by camera and whole seconds of its time;
        None where there is none any more. It never leaves its owner.
        """
        ...
