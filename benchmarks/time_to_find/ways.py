"""Ways to search three cities, and the owners that each gives a case.

Shapes: I pictures, R tracks, Q pictures of the query, E numbers of an embedding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.time_to_find.networks import (
    APART,
    GIVEN,
    GIVEN_NETWORK,
    JOINED,
    POOLED_NETWORK,
    CityNetworks,
    networks,
)
from benchmarks.time_to_find.owners import TrackOwner
from benchmarks.time_to_find.wearers import cast, embedded, query_rows
from deepcity.city.arrays import Floats, Indices
from deepcity.learning.identity.alignment import centred, rotation
from deepcity.learning.identity.retrieval import unit
from deepcity.simulation.pictures import EmbeddedPictures
from deepcity.simulation.street_day import StreetDay
from deepcity.simulation.wardrobe import Wardrobe, Wearers

HOME, POOLED, EACH = "home alone", "pooled", "each at home"
PRESET, FITTED = "preset", "fitted"
AS_IS, ALIGNED, PICTURE = "query's embedding", "embedding, aligned", "query's picture"
HITS_A_CITY = 50
_BEFORE_S, _AFTER_S = 120.0, 600.0


@dataclass(frozen=True)
class Way:
    """One way to search.

    Attributes:
        name: its row in the table.
        network: kind of `networks`.
        exchange: HOME, POOLED or EACH.
        query: what another city gets of it: AS_IS, ALIGNED or PICTURE.
        heights: whether heights that contradict the report leave a track out.
        plausible: whether hits are ranked by time and distance too.
        least: standard deviations under which a hit is not sent.
        service: whether the search is that of the service `missing-child`: PRESET or FITTED to the
            network's scores and the crowd, or empty.
    """

    name: str
    network: str
    exchange: str
    query: str = AS_IS
    heights: bool = True
    plausible: bool = True
    least: float = -np.inf
    service: str = ""


WAYS = (
    Way("no exchange, given network", GIVEN, HOME),
    Way("pooled, given network", GIVEN, POOLED),
    Way("exchange, given network", GIVEN, EACH),
    Way("exchange, given network, without heights", GIVEN, EACH, heights=False),
    Way("exchange, given network, by likeness alone", GIVEN, EACH, plausible=False),
    Way("exchange, given network, hits over 3.5 deviations", GIVEN, EACH, least=3.5),
    Way("the service missing-child, its preset scores", GIVEN, EACH, service=PRESET),
    Way("the service missing-child, scores fitted", GIVEN, EACH, service=FITTED),
    Way("no exchange, own networks", APART, HOME),
    Way("pooled, network learned on pooled pictures", POOLED_NETWORK, POOLED),
    Way("exchange, learned together (h1..h5 and stem)", JOINED, EACH),
    Way("exchange, learned apart, as they are", APART, EACH),
    Way("exchange, learned apart, aligned", APART, EACH, ALIGNED),
    Way("exchange, learned apart, query as a picture", APART, EACH, PICTURE),
)


@dataclass(eq=False)
class DayAtCities:
    """One day and what its people look like to each network; made when first asked for.

    Attributes:
        pictures: whose people and cameras are worn.
        networks_of: kind and seed -> networks that embedded these pictures.
    """

    day: StreetDay
    seed: int
    pictures: EmbeddedPictures = field(default_factory=lambda: embedded(GIVEN_NETWORK))
    networks_of: Callable[[str, int], CityNetworks] = networks
    wearers: Wearers = field(init=False)
    _row_R: list[Indices] = field(init=False)
    _kind: str = ""
    _looks: list[Floats] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wearers = cast(self.day, self.pictures, self.seed)
        city_R = self.day.cameras.city_C[self.day.tracks.camera_R]
        self._row_R = [np.flatnonzero(city_R == city) for city in range(3)]

    @property
    def passers_by_h(self) -> float:
        """People past one camera in an hour between 8 and 20 o'clock, on average."""
        ready_s_R = self.day.tracks.ready_s_R
        by_day = (ready_s_R >= 8 * 3600) & (ready_s_R < 20 * 3600)
        return float(by_day.sum() / 12 / len(self.day.cameras.node_C))

    def owners(self, way: Way, child: int) -> list[TrackOwner]:
        """Who holds the tracks of the case's time, and how each sees the query."""
        found = self.networks_of(way.network, self.seed)
        self.look(way)
        home = int(self.day.streets.city_N[self.day.children[child].lost_node])
        cities = [home] if way.exchange == HOME else [0, 1, 2]
        parts = [self._part(way, found, child, home, city) for city in cities]
        if way.exchange != POOLED:
            return [self._owner(way, child, *part) for part in parts]
        row_R = np.concatenate([row for row, _, _ in parts])
        embedding_RE = np.concatenate([embedding for _, embedding, _ in parts])
        most = HITS_A_CITY * len(parts)
        return [self._owner(way, child, row_R, embedding_RE, parts[0][2], most)]

    def look(self, way: Way) -> None:
        """Embed all tracks, each by its own city's network; those of one kind are kept."""
        if way.network == self._kind:
            return
        found = self.networks_of(way.network, self.seed)
        self._kind = way.network
        self._looks = [self._seen_by(found.picture_IE[city], city) for city in range(3)]

    def _seen_by(self, picture_IE: Floats, city: int) -> Floats:
        pictures = EmbeddedPictures(picture_IE, self.pictures.person_I, self.pictures.camera_I)
        return Wardrobe(pictures, self.wearers).embeddings(self.day.tracks.of(self._row_R[city]))

    def _part(
        self, way: Way, found: CityNetworks, child: int, home: int, city: int
    ) -> tuple[Indices, Floats, Floats]:
        """Rows, embeddings and the query of one city."""
        rows = query_rows(self.pictures, self.wearers, self.day.number_of(child), self.seed)
        seen = self._in_time(child, city)
        looks = self._looks[city]
        if way.query == PICTURE:
            query_QE = found.picture_IE[city][rows]
        else:
            query_QE = found.picture_IE[home][rows]
        if way.query == ALIGNED:
            query_QE = _turned(query_QE, self._looks[home], found, home, city)
            centre_E = looks.mean(axis=0, dtype=np.float64)
            return self._row_R[city][seen], centred(looks[seen], centre_E), query_QE
        return self._row_R[city][seen], looks[seen], query_QE

    def _in_time(self, child: int, city: int) -> Indices:
        """Tracks of a city from when the child was lost until the search ends."""
        case, row_R = self.day.children[child], self._row_R[city]
        tracks = self.day.tracks
        ready_s_R = tracks.ready_s_R[row_R]
        since_s, until_s = case.lost_s - _BEFORE_S, case.report_s + _AFTER_S
        return np.flatnonzero((ready_s_R > since_s) & (ready_s_R <= until_s))

    def _owner(
        self,
        way: Way,
        child: int,
        row_R: Indices,
        embedding_RE: Floats,
        query_QE: Floats,
        most: int = HITS_A_CITY,
    ) -> TrackOwner:
        height_m = self.day.children[child].height_m if way.heights else float("nan")
        tracks = self.day.tracks.of(row_R)
        return TrackOwner(tracks, embedding_RE, row_R, query_QE, height_m, most, way.least)


def _turned(query_QE: Floats, home_RE: Floats, found: CityNetworks, home: int, city: int) -> Floats:
    """The query in another city's directions, as `deepcity.learning.identity.alignment`."""
    query = centred(query_QE, home_RE.mean(axis=0, dtype=np.float64))
    if home == city:
        return query
    turn_EE = rotation(centred(found.anchor_AE[home]), centred(found.anchor_AE[city]))
    return unit(np.asarray(query @ turn_EE, np.float32))


def ways_of(names: Sequence[str]) -> list[Way]:
    """Ways by name.

    Raises:
        ValueError: with the names that are none.
    """
    known = {way.name: way for way in WAYS}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no way {'; '.join(unknown)}; there are {'; '.join(known)}")
    return [known[name] for name in names]
