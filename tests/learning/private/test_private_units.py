"""One unit's records, whatever they are, move a step's summed gradient by their bound at most."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import panel

from deepcity.data.windows import Span
from deepcity.learning.features.inputs import WindowSettings, fit_inputs, train_origins
from deepcity.learning.networks.network import Shape, new_network
from deepcity.learning.private.inputs import inputs_by_day, inputs_by_place
from deepcity.learning.private.reference import PlaceReference
from deepcity.learning.private.settings import PrivacyUnit
from deepcity.learning.private.unit_gradients import clipped_sum
from deepcity.learning.private.units import PrivacyUnits
from deepcity.privacy.accounting.noise_stream import NoiseKey

WINDOW = WindowSettings(history=8, horizon=6, days=7)
DAYS, PLACES, CLIP, WINDOWS = 24, 3, 0.25, 6
TRAIN = Span(0, DAYS * 24)
WHOLE = panel(days=DAYS, places=PLACES)
REFERENCE = PlaceReference(
    np.full((2, 24, PLACES), 10.0),
    np.full(PLACES, 2.0),
    np.full(PLACES, 10.0),
    np.full(PLACES, 3.0),
)
KEY = NoiseKey(bytes(32))


def gradient(values_TNF, unit, seed):
    """A step's summed gradient before noise; the reference of days is held fixed, as its own
    noise bounds what it shows."""
    whole = replace(WHOLE, values_TNF=values_TNF)
    ordinary = fit_inputs(whole, "flow", WINDOW, TRAIN, fit_ridge=False)
    by_day = unit is PrivacyUnit.SENSOR_DAY
    inputs = inputs_by_day(ordinary, REFERENCE) if by_day else inputs_by_place(ordinary, TRAIN)
    origins_B = train_origins(inputs.settings, TRAIN)
    samples = inputs.samples(origins_B, until=TRAIN.end)
    units = PrivacyUnits.of(unit, inputs, origins_B, WINDOWS)
    sample = units.sample(0.7, KEY.stream(b"step"), np.random.default_rng(seed))
    shape = Shape(samples.features_BNF.shape[-1], 6, linear_features=samples.linear_BNHS.shape[-1])
    network = new_network(shape, 1)
    with torch.no_grad():  # away from the start, at which most gradients are 0
        for number, parameter in enumerate(network.parameters()):
            torch.nn.init.normal_(
                parameter, std=0.1, generator=torch.Generator().manual_seed(number)
            )
    network.head.ridge_skip.copy_(torch.from_numpy(inputs.ridge_skip_HS))
    at = sample.window_UM, sample.place_U[:, None]
    target_UMH = samples.target_BNH[at].copy()
    target_UMH[~sample.known_UM] = np.nan
    total = clipped_sum(
        network,
        torch.from_numpy(samples.features_BNF[at]),
        torch.from_numpy(samples.linear_BNHS[at]),
        torch.from_numpy(target_UMH.astype(np.float32)),
        clip=CLIP,
        mae_weight=0.5,
    )
    return torch.cat([one.flatten() for one in total]), len(sample.place_U)


def changed(unit, day, place, seed, size):
    """The records with one unit's replaced: arbitrary values, huge ones, and missing ones."""
    values_TNF = WHOLE.values_TNF.copy()
    rng = np.random.default_rng(seed)
    steps = slice(day * 24, day * 24 + 24) if unit is PrivacyUnit.SENSOR_DAY else slice(None)
    count = len(values_TNF[steps, place, 0])
    drawn = (10.0**size * rng.standard_normal(count)).astype(np.float32)
    drawn[rng.random(count) < 0.2] = np.nan
    values_TNF[steps, place, 0] = drawn
    return values_TNF


@pytest.mark.parametrize("unit", list(PrivacyUnit))
@settings(max_examples=12, deadline=None)
@given(
    day=st.integers(0, DAYS - 1),
    place=st.integers(0, PLACES - 1),
    seed=st.integers(0, 99),
    size=st.integers(-3, 12),
)
def test_replacing_a_unit_moves_the_sum_by_twice_the_clip_at_most(unit, day, place, seed, size):
    before, units = gradient(WHOLE.values_TNF, unit, seed)
    after, same = gradient(changed(unit, day, place, seed, size), unit, seed)
    assert units == same
    assert float((after - before).norm()) <= 2 * CLIP


def test_the_bound_is_nearly_reached_so_that_the_test_can_fail():
    found = []
    for day in range(3, 9):
        before, _ = gradient(WHOLE.values_TNF, PrivacyUnit.SENSOR_DAY, 0)
        after, _ = gradient(
            changed(PrivacyUnit.SENSOR_DAY, day, 0, 1, 4), PrivacyUnit.SENSOR_DAY, 0
        )
        found.append(float((after - before).norm()))
    assert 0.5 * CLIP < max(found) <= 2 * CLIP


def test_each_window_is_used_in_some_step_and_no_day_is_in_two_blocks():
    ordinary = fit_inputs(WHOLE, "flow", WINDOW, TRAIN, fit_ridge=False)
    inputs = inputs_by_day(ordinary, REFERENCE)
    origins_B = train_origins(inputs.settings, TRAIN)
    units = PrivacyUnits.of(PrivacyUnit.SENSOR_DAY, inputs, origins_B, 1000)
    assert units.block_days == 2
    used = set()
    for seed in range(8):
        sample = units.sample(1.0, KEY.stream(b""), np.random.default_rng(seed))
        block_of: dict[tuple[int, int], int] = {}
        for number, place in enumerate(sample.place_U):
            for row in sample.window_UM[number][sample.known_UM[number]]:
                used.add(row)
                for day in (units.first_B[row], units.last_B[row]):
                    assert block_of.setdefault((place, int(day)), number) == number
    assert used == set(range(len(origins_B)))


def test_a_poisson_sample_has_its_rate():
    ordinary = fit_inputs(WHOLE, "flow", WINDOW, TRAIN, fit_ridge=False)
    inputs = inputs_by_day(ordinary, REFERENCE)
    units = PrivacyUnits.of(
        PrivacyUnit.SENSOR_DAY, inputs, train_origins(inputs.settings, TRAIN), 2
    )
    rng, stream = np.random.default_rng(0), KEY.stream(b"many")
    found = [units.sample(0.3, stream, rng) for _ in range(300)]
    sizes = np.array([len(one.place_U) for one in found])
    expected = np.mean([one.expected for one in found])
    assert sizes.mean() == pytest.approx(expected, rel=0.05)
    assert sizes.var() == pytest.approx(0.7 * expected, rel=0.35)
