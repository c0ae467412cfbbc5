"""Trees as an expert, where hardly anything was measured."""

from dataclasses import replace

import numpy as np
import pytest
from experts_of_a_town import later, town

from deepcity.learning.experts.trees import Trees


@pytest.mark.parametrize("known", [0, 1, 30])
def test_of_hardly_any_value_they_make_a_forecast_all_the_same(known):
    data = town()
    values_TN = data.inputs.values_TN.copy()
    values_TN[known : data.train.end] = np.nan
    trees = Trees.fit(replace(data, inputs=replace(data.inputs, values_TN=values_TN)))
    samples = data.inputs.samples(later())
    forecast_BNH = trees.predict(samples, later())
    assert np.isfinite(forecast_BNH).all()
    if not known:
        np.testing.assert_array_equal(forecast_BNH, samples.baseline_BNH)
