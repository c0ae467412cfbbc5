"""The audit fails a model that releases its inputs, and passes one that sees nothing."""

from dataclasses import replace

import numpy as np
import pytest
from audit_victims import QUICK, constant, folded, leaky, noise, releases, victim

from deepcity.audit.results import LearnedFrom
from deepcity.audit.window.attack import MLP, rebuild
from deepcity.audit.window.audit_layer import audit_layer
from deepcity.audit.window.checks import check_victim
from deepcity.audit.window.releases import STREAM, Pairs, sample_blocks
from deepcity.audit.window.ridge_decoder import Learned, fit_ridge
from deepcity.audit.window.scores import identified, r2
from deepcity.audit.window.victim import KNOWN, Victim, known_pairs
from deepcity.city.errors import DataError
from deepcity.data.windows import Span


def test_a_layer_that_is_its_inputs_is_rebuilt_whole():
    found = audit_layer(victim(leaky), "x", QUICK, 0)
    assert {(one.stream, one.known) for one in found} == {
        (stream, known) for stream in (1, STREAM) for known in KNOWN
    }
    assert {one.learned_from for one in found} == {LearnedFrom.PERIOD, LearnedFrom.PLACE}
    assert min(one.r2 for one in found) > 0.99
    assert min(min(one.r2_by_input) for one in found) > 0.98
    assert min(one.identified for one in found if one.stream == 1) > 0.95


@pytest.mark.parametrize("blind", [constant, noise])
def test_a_layer_that_sees_nothing_is_not_rebuilt(blind):
    """Also by an attacker who knows half of the pairs; tuning must not look like leakage."""
    found = audit_layer(victim(blind), "x", QUICK, 0)
    assert max(one.r2 for one in found) < 0.02
    assert max(one.identified for one in found) < 0.02  # of some 300


def test_the_forecast_alone_gives_away_the_step_that_it_repeats():
    """It repeats the newest value: that is read out, older ones by a stream alone."""
    found = audit_layer(victim(leaky), "forecast", QUICK, 0)
    single = next(one for one in found if one.stream == 1)
    stream = next(one for one in found if one.stream == STREAM)
    assert single.r2_by_input[-1] > 0.99
    assert single.r2_by_input[0] < 0.5
    assert stream.r2 > 0.99


def test_what_no_linear_decoder_rebuilds_the_network_does():
    sizes = replace(QUICK, mlp_steps=400, mlp_width=64)
    one = victim(folded)
    places = np.arange(2)
    learned = Learned.of(one.learned.pairs("x", 1, places))
    attacked = one.attacked.pairs("x", 1, places)
    linear = r2(fit_ridge(learned).whole.rebuild(attacked.released_RD), attacked.window_RX)
    found = rebuild(learned, None, attacked.released_RD, sizes, 0)
    assert found.attacker == MLP
    assert r2(found.window_RX, attacked.window_RX) > linear + 0.05


def test_pairs_known_of_the_victim_help_where_others_mislead():
    """Elsewhere the signs are turned, so only pairs of the victim itself tell how to read it."""
    one = victim(leaky)
    turned = replace(one.learned, layers={"x": -one.learned.layers["x"]})
    found = audit_layer(replace(one, learned=turned), "x", QUICK, 0)
    by_known = {leak.known: leak.r2 for leak in found if leak.stream == 1}
    assert by_known[0.0] < 0
    assert by_known[0.1] > 0.95
    assert by_known[0.5] > 0.95


def test_another_city_s_places_teach_where_there_are_some():
    one = replace(victim(leaky), others=victim(leaky, seed=5).learned)
    found = audit_layer(one, "x", QUICK, 0)
    city = [leak for leak in found if leak.learned_from is LearnedFrom.CITY]
    assert len(city) == 6
    assert min(leak.r2 for leak in city) > 0.99


def test_the_same_seed_gives_the_same_figures_and_more_seeds_a_spread():
    assert audit_layer(victim(noise), "x", QUICK, 3) == audit_layer(victim(noise), "x", QUICK, 3)
    found = audit_layer(victim(noise), "x", replace(QUICK, seeds=2), 3)
    assert all(one.r2_spread is not None for one in found)


def test_attacked_windows_take_no_part_in_fitting():
    """A decoder is the same whatever the attacked windows hold: it never sees them."""
    one = victim(leaky)
    other = replace(one.attacked, window_BNX=one.attacked.window_BNX[::-1].copy())
    before = audit_layer(one, "x", QUICK, 0)[0]
    after = audit_layer(replace(one, attacked=other), "x", QUICK, 0)[0]
    assert before.attacker == after.attacker
    assert before.r2 > 0.99
    assert after.r2 < 0


def test_half_of_the_pairs_is_half_and_a_tenth_a_fifth_of_that():
    one, places = victim(leaky), np.arange(2)
    half = known_pairs(one, "x", 1, places, 0.5)
    tenth = known_pairs(one, "x", 1, places, 0.1)
    assert len(half) == (250 - STREAM + 1) * 2
    assert len(tenth) == pytest.approx(len(half) / 5, abs=3)
    assert known_pairs(one, "x", 1, places, 0.0) is None


def test_a_stream_never_crosses_blocks():
    one = victim(leaky).learned
    halves = replace(one, block_B=(np.arange(500) >= 250).astype(int))
    assert len(one.pairs("x", STREAM, np.arange(1))) == 500 - STREAM + 1
    assert len(halves.pairs("x", STREAM, np.arange(1))) == 2 * (250 - STREAM + 1)
    chosen, block_B = sample_blocks(Span(10, 5_000), 400)
    assert len(chosen) == 400
    assert (np.diff(chosen)[np.diff(block_B) == 0] == 1).all()


def test_equal_windows_are_found_by_their_share():
    same = np.zeros((4, 2), np.float32)
    assert identified(same, same, 0) == (0.25, 4)
    apart = np.arange(8, dtype=np.float32).reshape(4, 2)
    assert identified(apart, apart, 0) == (1.0, 4)
    assert identified(apart[::-1], apart, 0)[0] == 0.0


def test_too_few_windows_are_refused_with_both_spans():
    short = releases(30, leaky, seed=0)
    with pytest.raises(DataError) as refused:
        check_victim("east/north", Victim(short, short, short))
    assert len(refused.value.problems) == 2
    assert "training days" in str(refused.value)
    assert "validation_days" in str(refused.value)


def test_columns_that_depend_on_each_other_have_a_solution():
    """As those of a stream through a narrow layer do, whose sums are of single precision."""
    rng = np.random.default_rng(0)
    narrow = rng.normal(size=(400, 3)).astype(np.float32) * 100
    wide = np.concatenate([narrow @ rng.normal(size=(3, 40)).astype(np.float32), narrow], axis=1)
    fit = fit_ridge(Learned.of(Pairs(wide, narrow)))
    assert r2(fit.whole.rebuild(wide), narrow) > 0.99


def test_a_layer_that_is_not_finite_is_refused_by_name():
    one = victim(lambda window_BNX, _rng: window_BNX * np.nan)
    with pytest.raises(DataError, match="x holds NaN or infinity"):
        check_victim("east/north", one)


def test_pairs_split_in_order_of_time():
    rows = np.arange(10, dtype=np.float32)[:, None]
    first, rest = Pairs(rows, rows).split(0.8)
    assert (len(first), rest.window_RX[0, 0]) == (8, 8.0)
