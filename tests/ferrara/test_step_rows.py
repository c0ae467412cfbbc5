"""Rows for trees: one a step, and nothing in them from after their origin."""

from dataclasses import replace

import numpy as np
import pytest
from signals import panel

from benchmarks.ferrara.exogenous_features import fit_exogenous
from benchmarks.ferrara.step_rows import step_rows
from deepcity.data.windows import Span
from deepcity.learning.features.inputs import WindowSettings, fit_inputs

SETTINGS = WindowSettings(history=24, horizon=24, leads=2, days=7)
TRAIN = Span(0, 40 * 24)


def outlook_of(whole):
    return fit_exogenous(fit_inputs(whole, "flow", SETTINGS, TRAIN), whole, TRAIN, None)


def rows_of(whole, origins, lead):
    outlook = outlook_of(whole)
    return step_rows(outlook, outlook.samples(origins, lead), whole.time_T, origins, lead)


@pytest.mark.parametrize("lead", [0, 1])
def test_flows_after_an_origin_change_nothing_in_its_rows(lead):
    whole, origins = panel(60, 2), np.array([45 * 24 + 5])
    changed = whole.values_TNF.copy()
    changed[origins[0] :] += 100
    earlier = whole.values_TNF.copy()
    earlier[origins[0] - 1] += 100
    before, after, other = (
        rows_of(replace(whole, values_TNF=values), origins, lead)
        for values in (whole.values_TNF, changed, earlier)
    )
    np.testing.assert_array_equal(before, after)
    assert not np.array_equal(before, other)


def test_a_row_knows_its_lead_time_of_day_and_weekday():
    whole = panel(60, 2)
    origins = np.array([45 * 24, 46 * 24 + 3])
    rows = rows_of(whole, origins, 1)
    assert rows.shape[:3] == (2, 2, 24)
    assert np.isfinite(rows).all()
    assert rows[0, 0, :, :3].tolist() == [[1, hour, (45 + 1) % 7] for hour in range(24)]
    assert rows[1, 1, 0, :2].tolist() == [1, 3]


def test_summaries_of_other_leads_are_left_out():
    whole = panel(60, 1)
    outlook = outlook_of(whole)
    origins = np.array([45 * 24])
    samples = outlook.samples(origins, 1)
    own = outlook.lead_linear_features(samples, 1)
    assert own.shape[-1] < samples.linear_BNHS.shape[-1]
    kept = {float(value) for value in own.ravel()}
    assert {float(value) for value in samples.linear_BNHS.ravel()} - kept <= {0.0}
