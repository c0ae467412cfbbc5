"""One row of one seed, the names of rows, and the rows of given networks, which train nothing."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.persons.cities import given_towns
from benchmarks.persons.pictures import Crops
from benchmarks.persons.scores import Pair, scored
from deepcity.city.level import MAX_LEVEL

APART, ONE, CONCATENATED = "apart", "one city's network for all", "concatenated networks"
FEDPAV, OWN_STATISTICS = "all but classifiers (FedPav)", "FedPav, own statistics"
LOCAL, COMMON = "pooled, local ids", "pooled, common ids"
CHOSEN = "level chosen by each city"
BESIDE = "FedPav beside the cities' own"
LEVELS = {f"h1..h{level} and the stem": level for level in range(1, MAX_LEVEL)}


@dataclass(frozen=True)
class Case:
    """One row of one seed.

    Attributes:
        set: which people, and what goes into the networks.
        row: how it was learned.
        within: city -> rank-1 and mean average precision, in %.
        levels: city -> the level that it chose, where it chose.
        sent: bytes that cities sent, as serialised.
        unused: times that a city did not use the layers sent to it.
        seconds: CPU seconds of training and scoring; of rows made of one training, of that one.
    """

    set: str
    row: str
    seed: int
    within: Mapping[str, Pair]
    across: Pair
    aligned: Pair | None
    levels: Mapping[str, int]
    sent: int
    unused: int
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def measure_given(set_name: str, network: str, crops: Crops) -> Case:
    """A given network for all cities, as it is."""
    begun = time.process_time()
    tested = given_towns(crops, network)
    found = scored(tested, {city: np.asarray(one.input_I) for city, one in tested.items()})
    seconds = time.process_time() - begun
    return Case(set_name, network, 0, found.within, found.across, None, {}, 0, 0, seconds)
