"""Which hits are the person: chains of hits in time, each weighed by score and by reach.

A chain is some of the hits, in order of time. Its weight is the product of each hit's odds (how
much more its score is like that of one person than of two, times how rare the person is among
passers-by) and of how well each is reached from the one before (`reach`). Summing over all chains
by a forward and a backward pass gives the probability of each hit exactly, and the best chain is
Viterbi's (Rabiner 1989, "A tutorial on hidden Markov models").

Shapes: N hits, in order of time.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from deepcity.applications.tasks.matching.match_state import Hit, HitVerdict, MatchState, ScoreModel
from deepcity.applications.tasks.matching.reach import area_m2, log_reach, metres
from deepcity.city.arrays import Doubles

_SIGHTINGS_H = 6.0
"""How often a person on the way is seen by some camera, times an hour."""
_NEVER = -np.inf


@dataclass(frozen=True, eq=False)
class Paths:
    """What all chains of hits say.

    Attributes:
        hits: those that count, in order of time; rejected ones and those of unknown cameras are
            left out.
        probability_N: that each is the person.
        last_N: that each is the last of them.
        none: that none is.
        best: numbers of the hits of the likeliest chain, in order; none if none is likeliest.
    """

    hits: tuple[Hit, ...]
    probability_N: Doubles
    last_N: Doubles
    none: float
    best: tuple[int, ...]


def paths(state: MatchState) -> Paths:
    """Weigh all chains of a state's hits."""
    hits = sorted(
        (one for one in state.hits if one.verdict is not HitVerdict.REJECTED),
        key=lambda one: (one.time_s, one.place, -one.score),
    )
    hits = [one for one in hits if one.place in state.cameras]
    if not hits:
        return Paths((), np.zeros(0), np.zeros(0), 1.0, ())
    chains = _weights(state, hits)
    probability_N, last_N, none = _sums(chains)
    return Paths(tuple(hits), probability_N, last_N, none, _best(chains))


def log_odds(score_N: Doubles, model: ScoreModel) -> Doubles:
    """How much more a score is like that of one person than of two.

    The ratio of two normal distributions turns around where the wider one overtakes the narrower
    again; beyond that score it stays, so that more likeness never tells less.
    """
    tight, wide = model.same_sd**-2, model.other_sd**-2
    if tight != wide:
        turn = (model.same * tight - model.other * wide) / (tight - wide)
        score_N = np.minimum(score_N, turn) if tight > wide else np.maximum(score_N, turn)
    return _log_normal(score_N, model.same, model.same_sd) - _log_normal(
        score_N, model.other, model.other_sd
    )


def _log_normal(score_N: Doubles, mean: float, sd: float) -> Doubles:
    return np.asarray(-(((score_N - mean) / sd) ** 2) / 2 - np.log(sd))


@dataclass(frozen=True, eq=False)
class _Chains:
    """Logarithms of weights; minus infinity where something may not be.

    Attributes:
        hit_N: of each hit.
        first_N, end_N: of it as the first, and as the last.
        next_NN: of the column after the row.
        empty: of the chain without a hit.
    """

    hit_N: Doubles
    first_N: Doubles
    end_N: Doubles
    next_NN: Doubles
    empty: float


def _weights(state: MatchState, hits: list[Hit]) -> _Chains:
    """Of hits in order of time; no chain leaves out a confirmed one."""
    origin = state.last_seen
    place_N2 = metres([state.cameras[one.place] for one in hits], origin)
    area = area_m2(metres(list(state.cameras.values()), origin))
    time_N = np.array([one.time_s for one in hits])
    rare = np.log(_SIGHTINGS_H / (max(1, len(state.cameras)) * max(1.0, state.passers_by_h)))
    odds_N = log_odds(np.array([one.score for one in hits]), state.scores) + min(0.0, rare)
    confirmed_N = np.array([one.verdict is HitVerdict.CONFIRMED for one in hits])
    first_N = log_reach(np.linalg.norm(place_N2, axis=1), time_N - state.last_seen_s, area)
    apart_NN = np.linalg.norm(place_N2[:, None] - place_N2[None], axis=2)
    next_NN = log_reach(apart_NN, time_N[None] - time_N[:, None], area)

    number_N, total = np.arange(len(hits)), int(confirmed_N.sum())
    before_N = np.cumsum(confirmed_N) - confirmed_N
    through_N = before_N + confirmed_N
    later_NN = number_N[None] > number_N[:, None]
    near_NN = later_NN & (before_N[None] == through_N[:, None])
    return _Chains(
        np.where(confirmed_N, 0.0, odds_N),
        np.where(before_N == 0, first_N, _NEVER),
        np.where(through_N == total, 0.0, _NEVER),
        np.where(near_NN, next_NN, _NEVER),
        _NEVER if total else 0.0,
    )


def _sums(chains: _Chains) -> tuple[Doubles, Doubles, float]:
    """The probability of each hit, of each as the last, and of none."""
    count = len(chains.hit_N)
    ahead_N, behind_N = np.empty(count), np.empty(count)
    for one in range(count):
        before = ahead_N[:one] + chains.next_NN[:one, one]
        ahead_N[one] = chains.hit_N[one] + logsumexp(np.append(before, chains.first_N[one]))
    for one in reversed(range(count)):
        rest = slice(one + 1, count)
        after = chains.next_NN[one, rest] + chains.hit_N[rest] + behind_N[rest]
        behind_N[one] = logsumexp(np.append(after, chains.end_N[one]))
    total = logsumexp(np.append(ahead_N + chains.end_N, chains.empty))
    ended_N = np.exp(ahead_N + chains.end_N - total)
    return np.exp(ahead_N + behind_N - total), ended_N, float(np.exp(chains.empty - total))


def _best(chains: _Chains) -> tuple[int, ...]:
    """The likeliest chain."""
    count = len(chains.hit_N)
    best_N, came_N = np.empty(count), np.full(count, -1)
    for one in range(count):
        before = np.append(best_N[:one] + chains.next_NN[:one, one], chains.first_N[one])
        came = int(np.argmax(before))
        best_N[one] = chains.hit_N[one] + before[came]
        came_N[one] = -1 if came == one else came
    ends_N = best_N + chains.end_N
    last = int(np.argmax(ends_N))
    if ends_N[last] <= chains.empty:
        return ()
    chain = [last]
    while came_N[chain[-1]] >= 0:
        chain.append(int(came_N[chain[-1]]))
    return tuple(reversed(chain))
