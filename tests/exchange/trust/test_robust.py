"""Claims cannot be checked, so they are capped; and means that one liar cannot move far."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.exchange.fusion import weighted_mean
from deepcity.exchange.profile import SiteProfile
from deepcity.exchange.strategies import STRATEGIES, strategy
from deepcity.exchange.trust.robust import (
    BOUNDED_FROM,
    MOST_TIMES_LENGTH,
    capped_weights,
    multi_krum,
)

ROBUST = ("median", "trimmed_mean", "norm_clipping", "multi_krum", "peer_validation")
honest = st.lists(st.floats(1, 1000), min_size=2, max_size=9)


@given(honest, st.floats(0, 1e300))
def test_no_claim_weighs_more_than_three_usual_members(rows, claim):
    names = {f"m{number}": float(row) for number, row in enumerate(rows)}
    found = capped_weights({**names, "liar": claim})
    assert found["liar"] <= 3 * max(rows)
    assert found == capped_weights(found)
    assert all(found[name] <= row for name, row in names.items())


def test_a_site_has_no_more_rows_than_its_places_have_steps():
    shape = {"features": 3, "horizon": 2, "linear_features": 2, "recent": 1}
    one = SiteProfile(step_s=3600, places=2, rows=10**12, train_from=0, train_to=36000, **shape)
    assert one.most_rows == 20


def updates(liar, members=4):
    rng = np.random.default_rng(0)
    sent = {
        f"m{number}": {"h1": {"w": (1 + 0.01 * rng.normal(size=6)).astype(np.float32)}}
        for number in range(members - 1)
    }
    return {**sent, "liar": {"h1": {"w": np.full(6, liar, np.float32)}}}


@pytest.mark.parametrize("name", ROBUST)
@pytest.mark.parametrize("members", [4, 7])
@pytest.mark.parametrize("liar", [-6e4, 6e4])
def test_one_liar_does_not_move_a_robust_mean_far(name, members, liar):
    sent = updates(liar, members)
    chosen = strategy(name)
    state = chosen.start({"h1": {"w": np.zeros(6, np.float32)}})
    weights, levels = dict.fromkeys(sent, 1.0), dict.fromkeys(sent, 1)
    after, _ = chosen.aggregate(state, sent, weights, levels)
    assert np.abs(after.layers["h1"]["w"] - 1).max() < 0.6
    mean, _ = strategy("fedavg").aggregate(state, sent, weights, levels)
    moved = np.abs(mean.layers["h1"]["w"]).max()
    assert moved > 8000 if members < BOUNDED_FROM else moved < 1 + MOST_TIMES_LENGTH / members


@pytest.mark.parametrize("name", ["fedavg", "fedprox", "fedamp"])
@given(seed=st.integers(0, 99), scale=st.floats(2.5, 1e6))
def test_among_many_no_move_counts_for_more_than_twice_the_usual_length(name, seed, scale):
    """A long one counts as if it were shorter; the others' are not touched."""
    rng, chosen = np.random.default_rng(seed), strategy(name)
    moves = rng.normal(size=(BOUNDED_FROM, 8))
    moves /= np.linalg.norm(moves, axis=1, keepdims=True)
    state = chosen.start({"h1": {"w": np.ones(8)}})
    names = [f"m{number}" for number in range(len(moves))]
    weights, levels = dict.fromkeys(names, 1.0), dict.fromkeys(names, 1)

    def fused(factor):
        sent = {one: {"h1": {"w": 1 + move}} for one, move in zip(names, moves, strict=True)}
        sent["m0"] = {"h1": {"w": 1 + factor * moves[0]}}
        _, received = chosen.aggregate(state, sent, weights, levels)
        return [received[one]["h1"]["w"] for one in names]

    np.testing.assert_allclose(fused(scale), fused(MOST_TIMES_LENGTH), rtol=1e-6, atol=1e-9)


def test_moves_of_usual_lengths_give_the_very_mean():
    rng, sent = np.random.default_rng(0), {}
    for number in range(9):
        sent[f"m{number}"] = {"h1": {"w": rng.normal(1, 0.1, 50).astype(np.float32)}}
    chosen, weights = strategy("fedavg"), dict.fromkeys(sent, 1.0)
    state = chosen.start({"h1": {"w": np.zeros(50, np.float32)}})
    after, _ = chosen.aggregate(state, sent, weights, dict.fromkeys(sent, 1))
    mean = weighted_mean(sent, weights, "h1", sorted(sent))
    assert after.layers["h1"]["w"].tobytes() == mean["w"].tobytes()


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_members_that_agree_get_what_they_sent(name):
    same = {f"m{number}": {"h1": {"w": np.ones(3, np.float32)}} for number in range(5)}
    chosen = strategy(name)
    state = chosen.start({"h1": {"w": np.zeros(3, np.float32)}})
    after, _ = chosen.aggregate(state, same, dict.fromkeys(same, 2.0), dict.fromkeys(same, 1))
    np.testing.assert_allclose(after.layers["h1"]["w"], 1, rtol=1e-6)


def test_krum_of_fewer_than_five_is_the_median():
    values = np.array([[0.0], [1.0], [2.0], [90.0]])
    assert multi_krum(values, np.ones(4)) == 1.5
    assert multi_krum(np.vstack([values, [[1.5]]]), np.ones(5)) == pytest.approx(4.5 / 4)
