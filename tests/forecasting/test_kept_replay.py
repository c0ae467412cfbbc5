"""A forecast goes on from the replay that its bundle kept, and says what it would say anew."""

from dataclasses import replace

import grown_town
import numpy as np
import pytest
from little_map import flows

import deepcity
from deepcity.data.city_file import load_panel
from deepcity.learning.ensemble.loss_allowance import LossAllowance
from deepcity.live.forecasters import forecast_all, forecasters_of
from deepcity.maps.city_map import load_map
from deepcity.runs.update import weighed_bundle
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.store.run_folder import site_folder

LEARNED_DAYS, DAYS = 46, 49
EXPERTS = 'experts = ["network", "typical_day", "ridge"]'


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A run, after which three days of rows have come."""

    def values(number):
        return flows(days=DAYS, places=2, seed=number)

    return grown_town.trained(tmp_path_factory.mktemp("town"), values, LEARNED_DAYS, DAYS, EXPERTS)


@pytest.fixture(scope="module")
def panel(town):
    return load_panel(deepcity.load_city(town / "a.toml"), "x")


def kept(town):
    return deepcity.Forecaster.load(town / "run", "water", "a/x")


def anew(town):
    """The forecaster of a bundle that was written before replays were kept."""
    found = kept(town)
    found._bundle = replace(found._bundle, replay=None)
    return found


def until(panel, back):
    return panel.between(int(panel.time_T[0]), int(panel.time_T[-1]) + 3600 - back * 3600)


def equal(one, other, *, rtol=0.0):
    np.testing.assert_array_equal(one.origin_B, other.origin_B)
    np.testing.assert_allclose(one.forecast_BNH, other.forecast_BNH, rtol=rtol)
    np.testing.assert_allclose(one.half_BNH, other.half_BNH, rtol=rtol)


def counted(monkeypatch):
    """How many origins experts are asked for."""
    asked, own = [], weighed_bundle.expert_forecasts

    def count(experts, samples, origins_B, values_TN):
        asked.append(len(origins_B))
        return own(experts, samples, origins_B, values_TN)

    monkeypatch.setattr(weighed_bundle, "expert_forecasts", count)
    return asked


def test_on_the_rows_of_the_run_the_same_to_the_bit_and_nothing_is_replayed(
    town, panel, monkeypatch
):
    rows = until(panel, 24 * (DAYS - LEARNED_DAYS))
    expected, asked = anew(town).predict(rows), counted(monkeypatch)
    equal(kept(town).predict(rows), expected)
    assert sum(asked) == 0


def test_with_newer_rows_as_anew_but_only_what_came_since_is_replayed(town, panel, monkeypatch):
    asked = counted(monkeypatch)
    found = kept(town).predict(panel)
    few = sum(asked)
    asked.clear()
    equal(found, anew(town).predict(panel), rtol=1e-5)
    assert 0 < few < sum(asked)


def test_step_by_step_as_at_once(town, panel, monkeypatch):
    forecaster = kept(town)
    forecaster.predict(until(panel, 40))
    asked = counted(monkeypatch)
    for back in range(39, 0, -1):
        asked.clear()
        found = forecaster.predict(until(panel, back))
        assert sum(asked) <= 2  # one for the weights, and one where the bands' grid has one
    equal(found, anew(town).predict(until(panel, 1)), rtol=1e-5)


def test_forecasts_not_scored_yet_count_and_a_spent_allowance_leaves_the_own_network(town, panel):
    view = kept(town).open_at(panel)
    horizon, pending = view.horizon, view.prepared.pending
    assert pending.steps == horizon * (horizon - 1) // 2
    assert pending.worst > 0
    found = kept(town)
    spent = replace(found._bundle.ensemble, allowance=LossAllowance(1e9))
    found._bundle = replace(found._bundle, ensemble=spent)
    view = found.open_at(panel)
    origins_B = np.array([view.newest_origin])
    own_NH = view.expert_forecasts(view.data.inputs.samples(origins_B), origins_B)[0, 0]
    np.testing.assert_array_equal(view.newest().forecast_BNH[0], np.maximum(own_NH, view.floor))


@pytest.mark.filterwarnings("ignore:a/x. rows that its networks learned from are others")
@pytest.mark.parametrize("row", [200, LEARNED_DAYS * 24 - 30])
def test_where_old_rows_were_corrected_it_begins_anew(town, panel, row):
    values_TNF = panel.values_TNF.copy()
    values_TNF[row] *= 1.5
    changed = replace(panel, values_TNF=values_TNF)
    equal(kept(town).predict(changed), anew(town).predict(changed))


def test_what_a_forecaster_has_replayed_is_saved_with_it(town, panel, tmp_path):
    forecaster = kept(town)
    expected = forecaster.predict(panel)
    forecaster.save(tmp_path)
    loaded = BundleStore.of(tmp_path).load("water", "a/x")
    before = BundleStore.of(site_folder(town / "run", "a/x")).load("water", "a/x")
    assert loaded.replay.end > before.replay.end
    equal(deepcity.Forecaster.load(tmp_path, "water", "a/x").predict(panel), expected, rtol=1e-5)


def test_records_of_one_agency_are_read_once_for_all_its_parties(town, monkeypatch):
    parties = forecasters_of(town / "run", None, None, None, ["a/x"]) * 2
    read = []
    for name in ("deepcity.live.forecasters", "deepcity.forecasting.run_parties"):
        monkeypatch.setattr(
            f"{name}.load_panel", lambda *given: read.append(given) or load_panel(*given)
        )
    one, other = forecast_all(parties, None)
    assert len(read) == 1
    equal(one.forecasts, other.forecasts)


def test_places_of_agencies_that_are_no_party_are_found_when_their_records_are_read(town):
    one = town / "one.toml"
    one.write_text((town / "map.toml").read_text().replace('["*/*"]', '["a/x"]'), "utf-8")
    (whole,), (part,) = load_map(one).cities, load_map(one, only_used=True).cities
    assert [len(agency.places) for agency in whole.city.agencies] == [2, 2]
    assert [len(agency.places) for agency in part.city.agencies] == [2, 0]
    expected, found = load_panel(whole, "y"), load_panel(part, "y")
    assert found.places == expected.places
    np.testing.assert_array_equal(found.values_TNF, expected.values_TNF)
