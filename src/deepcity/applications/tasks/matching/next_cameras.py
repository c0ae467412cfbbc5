"""Which cameras to watch next, and which city to ask: where the person may get to from the last
sighting.

Shapes: C cameras, N hits, W ends: the hits and where the search began.
"""

from collections.abc import Mapping

import numpy as np

from deepcity.applications.tasks.matching.match_state import MatchState
from deepcity.applications.tasks.matching.paths import Paths
from deepcity.applications.tasks.matching.reach import area_m2, log_reach, metres

AHEAD_S = 600.0
"""How far ahead is looked."""


def next_cameras(state: MatchState, found: Paths) -> dict[str, float]:
    """Camera -> its share of what all cameras may see of the person in ten minutes; the greatest
    share first. Empty where there is no camera.
    """
    if not state.cameras:
        return {}
    places = list(state.cameras)
    camera_C2 = metres([state.cameras[place] for place in places], state.last_seen)
    ends = [state.last_seen, *(state.cameras[hit.place] for hit in found.hits)]
    end_W2 = metres(ends, state.last_seen)
    chance_W = np.append(found.none, found.last_N)
    since_W = np.array([state.last_seen_s, *(hit.time_s for hit in found.hits)])
    apart_WC = np.linalg.norm(end_W2[:, None] - camera_C2[None], axis=2)
    after_WC = np.broadcast_to((state.now_s - since_W + AHEAD_S)[:, None], apart_WC.shape)
    reach_WC = np.exp(log_reach(apart_WC, after_WC, area_m2(camera_C2)))
    weight_C = chance_W @ reach_WC
    share_C = weight_C / weight_C.sum()
    order = np.lexsort((places, chance_W @ apart_WC, -share_C))  # of equal ones the nearer
    return {places[one]: float(share_C[one]) for one in order}


def city_shares(shares: Mapping[str, float]) -> dict[str, float]:
    """City -> the sum of its cameras' shares."""
    found: dict[str, float] = {}
    for place, share in shares.items():
        city = place.split("/", 1)[0]
        found[city] = found.get(city, 0.0) + share
    return found
