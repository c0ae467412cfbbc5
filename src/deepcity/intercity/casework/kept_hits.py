"""Sightings that came back, as far as they are kept: within the case's time, and so many."""

from collections import defaultdict
from collections.abc import Sequence

from deepcity.applications.tasks.matching.match_state import HitVerdict
from deepcity.city.errors import CaseError
from deepcity.city.printable import printable
from deepcity.exchange.exchange import Failure
from deepcity.exchange.message import Message
from deepcity.intercity.casework.case_file import KeptHit
from deepcity.intercity.casework.case_messages import read_sightings

_LONGEST = 200  # of what another party says, in the record
MOST_HITS = 500
"""Of a case: chains of more take seconds to weigh, and nobody looks at them."""


def answered(
    city: str, reply: Message | Failure | None, most: int, span: tuple[int, int]
) -> list[KeptHit] | str:
    """What a city answered, or why there is nothing: a code, or what it refused with.

    Args:
        span: UTC seconds within which a sighting can be; one that is not makes it no answer.
    """
    if isinstance(reply, Failure):
        return " ".join(printable(reply.reason).split())[:_LONGEST]
    if reply is None:
        return "no-answer"
    try:
        found = read_sightings(reply, most)
    except CaseError as error:
        return error.code
    if not all(span[0] <= one.time_s <= span[1] for one in found):
        return "no-answer"
    return [
        KeptHit(city=city, camera=one.camera, time_s=int(one.time_s), score=one.score)
        for one in found
    ]


def merged(kept: Sequence[KeptHit], found: Sequence[KeptHit]) -> tuple[KeptHit, ...]:
    """Sightings of before and of now, with what was said of them.

    All that were judged stay, and of the others the best of each city, which share what room is
    left.
    """
    hits = {one.key: one for one in kept}
    for one in found:
        before = hits.get(one.key)
        verdict = before.verdict if before else HitVerdict.NONE
        hits[one.key] = one.model_copy(update={"verdict": verdict})
    reviewed = [one for one in hits.values() if one.verdict is not HitVerdict.NONE][-MOST_HITS:]
    by_city: dict[str, list[KeptHit]] = defaultdict(list)
    for one in sorted(hits.values(), key=lambda one: (-one.score, one.time_s, one.camera)):
        if one.verdict is HitVerdict.NONE:
            by_city[one.city].append(one)
    room = max(0, MOST_HITS - len(reviewed)) // max(1, len(by_city))
    best = [one for some in by_city.values() for one in some[:room]]
    return tuple(sorted((*reviewed, *best), key=lambda one: (one.time_s, one.key)))
