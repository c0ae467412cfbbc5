"""What a search for a person knows when it decides: sightings, cameras, and where it began."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class HitVerdict(StrEnum):
    """What a person said of a sighting."""

    NONE = "none"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Hit:
    """A sighting that a city has answered with.

    Attributes:
        camera: its id at its city.
        time_s: UTC seconds.
        score: as the owner's search gives it, 1 is the same.
    """

    city: str
    camera: str
    time_s: float
    score: float
    verdict: HitVerdict = HitVerdict.NONE

    @property
    def place(self) -> str:
        """The camera's id among those of all cities."""
        return f"{self.city}/{self.camera}"


@dataclass(frozen=True)
class Spot:
    """Somewhere, in degrees (WGS 84)."""

    lat: float
    lon: float


@dataclass(frozen=True)
class ScoreModel:
    """How scores of one network are distributed, means and standard deviations.

    Attributes:
        same, same_sd: of two tracks of one person by different cameras.
        other, other_sd: of two people.
    """

    same: float
    same_sd: float
    other: float
    other_sd: float


@dataclass(frozen=True)
class MatchState:
    """The input of a match service's decision.

    Attributes:
        now_s: UTC seconds.
        last_seen, last_seen_s: where and when the person was seen last, by who reports it.
        hits: of all cities, rejected ones too.
        cameras: where cameras are, by ``CITY/CAMERA``, of cities that were not asked too.
        asked, silent: cities that were asked, and those of them that did not answer.
        scores: of the network by which hits were found.
        passers_by_h: people past one camera in an hour, among whom the person is looked for.
    """

    now_s: float
    last_seen: Spot
    last_seen_s: float
    hits: tuple[Hit, ...]
    cameras: Mapping[str, Spot]
    asked: tuple[str, ...]
    silent: tuple[str, ...] = ()
    scores: ScoreModel = field(default_factory=lambda: ScoreModel(0.75, 0.12, 0.35, 0.12))
    passers_by_h: float = 100.0
