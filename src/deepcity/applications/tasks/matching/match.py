"""Hits to look at, the likeliest path, cameras to watch next: a decision of a match service.

No hit is ever acted on by itself: whoever the service names looks at each and says whether it is
the person.
"""

from dataclasses import dataclass

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.tasks.matching.match_state import HitVerdict, MatchState
from deepcity.applications.tasks.matching.next_cameras import city_shares, next_cameras
from deepcity.applications.tasks.matching.paths import Paths, paths

MOST_LOOKS, MOST_WATCHED = 20, 10
VALID_S = 60
_ASK_SHARE = 0.1
"""Share of what may be seen, from which on a city that was not asked is worth asking."""


@dataclass(frozen=True)
class RankSightings:
    """Ranks hits by what all of them say together.

    Attributes:
        confirm: who looks at each hit.
    """

    confirm: Confirm = Confirm.OPERATOR

    def __call__(self, state: MatchState) -> Decision:
        """What to look at, in order, and where to look next."""
        found = paths(state)
        shares = next_cameras(state, found)
        actions = [*_looks(found), *_path(found), *_watched(state, shares), *_asked(state, shares)]
        return Decision(
            tuple(actions),
            tuple(_reasons(state, found)),
            certainty=float(found.probability_N[found.best[-1]]) if found.best else 0.0,
            valid_until_s=int(state.now_s) + VALID_S,
            confirm=self.confirm,
        )


def _looks(found: Paths) -> list[Action]:
    """Hits that nobody has judged, the likeliest first."""
    weighed = zip(found.hits, found.probability_N, strict=True)
    ranked = sorted(
        ((hit, float(chance)) for hit, chance in weighed if hit.verdict is HitVerdict.NONE),
        key=lambda one: (-one[1], -one[0].score, one[0].time_s),
    )
    return [
        Action("look", hit.place, int(hit.time_s), {"score": hit.score, "probability": chance})
        for hit, chance in ranked[:MOST_LOOKS]
    ]


def _path(found: Paths) -> list[Action]:
    """The likeliest chain, if there is one."""
    if not found.best:
        return []
    chain = [found.hits[one] for one in found.best]
    numbers = {"sightings": len(chain), "probability": float(found.probability_N[found.best[-1]])}
    route = tuple(one.place for one in chain)
    return [Action("follow", chain[-1].place, int(chain[-1].time_s), numbers, route=route)]


def _watched(state: MatchState, shares: dict[str, float]) -> list[Action]:
    """Cameras of asked cities where the person may come by next."""
    own = {place: one for place, one in shares.items() if place.split("/", 1)[0] in state.asked}
    return [
        Action("watch", place, int(state.now_s), {"share": share})
        for place, share in list(own.items())[:MOST_WATCHED]
    ]


def _asked(state: MatchState, shares: dict[str, float]) -> list[Action]:
    """Cities that were not asked and are near enough."""
    return [
        Action("ask-city", city, int(state.now_s), {"share": share})
        for city, share in sorted(city_shares(shares).items(), key=lambda one: -one[1])
        if city not in state.asked and share >= _ASK_SHARE
    ]


def _reasons(state: MatchState, found: Paths) -> list[Reason]:
    confirmed = sum(one.verdict is HitVerdict.CONFIRMED for one in state.hits)
    rejected = sum(one.verdict is HitVerdict.REJECTED for one in state.hits)
    unplaced = len(state.hits) - rejected - len(found.hits)
    numbers = {"hits": len(state.hits), "confirmed": confirmed, "rejected": rejected}
    reasons = [
        Reason("sightings", {**numbers, "cities": len(state.asked) - len(state.silent)}),
        Reason("nobody", {"probability": found.none}),
        *(Reason("city-silent", {}, city) for city in state.silent),
    ]
    return [*reasons, Reason("camera-unknown", {"hits": unplaced})] if unplaced else reasons
