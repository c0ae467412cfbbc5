"""Chains of hits: sums and the best one are those of trying every chain."""

import math
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.applications.tasks.matching.match_state import (
    Hit,
    HitVerdict,
    MatchState,
    ScoreModel,
    Spot,
)
from deepcity.applications.tasks.matching.paths import _best, _sums, _weights, log_odds, paths
from deepcity.applications.tasks.matching.reach import IMPOSSIBLE, log_reach, metres

HOME = Spot(37.5, 127.0)
KM = 0.0089932  # degrees of latitude
CAMERAS = {f"town/{km}": Spot(37.5 + km * KM, 127.0) for km in range(12)}
CAMERAS["town/far-east"] = Spot(37.6, 127.2)
MODEL = ScoreModel(0.8, 0.1, 0.4, 0.1)


def hit(km, minute, score=0.75, verdict=HitVerdict.NONE):
    return Hit("town", str(km), 60.0 * minute, score, verdict)


def state(*hits, **changes):
    found = MatchState(3600.0, HOME, 0.0, tuple(hits), CAMERAS, ("town",), scores=MODEL)
    return replace(found, **changes)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 11),
            st.integers(0, 60),
            st.floats(0.2, 1),
            st.sampled_from([HitVerdict.NONE, HitVerdict.NONE, HitVerdict.CONFIRMED]),
        ),
        min_size=1,
        max_size=7,
        unique_by=lambda one: (one[0], one[1]),
    )
)
def test_sums_are_those_of_all_chains(drawn):
    known = state(*(hit(*one) for one in drawn))
    found = paths(known)
    chains = _weights(known, list(found.hits))
    count = len(found.hits)
    must = {n for n, one in enumerate(found.hits) if one.verdict is HitVerdict.CONFIRMED}
    weights = {}
    for length in range(count + 1):
        for chain in combinations(range(count), length):
            if must <= set(chain):
                weights[chain] = _weight(chains, chain)
    total = sum(math.exp(one) for one in weights.values())
    each = [sum(math.exp(w) for c, w in weights.items() if n in c) / total for n in range(count)]
    probability_N, last_N, none = _sums(chains)
    assert probability_N == pytest.approx(np.array(each), abs=1e-9)
    assert last_N.sum() + none == pytest.approx(1.0)
    assert none == pytest.approx(0.0 if must else math.exp(weights[()]) / total)
    best = _best(chains)
    assert weights[best] == pytest.approx(max(weights.values()))


def _weight(chains, chain):
    if not chain:
        return 0.0
    steps = sum(chains.next_NN[a, b] for a, b in pairwise(chain))
    return chains.first_N[chain[0]] + steps + chains.hit_N[list(chain)].sum()


def test_hits_that_fit_together_lift_each_other():
    """Walking away at 1.2 m/s past three cameras; a like one too far off is not."""
    together = [hit(1, 14, 0.7), hit(2, 28, 0.7), hit(3, 42, 0.7), hit(11, 29, 0.7)]
    found = paths(state(*together))
    chance = {one.camera: p for one, p in zip(found.hits, found.probability_N, strict=True)}
    for one in together[:3]:
        (alone,) = paths(state(one)).probability_N
        assert chance[one.camera] > max(0.6, alone)
    assert chance["11"] < 0.1
    assert [found.hits[one].camera for one in found.best] == ["1", "2", "3"]


def test_a_confirmed_hit_draws_the_path_and_a_rejected_one_is_gone():
    hits = [hit(1, 14, 0.5), hit(9, 15, 0.9)]
    assert [paths(state(*hits)).hits[one].camera for one in paths(state(*hits)).best] == ["9"]
    confirmed = paths(state(replace(hits[0], verdict=HitVerdict.CONFIRMED), hits[1]))
    assert confirmed.probability_N[0] == pytest.approx(1.0)
    assert confirmed.probability_N[1] < 0.2 < paths(state(*hits)).probability_N[1]
    rejected = paths(state(hits[0], replace(hits[1], verdict=HitVerdict.REJECTED)))
    assert [one.camera for one in rejected.hits] == ["1"]


def test_two_confirmed_hits_that_nobody_reaches_are_both_believed():
    """A person's word is more than our idea of speed."""
    far = [hit(0, 1, verdict=HitVerdict.CONFIRMED), hit(11, 2, verdict=HitVerdict.CONFIRMED)]
    found = paths(state(*far))
    assert found.probability_N == pytest.approx([1.0, 1.0])
    assert found.best == (0, 1)


def test_without_hits_or_with_hits_of_unknown_cameras_alone_there_is_nobody():
    for known in (state(), state(hit(99, 5))):
        found = paths(known)
        assert (found.hits, found.none, found.best) == ((), 1.0, ())


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.03, 0.3), st.floats(0.03, 0.3))
def test_a_higher_score_never_tells_less(one, other, same_sd, other_sd):
    model = ScoreModel(0.8, same_sd, 0.4, other_sd)
    low, high = log_odds(np.array(sorted((one, other))), model)
    assert low <= high + 1e-9


def test_reach_grows_with_time_until_it_tells_nothing():
    area = 100e6
    near, far = log_reach(np.array([500.0, 500.0]), np.array([300.0, 90_000.0]), area)
    assert near > 2 > far == pytest.approx(0.0)
    assert log_reach(np.array([30_000.0]), np.array([60.0]), area)[0] == IMPOSSIBLE
    # at 10 km after ten minutes: by car alone, which is taken 15 times in 100
    by_car = log_reach(np.array([10_000.0]), np.array([600.0]), area)[0]
    assert by_car == pytest.approx(math.log(0.15), abs=1e-6)


def test_metres_are_those_of_a_sphere_on_both_sides_of_the_date_line():
    (east,) = metres([Spot(0.0, -179.9)], Spot(0.0, 179.9))
    assert east == pytest.approx([22_239, 0], rel=1e-3)
    (north,) = metres([Spot(37.5 + KM, 127.0)], HOME)
    assert north == pytest.approx([0, 1000], rel=1e-3)
