"""Days as a process, as an expert: what it makes of the weather, of amounts, and of few days."""

from dataclasses import replace

import numpy as np
import pytest
from experts_of_a_town import END, later, town
from signals import SHORT

from deepcity.city.errors import ExpertError
from deepcity.city.field import Field, Kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.experts.expert import error_aside
from deepcity.learning.experts.gaussian_days import MAX_PLACES, GaussianDays
from deepcity.learning.experts.trees import Trees
from deepcity.learning.experts.typical_day import TypicalDay
from deepcity.learning.features.inputs import fit_inputs


def with_weather(data):
    """Flows that rise with the warmth of a day, and who measures it."""
    warm_D = np.random.default_rng(4).uniform(5, 25, len(data.panel.time_T) // 24)
    temperature_T = np.repeat(warm_D, 24)
    fields = tuple(
        Field(name, kind, unit, LocalizedText(name, name))
        for name, kind, unit in (
            ("temperature", Kind.TEMPERATURE, "degC"),
            ("rain", Kind.RAIN, "mm"),
        )
    )
    values = np.stack([temperature_T, np.zeros_like(temperature_T)], axis=1)[:, None]
    panel = data.panel
    weather = Panel(panel.clock, panel.time_T, (Place("mast"),), fields, values.astype("f4"))
    thirst = np.maximum(temperature_T - 12, 0)[:, None, None].astype("f4")
    return replace(town(panel.values_TNF + thirst), weather=weather)


@pytest.fixture(scope="module")
def warm():
    return with_weather(town())


def error(expert, data, origins_B):
    samples = data.inputs.samples(origins_B)
    return np.nanmean(np.abs(expert.predict(samples, origins_B) - samples.truth_BNH))


def test_it_errs_less_than_the_typical_day():
    data = town()
    assert error_aside(GaussianDays.fit(data), data) < error_aside(TypicalDay(), data)


def test_the_weather_ahead_helps_where_it_acts(warm):
    knowing, blind = GaussianDays.fit(warm), GaussianDays.fit(replace(warm, weather=None))
    midnights = np.arange(END, END + 9 * 24, 24)
    assert error(knowing, warm, midnights) < 0.8 * error(blind, warm, midnights)


def test_what_was_learned_with_weather_is_refused_without(warm):
    arrays = GaussianDays.fit(warm).to_arrays()
    with pytest.raises(ExpertError, match="parameters_GP"):
        GaussianDays.from_arrays(arrays, replace(warm, weather=None))


def test_amounts_with_zeros_are_taken_as_they_are():
    data = town()
    values = data.panel.values_TNF.copy()
    values[::5] = 0
    for given, logarithms in ((None, True), (values, False)):
        expert = GaussianDays.fit(town(given))
        assert expert.process.logarithms is logarithms
        samples = data.inputs.samples(later())
        assert np.isfinite(expert.predict(samples, later())).all()


def test_with_few_training_days_it_is_left_out():
    data = town()
    assert GaussianDays.prior(data) > 0
    few = replace(data, train=Span(0, 20 * 24))
    assert GaussianDays.prior(few) == 0
    with pytest.raises(ExpertError, match="20 training days"):
        GaussianDays.from_arrays(GaussianDays.fit(data).to_arrays(), few)


@pytest.mark.parametrize(("expert", "places"), [(GaussianDays, MAX_PLACES), (Trees, 8333)])
def test_for_very_many_places_it_is_left_out(expert, places):
    """8,333 places, each with 6 steps ahead: nearly 50,000."""
    data = town()
    for count, left_out in ((places, False), (places + 1, True)):
        values_TN = np.tile(data.inputs.values_TN[:, :1], count)
        found = expert.prior(replace(data, inputs=replace(data.inputs, values_TN=values_TN)))
        assert (found == 0) is left_out


def test_records_may_begin_and_end_within_a_day():
    whole = town()
    steps = slice(5, len(whole.panel.time_T) - 7)
    panel = replace(
        whole.panel, time_T=whole.panel.time_T[steps], values_TNF=whole.panel.values_TNF[steps]
    )
    data = replace(whole, panel=panel, inputs=fit_inputs(panel, "flow", SHORT, whole.train))
    samples = data.inputs.samples(later()[:-5])
    assert np.isfinite(GaussianDays.fit(data).predict(samples, later()[:-5])).all()
