"""Rounds with noise: paid before they are trained, repeated to the bit, and private throughout."""

import numpy as np
import pytest
from signals import SHORT, panel, party_data

from deepcity.city.errors import GrantError
from deepcity.city.level import layers_up_to
from deepcity.data.windows import Span
from deepcity.learning.features.inputs import fit_inputs, train_origins
from deepcity.learning.private.inputs import day_reference, inputs_by_day
from deepcity.learning.private.learner import PrivateData, PrivateLearner
from deepcity.learning.private.plan import plan_privacy
from deepcity.learning.private.settings import PrivacySettings, PrivacyUnit
from deepcity.learning.private.units import PrivacyUnits
from deepcity.learning.training.learner import PartyData
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.privacy.accounting.noise_stream import NoiseKey

TRAINING = TrainingSettings(rounds=2, local_steps=3, batch_size=16, refit_steps=4)
PRIVACY = PrivacySettings(epsilon=8.0, sampling=0.5, windows=3)
PLAN = plan_privacy(PRIVACY, TRAINING, 1)
KEY = NoiseKey(bytes(32))
LEVEL = 2


def private_data(whole, key=KEY):
    train = Span(0, len(whole.time_T) - 6 * 24)
    ordinary = fit_inputs(whole, "flow", SHORT, train)
    noise = key.stream(b"reference")
    reference = day_reference(ordinary, train, noise, PLAN.reference.noise_multiplier)
    inputs = inputs_by_day(ordinary, reference)
    origins_B = train_origins(inputs.settings, train)
    rows = PartyData(
        "town/office",
        inputs.samples(origins_B, until=train.end),
        inputs.samples(np.arange(train.end, len(whole.time_T) - 6)[::5]),
        inputs.ridge_skip_HS,
    )
    return PrivateData(
        rows,
        PrivacyUnits.of(PrivacyUnit.SENSOR_DAY, inputs, origins_B, 3),
        whole.values_TNF.tobytes(),
    )


WHOLE = panel(days=30)
DATA, OWN = private_data(WHOLE), party_data(WHOLE)


def learner(paid=None, key=KEY, data=DATA):
    def noise(number, context, sums):
        if paid is not None:
            paid.append((number, context, sums))
        return key.stream(context)

    return PrivateLearner(data, OWN, TRAINING, 1, plan=PLAN, level=LEVEL, noise=noise)


def shared(one):
    layers = one.export(layers_up_to(LEVEL, common_stem=False))
    return np.concatenate(
        [np.ravel(tensor) for part in layers.values() for tensor in part.values()]
    )


def test_the_same_seed_and_key_give_the_same_layers_and_another_key_others():
    first, again, other = learner(), learner(), learner(key=NoiseKey(bytes(31) + b"1"))
    for one in (first, again, other):
        one.train_round(0)
    np.testing.assert_array_equal(shared(first), shared(again))
    assert not np.allclose(shared(first), shared(other))


def test_a_resumed_round_is_the_same_answer_and_the_same_use():
    paid, resumed_paid = [], []
    whole, killed = learner(paid), learner(resumed_paid)
    whole.train_round(0)
    state = {name: array.copy() for name, array in whole.state().items()}
    whole.train_round(1)
    killed.restore(state)
    killed.train_round(1)
    np.testing.assert_array_equal(shared(whole), shared(killed))
    assert paid[1:] == resumed_paid


def test_noise_is_never_used_for_two_things():
    paid = []
    one, changed = learner(paid), learner(paid)
    one.train_round(0)
    layers = changed.export(["h1"])
    changed.receive({"h1": {name: tensor + 0.01 for name, tensor in layers["h1"].items()}})
    changed.train_round(0)
    values = WHOLE.values_TNF.copy()
    values[100, 0, 0] += 1.0
    learner(paid, data=private_data(panel(days=30, seed=5))).train_round(0)
    learner(paid).train_round(1)
    contexts = [context for _, context, _ in paid]
    assert len(set(contexts)) == 4


def test_what_is_not_paid_for_is_not_trained():
    def refused(_number, _context, _sums):
        raise GrantError("spent")

    one = PrivateLearner(DATA, OWN, TRAINING, 1, plan=PLAN, level=LEVEL, noise=refused)
    before = one.state()
    with pytest.raises(GrantError):
        one.train_round(0)
    after = one.state()
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])


def test_the_noise_is_as_large_as_planned():
    """Many steps' gradients, less those without noise, have the planned spread."""
    one, stream = learner(), KEY.stream(b"noise")
    parameters = [each for each in one.network.parameters() if each.requires_grad]
    one._noisy_gradients(parameters, stream, np.random.default_rng(0))
    noisy = np.concatenate([each.grad.numpy().ravel() for each in parameters])
    twin = KEY.stream(b"noise")
    total, expected = one.clipped_sum(twin, np.random.default_rng(0))
    plain = np.concatenate([each.numpy().ravel() for each in total]) / expected
    spread = PLAN.round.noise_multiplier * PRIVACY.clip / expected
    assert (noisy - plain).std() == pytest.approx(spread, rel=0.02)


def test_the_loss_is_not_told_and_layers_above_the_level_stay_as_they_began():
    one = learner()
    above = one.export(["h3", "h4", "h5"])
    assert np.isnan(one.train_round(0))
    for layer, tensors in one.export(above).items():
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(tensor, above[layer][name])


def test_afterwards_the_shared_layers_stay_under_a_stem_and_head_of_ordinary_inputs():
    one = learner()
    one.train_round(0)
    one.receive({})
    one.keep_best()
    kept = shared(one)
    assert np.isfinite(one.forecast(OWN.validation)).all()
    tuned = one.refit(["h1", "h2"], 4, 7)
    assert tuned.network.shape.features == OWN.train.features_BNF.shape[-1]
    np.testing.assert_array_equal(shared(tuned), kept)
    lower = one.refit(["h1"], 4, 7).export(["h1", "h2"])
    assert not np.allclose(lower["h2"]["inner.weight"], tuned.export(["h2"])["h2"]["inner.weight"])
