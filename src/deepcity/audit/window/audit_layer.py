"""All window attacks on one layer, as results."""

from collections.abc import Iterator

import numpy as np

from deepcity.audit.effort import Effort
from deepcity.audit.results import LearnedFrom, WindowLeak
from deepcity.audit.window.attack import rebuild
from deepcity.audit.window.releases import STREAM, Pairs
from deepcity.audit.window.ridge_decoder import Learned
from deepcity.audit.window.scores import identified, r2, r2_by_input
from deepcity.audit.window.victim import KNOWN, Victim, known_pairs
from deepcity.city.arrays import Ints

STREAMS = (1, STREAM)
_DIGITS = 4  # more would differ between machines


def audit_layer(victim: Victim, layer: str, effort: Effort, seed: int) -> list[WindowLeak]:
    """Every attack on a layer: each length of stream, each training of the attacker, each share of
    pairs known; a figure is the mean over the effort's seeds.
    """
    found = [
        [
            leak
            for stream in STREAMS
            for source in sources(victim)
            for leak in _attacks(victim, layer, stream, source, effort, seed + more)
        ]
        for more in range(effort.seeds)
    ]
    return [_mean(list(same)) for same in zip(*found, strict=True)]


def sources(victim: Victim) -> tuple[LearnedFrom, ...]:
    """Where decoders can be trained."""
    place = (LearnedFrom.PLACE,) if victim.places > 1 else ()
    city = (LearnedFrom.CITY,) if victim.others is not None else ()
    return (LearnedFrom.PERIOD, *place, *city)


def _attacks(
    victim: Victim, layer: str, stream: int, source: LearnedFrom, effort: Effort, seed: int
) -> Iterator[WindowLeak]:
    """The attacks that share what was learned elsewhere, by the share of pairs known."""
    theirs, attacked = victim.divided(seed)
    learned = Learned.of(_learned_pairs(victim, layer, stream, source, theirs))
    truth = victim.attacked.pairs(layer, stream, attacked)
    for known in KNOWN:
        pairs = known_pairs(victim, layer, stream, attacked, known)
        found = rebuild(learned, pairs, truth.released_RD, effort, seed)
        share, gallery = identified(found.window_RX, truth.window_RX, seed)
        yield WindowLeak(
            layer=layer,
            stream=stream,
            learned_from=source,
            known=known,
            attacker=found.attacker,
            r2=r2(found.window_RX, truth.window_RX),
            r2_spread=None,
            r2_by_input=r2_by_input(found.window_RX, truth.window_RX),
            identified=share,
            gallery=gallery,
            windows=len(truth),
        )


def _learned_pairs(
    victim: Victim, layer: str, stream: int, source: LearnedFrom, theirs: Ints
) -> Pairs:
    if source is LearnedFrom.CITY and victim.others is not None:
        places = victim.others.window_BNX.shape[1]
        return victim.others.pairs(layer, stream, np.arange(places))
    places = theirs if source is LearnedFrom.PLACE else np.arange(victim.places)
    return victim.learned.pairs(layer, stream, places)


def _mean(found: list[WindowLeak]) -> WindowLeak:
    """The mean of one attack over seeds."""
    r2s = np.array([one.r2 for one in found])
    inputs = np.mean([one.r2_by_input for one in found], axis=0)
    return found[0].model_copy(
        update={
            "r2": round(float(r2s.mean()), _DIGITS),
            "r2_spread": round(float(r2s.std(ddof=1)), _DIGITS) if len(r2s) > 1 else None,
            "r2_by_input": tuple(round(float(one), _DIGITS) for one in inputs),
            "identified": round(float(np.mean([one.identified for one in found])), _DIGITS),
        }
    )
