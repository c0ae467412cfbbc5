"""What every expert must keep, as checks that raise AssertionError: ours and a newcomer's.

Each check takes a fitted expert and the rows that it was fitted to (`experts_of_a_town.town`).
"""

from dataclasses import replace

import numpy as np
import pytest
from experts_of_a_town import END, later, town

from deepcity.city.errors import ExpertError
from deepcity.learning.experts.expert import FreshRows, error_aside
from deepcity.store.blob import seal, unseal


def forecast(expert, data, origins_B):
    return expert.predict(data.inputs.samples(origins_B), origins_B)


def through_a_file(arrays):
    """As a package brings them back."""
    return unseal(seal({"expert": arrays}, {}))[0].get("expert", {})


def its_forecast_has_the_shape_of_the_truth_and_is_finite(expert, data):
    for origins_B in (later(), data.aside_B, later()[:1], later()[:0]):
        found = forecast(expert, data, origins_B)
        assert found.shape == (len(origins_B), 2, data.inputs.settings.horizon)
        assert found.dtype == np.float32
        assert np.isfinite(found).all()


def missing_rows_leave_its_forecast_finite(expert, data):
    values = data.panel.values_TNF.copy()
    values[np.random.default_rng(4).random(values.shape) < 0.2] = np.nan
    gaps = town(values)
    assert np.isfinite(forecast(type(expert).fit(gaps), gaps, later())).all()


def nothing_from_an_origin_on_changes_its_forecast(expert, data):
    rng = np.random.default_rng(5)
    for origin in (END, END + 7, END + 31):
        values = data.panel.values_TNF.copy()
        values[origin:] = rng.normal(60, 20, values[origin:].shape)
        values[origin:][rng.random(values[origin:].shape) < 0.3] = np.nan
        other = town(values)
        for made in (type(expert).fit(other), type(expert).from_arrays(expert.to_arrays(), other)):
            np.testing.assert_array_equal(
                forecast(expert, data, np.array([origin])),
                forecast(made, other, np.array([origin])),
            )


def it_learns_from_the_training_span_alone(expert, data):
    values = data.panel.values_TNF.copy()
    values[data.aside.end :] += 40
    made = type(expert).fit(town(values)).to_arrays()
    before = expert.to_arrays()
    assert made.keys() == before.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(array, made[name], name)


def its_arrays_bring_it_back_to_the_bit(expert, data):
    again = type(expert).from_arrays(through_a_file(expert.to_arrays()), town())
    np.testing.assert_array_equal(forecast(expert, data, later()), forecast(again, data, later()))
    for name, array in expert.to_arrays().items():
        np.testing.assert_array_equal(array, again.to_arrays()[name], name)


def an_update_gives_an_expert_that_goes_on_and_leaves_the_old_one(expert, data):
    before = forecast(expert, data, later())
    known = error_aside(expert, data)
    fresh = FreshRows(np.arange(END, END + 120), bound=0.5, known=known, seed=1)
    changed, moved = expert.update(data, fresh)
    assert type(changed) is type(expert)
    assert 0 <= moved <= 1
    assert (changed is expert) <= (moved == 0)
    assert np.isfinite(forecast(changed, data, later())).all()
    np.testing.assert_array_equal(before, forecast(expert, data, later()))
    again = type(expert).from_arrays(through_a_file(changed.to_arrays()), data)
    np.testing.assert_array_equal(forecast(changed, data, later()), forecast(again, data, later()))


def arrays_that_are_not_its_own_are_refused(expert, data):
    arrays = expert.to_arrays()
    for name, array in arrays.items():
        spoiled = [
            {key: one for key, one in arrays.items() if key != name},
            {**arrays, name: array[None]},
            {
                **arrays,
                name: array[: len(array) // 2] if array.ndim and len(array) > 1 else array[:0],
            },
        ]
        if array.dtype.kind == "f":
            spoiled.append({**arrays, name: np.full_like(array, np.nan)})
        for one in spoiled:
            with pytest.raises(ExpertError, match=expert.kind):
                type(expert).from_arrays(one, data)


def arrays_of_other_rows_are_refused(expert, data):
    arrays = expert.to_arrays()
    if not arrays:
        return  # it keeps nothing that could be of other rows
    other = town(places=3, window=town().inputs.settings.model_copy(update={"horizon": 5}))
    with pytest.raises(ExpertError, match=expert.kind):
        type(expert).from_arrays(arrays, other)


def few_rows_are_no_crash(expert, data):
    """Its prior says that it cannot learn from them, or it can."""
    few = replace(data, train_B=data.train_B[:0])
    assert type(expert).prior(few) >= 0
    assert 0 <= type(expert).prior(data) <= 0.3


CHECKS = (
    its_forecast_has_the_shape_of_the_truth_and_is_finite,
    missing_rows_leave_its_forecast_finite,
    nothing_from_an_origin_on_changes_its_forecast,
    it_learns_from_the_training_span_alone,
    its_arrays_bring_it_back_to_the_bit,
    an_update_gives_an_expert_that_goes_on_and_leaves_the_old_one,
    arrays_that_are_not_its_own_are_refused,
    arrays_of_other_rows_are_refused,
    few_rows_are_no_crash,
)
